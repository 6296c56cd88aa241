//! Commands and options of other tools: the AWS CLI, SAM, curl, cargo-lambda, load generators.

/// Options of other tools, and their counterparts here.
pub(super) const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["--function-name"],
        "the function is an argument without an option: lambda-invoke invoke NAME",
    ),
    (
        &["--invocation-type"],
        "use --event instead of Event, and --dry-run instead of DryRun",
    ),
    (&["--log-type", "--tail", "--logs"], "use --log-tail"),
    (
        &["--cli-binary-format"],
        "leave it out: a payload is sent byte for byte",
    ),
    (
        &["--output", "-O", "--outfile", "--out", "--output-document"],
        "use -o FILE to write the response to a file, and --json for a response as JSON",
    ),
    (
        &["--query", "--pretty", "--format", "--raw-output"],
        "use --json with jq: lambda-invoke invoke NAME --json | jq .Payload",
    ),
    (
        &["--debug", "--trace", "--trace-ascii", "--include", "-i"],
        "use -v to show the steps of a call, or -vv to show everything",
    ),
    (
        &["--port", "--host", "--bind", "--address"],
        "use --listen ADDRESS:PORT with serve, such as --listen 127.0.0.1:9001",
    ),
    (
        &[
            "-d",
            "--data",
            "--json-payload",
            "--data-raw",
            "--data-ascii",
            "--body",
            "--event-body",
        ],
        "use -p JSON or --payload JSON",
    ),
    (
        &["--data-file", "--payload-file", "--data-binary", "--input"],
        "use -p @FILE",
    ),
    (&["--stdin"], "use -p - to read the payload from stdin"),
    (
        &["--cli-read-timeout", "--read-timeout"],
        "use --first-byte-timeout and --idle-timeout",
    ),
    (&["--cli-connect-timeout"], "use --connect-timeout"),
    (&["--max-time"], "use --timeout, for the call as a whole"),
    (&["--no-retry", "--no-retries"], "use --retry none"),
    (
        &["--retries", "--max-retries"],
        "use --max-attempts, which includes the first attempt",
    ),
    (
        &["--no-verify-ssl", "--insecure", "-k"],
        "certificates are always verified: set AWS_CA_BUNDLE to a file with the authority to trust",
    ),
    (
        &["--no-sign-request"],
        "requests are always signed; a local endpoint accepts the keys 'local' and 'local'",
    ),
    (
        &["--stream", "--streaming", "--no-buffer"],
        "use the command stream instead of invoke",
    ),
    (
        &[
            "--no-cli-pager",
            "--no-paginate",
            "--silent",
            "--quiet",
            "-s",
        ],
        "leave it out: there is no pager, and only the payload is on stdout",
    ),
    (
        &["--color", "--no-color"],
        "set the variable NO_COLOR to turn colors off",
    ),
    (
        &[
            "--jobs",
            "-j",
            "--parallel",
            "-P",
            "--workers",
            "--max-workers",
            "--max-concurrency",
        ],
        "use map or bench with -c N for the maximum number of concurrent calls",
    ),
    (
        &["--resume"],
        "use map with --journal FILE: the same command continues where the last one ended",
    ),
    (
        &["--remote"],
        "leave it out: functions are called in AWS unless --local or --endpoint-url is given",
    ),
    (
        &["--url", "--endpoint", "-u"],
        "use --endpoint-url URL, such as --endpoint-url http://127.0.0.1:9001",
    ),
    (&["--async", "--asynchronous"], "use --event"),
    (
        &["--request", "-X"],
        "leave it out: every call is a POST request",
    ),
    (
        &["--proxy", "-x"],
        "set the variable HTTPS_PROXY or HTTP_PROXY to the proxy's address",
    ),
    (
        &[
            "--access-key",
            "--access-key-id",
            "--secret-key",
            "--secret-access-key",
            "--session-token",
        ],
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which others cannot see, or use --profile",
    ),
    (
        &["--env", "--environment", "--env-file", "--env-vars"],
        "set variables with serve, by --env or --env-file, and call the function at --endpoint-url",
    ),
];

/// Options of other tools that have a different meaning with one of our commands.
pub(super) const OF_COMMAND: &[(&str, &[&str], &str)] = &[
    (
        "serve",
        &["-p", "-P"],
        "use --listen ADDRESS:PORT, such as --listen 127.0.0.1:9001; invoke and stream take payloads",
    ),
    (
        "serve",
        &["--reload", "--hot-reload", "--live", "--warm-containers"],
        "use --watch",
    ),
    (
        "serve",
        &["--template", "--template-file", "-t"],
        "use --sam FILE",
    ),
    (
        "serve",
        &["--handler"],
        "write it after the file: lambda-invoke serve app.py:HANDLER",
    ),
    (
        "serve",
        &[
            "--runtime",
            "--docker",
            "--docker-network",
            "--image",
            "--skip-pull-image",
        ],
        "leave it out: functions run as processes, with the interpreters of this machine",
    ),
    (
        "serve",
        &["--timeout", "--memory", "--memory-size"],
        "set it for each function in a file, and use --config FILE",
    ),
    (
        "serve",
        &["-d", "--data", "--payload", "--body", "--event"],
        "serve takes no payload: call its functions with invoke or stream, -p and --endpoint-url",
    ),
    (
        "serve",
        &["--detach", "--daemon"],
        "let the shell do it: lambda-invoke serve FILE &",
    ),
    (
        "map",
        &["--stdin"],
        "leave it out: payloads come from stdin unless --input is given",
    ),
    (
        "bench",
        &["--requests", "--total", "--iterations", "-N"],
        "use -n N or --calls N",
    ),
    ("bench", &["-z", "--time"], "use --duration TIME"),
    ("stream", &["--event"], "use invoke --event"),
    (
        "sign",
        &["-d", "--data", "--data-raw", "--data-binary", "--body"],
        "use -p BODY or -p @FILE",
    ),
    (
        "whoami",
        &["--local"],
        "leave it out: the local endpoint's keys are 'local' and 'local'",
    ),
];

/// Commands of other tools, and their counterparts here.
pub(super) const COMMANDS: &[(&[&str], &str)] = &[
    (&["version"], "use lambda-invoke --version"),
    (
        &["call", "exec", "run", "request", "send"],
        "use invoke or stream to call a function, and serve to run your own",
    ),
    (
        &[
            "start",
            "start-lambda",
            "start-api",
            "watch",
            "local",
            "up",
            "server",
            "dev",
            "listen",
        ],
        "use serve FILE to run functions locally, or invoke NAME --local for one call",
    ),
    (
        &["lambda", "aws"],
        "leave it out: lambda-invoke invoke NAME",
    ),
    (
        &["invoke-with-response-stream", "invoke-stream", "streaming"],
        "the command is stream: lambda-invoke stream NAME",
    ),
    (&["invoke-async", "async"], "use invoke NAME --event"),
    (
        &["configure", "config", "login", "sso", "profile", "profiles"],
        "create a profile with the AWS CLI: aws configure; whoami shows which profile is used",
    ),
    (
        &[
            "list",
            "ls",
            "list-functions",
            "get-function",
            "create-function",
            "update-function-code",
            "delete-function",
            "deploy",
            "delete",
            "build",
            "package",
            "init",
            "new",
            "logs",
            "tail",
        ],
        "lambda-invoke only calls and runs functions: use the AWS CLI, such as aws lambda list-functions",
    ),
    (
        &["man", "docs"],
        "use help COMMAND; the manual pages are in the package's folder man",
    ),
    (&["completion", "complete"], "use completions SHELL"),
    (&["benchmark", "load"], "use bench NAME"),
    (&["batch", "bulk"], "use map NAME"),
    (&["presign"], "use sign NAME --presign 15m"),
    (
        &["verify", "parse", "validate", "lint"],
        "use check NAME to check a function's name",
    ),
];
