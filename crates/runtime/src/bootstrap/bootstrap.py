# A runtime client for Python functions, for machines without the official one (awslambdaric).
# What it sends is what the official client sends. Streaming is its own: a generator or an async
# generator as handler streams its items, since the official client cannot stream.
import asyncio, base64, decimal, http.client, importlib, inspect, json, logging, os, sys
import threading, time, traceback

ROOT = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
HANDLER = os.environ.get("_HANDLER", "")
API = "/2018-06-01/runtime"
HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"


def use_official_client():
    """Hands over to the function's own awslambdaric, if it has one. It does not return."""
    if os.environ.get("LAMBDA_INVOKE_BOOTSTRAP") == "embedded":
        return
    try:
        from awslambdaric import bootstrap
    except ImportError:
        return
    sys.argv = ["awslambdaric", HANDLER]
    bootstrap.run(ROOT, HANDLER, os.environ["AWS_LAMBDA_RUNTIME_API"])
    sys.exit(0)


class Fault(Exception):
    """An error of this client, with the official client's type."""

    def __init__(self, type, message, stack=()):
        super().__init__(message)
        self.type, self.stack = type, list(stack)


class Context:
    def __init__(self, headers):
        get = headers.get
        self.aws_request_id = get("Lambda-Runtime-Aws-Request-Id")
        self.invoked_function_arn = get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id = get("Lambda-Runtime-Aws-Tenant-Id")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self._deadline = int(get("Lambda-Runtime-Deadline-Ms") or 0)
        self.client_context = client_context(get("Lambda-Runtime-Client-Context"))
        self.identity = Record(cognito_identity_id=None, cognito_identity_pool_id=None)
        identity = get("Lambda-Runtime-Cognito-Identity")
        if identity:
            known = json.loads(identity)
            self.identity.cognito_identity_id = known.get("cognitoIdentityId")
            self.identity.cognito_identity_pool_id = known.get("cognitoIdentityPoolId")

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, text):
        sys.stdout.write(str(text))


class Record:
    def __init__(self, **members):
        self.__dict__.update(members)

    def __repr__(self):
        return "Record(%r)" % self.__dict__


def client_context(text):
    if not text:
        return None
    known = json.loads(text)
    client = known.get("client") or {}
    names = "installation_id app_title app_version_name app_version_code app_package_name".split()
    return Record(
        custom=known.get("custom"),
        env=known.get("env"),
        client=Record(**{name: client.get(name) for name in names}) if client else None,
    )


def load():
    """Imports the handler: `app.handler`, `src/app.handler` or `src.app.handler`."""
    name = HANDLER[2:] if HANDLER.startswith("./") else HANDLER
    if "." not in name:
        message = "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % HANDLER
        raise Fault("Runtime.MalformedHandlerName", message)
    module, function = name.rsplit(".", 1)
    module = module.strip("/")
    if ROOT not in sys.path:
        sys.path.insert(0, ROOT)
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (module, error)
        raise Fault("Runtime.ImportModuleError", message)
    except SyntaxError as error:
        line = '  File "%s" Line %s\n    %s\n' % (error.filename, error.lineno, error.text)
        message = "Syntax error in module '%s': %s" % (module, error)
        raise Fault("Runtime.UserCodeSyntaxError", message, [line])
    if not hasattr(loaded, function):
        message = "Handler '%s' missing on module '%s'" % (function, module)
        raise Fault("Runtime.HandlerNotFound", message)
    return getattr(loaded, function)


def encode(value):
    """Makes JSON as the official client does, which also knows decimals."""

    def other(value):
        if isinstance(value, decimal.Decimal):
            return float(value)
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    return json.dumps(value, ensure_ascii=False, default=other).encode("utf-8")


def describe(error, request_id):
    """Makes the report of an error: type, message and stack without the frames of this file."""
    if isinstance(error, Fault):
        frames, type = error.stack, error.type
    else:
        stack = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in stack if frame.filename != "<string>"]
        own = [frame for frame in own if not frame.filename.startswith("<frozen importlib")]
        frames, type = traceback.format_list(own), error.__class__.__name__
    report = {"errorMessage": str(error), "errorType": type, "requestId": request_id or ""}
    report["stackTrace"] = frames
    return report


def show(report):
    """Logs an error as the official client does: one record of lines."""
    lines = ["[ERROR] %s: %s" % (report["errorType"], report["errorMessage"])]
    if report["stackTrace"]:
        lines.append("Traceback (most recent call last):")
    text = "\n".join(lines + [frame.rstrip("\n") for frame in report["stackTrace"]])
    # Without a telemetry descriptor, the official client joins the lines into one record.
    print(text.replace("\n  ", "\r\u00a0\u00a0").replace("\n", "\r"), flush=True)


class Client:
    """A connection to the Runtime API, which is opened again when it was closed."""

    def __init__(self):
        self.connect()

    def connect(self):
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def next(self):
        self.connection.request("GET", API + "/invocation/next")
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit("the Runtime API responded %d: %r" % (response.status, body))
        return response.headers, body

    def post(self, path, body, headers):
        self.connection.request("POST", API + path, body, headers)
        response = self.connection.getresponse()
        response.read()

    def stream(self, path, headers, chunks):
        """Streams chunks as they come. An error becomes trailers, as in the official clients."""
        connection = self.connection
        connection.putrequest("POST", API + path)
        headers = dict(headers)
        headers["Lambda-Runtime-Function-Response-Mode"] = "streaming"
        headers["Transfer-Encoding"] = "chunked"
        headers["Trailer"] = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
        error, first = None, True
        try:
            for kind, data in chunks:
                if first:
                    headers["Content-Type"] = kind
                    start(connection, headers)
                    first = False
                if data:
                    connection.send(b"%x\r\n%b\r\n" % (len(data), data))
        except Exception as caught:
            error = caught
        if first:
            headers["Content-Type"] = "application/octet-stream"
            start(connection, headers)
        end = b"0\r\n"
        report = None
        if error is not None:
            report = describe(error, headers.get("-request-id"))
            body = base64.b64encode(encode(report))
            end += b"Lambda-Runtime-Function-Error-Type: %b\r\n" % report["errorType"].encode()
            end += b"Lambda-Runtime-Function-Error-Body: %b\r\n" % body
            show(report)
        connection.send(end + b"\r\n")
        connection.getresponse().read()


def start(connection, headers):
    for name, value in headers.items():
        if not name.startswith("-"):
            connection.putheader(name, value)
    connection.endheaders()


def chunks_of(items):
    """Makes bytes of a generator's items. A first item with a status is the prelude of an HTTP
    response; text and bytes are sent as they are, anything else as JSON."""
    kind, first = "application/octet-stream", True
    for item in items:
        if first and isinstance(item, dict) and "statusCode" in item:
            kind = HTTP_INTEGRATION
            yield kind, encode(item)
            yield kind, b"\0" * 8
        elif isinstance(item, (bytes, bytearray, memoryview)):
            yield kind, bytes(item)
        elif isinstance(item, str):
            yield kind, item.encode("utf-8")
        else:
            yield kind, encode(item)
        first = False


def drain(loop, generator):
    """Makes an iterator of an async generator."""
    while True:
        try:
            yield loop.run_until_complete(generator.__anext__())
        except StopAsyncIteration:
            return


def handle(client, handler, loop, headers, body):
    request_id = headers.get("Lambda-Runtime-Aws-Request-Id")
    send = {"Content-Type": "application/json"}
    nonce = headers.get("Lambda-Runtime-Invocation-Id")
    if nonce:
        send["Lambda-Runtime-Invocation-Id"] = nonce
    path = "/invocation/" + request_id
    trace = headers.get("Lambda-Runtime-Trace-Id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    logs.request_id = request_id
    try:
        try:
            event = json.loads(body.decode("utf-8"))
        except ValueError as error:
            message = "Unable to unmarshal input: %s" % error
            raise Fault("Runtime.UnmarshalError", message)
        result = handler(event, Context(headers))
        if inspect.isawaitable(result):
            result = loop.run_until_complete(result)
        if inspect.isasyncgen(result):
            result = drain(loop, result)
        if inspect.isgenerator(result):
            send["-request-id"] = request_id
            client.stream(path + "/response", send, chunks_of(result))
            return
        try:
            result = encode(result)
        except (TypeError, ValueError) as error:
            message = "Unable to marshal response: %s" % error
            raise Fault("Runtime.MarshalError", message)
    except Exception as error:
        report = describe(error, request_id)
        show(report)
        send["Lambda-Runtime-Function-Error-Type"] = report["errorType"]
        client.post(path + "/error", encode(report), send)
        return
    client.post(path + "/response", result, send)


def work(handler):
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    client = Client()
    while True:
        headers, body = client.next()
        handle(client, handler, loop, headers, body)


logs = threading.local()


class Logs(logging.Handler):
    """Writes records as the official client does: level, time, request ID, message."""

    def emit(self, record):
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        now += ".%03dZ" % record.msecs
        request_id = getattr(logs, "request_id", None) or ""
        text = self.format(record)
        print("[%s]\t%s\t%s\t%s" % (record.levelname, now, request_id, text), flush=True)


def main():
    use_official_client()
    logging.getLogger().addHandler(Logs())
    try:
        handler = load()
    except Exception as error:
        report = describe(error, None)
        show(report)
        send = {"Content-Type": "application/json"}
        send["Lambda-Runtime-Function-Error-Type"] = report["errorType"]
        Client().post("/init/error", encode(report), send)
        sys.exit(1)
    more = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1) - 1
    for _ in range(more):
        threading.Thread(target=work, args=(handler,), daemon=True).start()
    try:
        work(handler)
    except (ConnectionError, http.client.HTTPException):
        # The host is gone.
        sys.exit(1)


main()
