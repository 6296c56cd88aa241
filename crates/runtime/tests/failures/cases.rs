//! Misbehaving runtimes, as Python scripts over plain HTTP.

pub(crate) struct Case {
    pub(crate) phase: &'static str,
    pub(crate) what: &'static str,
    pub(crate) script: &'static str,
    pub(crate) timeout_ms: u64,
    pub(crate) init_ms: u64,
    /// The limit of its memory, in MB.
    pub(crate) memory_mb: Option<u32>,
    /// What is wrong with the program, until the second call.
    pub(crate) wrong: Option<Wrong>,
    /// Whether the instance gets another invocation 2 s after the first, which is still running.
    pub(crate) is_shared: bool,
}

/// Why a program cannot be started.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wrong {
    Missing,
    NotExecutable,
}

const fn case(phase: &'static str, what: &'static str, script: &'static str) -> Case {
    Case {
        phase,
        what,
        script,
        timeout_ms: 20_000,
        init_ms: 60_000,
        memory_mb: None,
        wrong: None,
        is_shared: false,
    }
}

const fn short(phase: &'static str, what: &'static str, script: &'static str) -> Case {
    Case {
        timeout_ms: 1_000,
        ..case(phase, what, script)
    }
}

/// A runtime client. When it is started for a second time, it is a runtime that echoes its event,
/// and the rest of the script does not run.
pub(crate) const PRELUDE: &str = r##"
import base64, http.client, json, os, signal, subprocess, sys, time
sys.stdout.reconfigure(line_buffering=True)
conn = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
R = "/2018-06-01/runtime/"
def req(method, path, body=None, **headers):
    conn.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    r = conn.getresponse()
    return r.status, r.headers, r.read()
def nxt():
    global rid, nonce
    s, h, body = req("GET", R + "invocation/next")
    assert s == 200, s
    rid, nonce = h["Lambda-Runtime-Aws-Request-Id"], h["Lambda-Runtime-Invocation-Id"]
    return body
def post(what, body, id=None, show=True, **headers):
    s, h, b = req("POST", R + "invocation/%s/%s" % (id or rid, what), body, **headers)
    if show:
        data = json.loads(b)
        print("status", s, data.get("errorType") or data["status"])
def respond(body, **kw): post("response", body, **kw)
def begin(**headers):
    conn.putrequest("POST", R + "invocation/%s/response" % rid)
    conn.putheader("Transfer-Encoding", "chunked")
    conn.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    for k, v in headers.items(): conn.putheader(k.replace("_", "-"), v)
    conn.endheaders()
def chunk(data): conn.send(b"%x\r\n%b\r\n" % (len(data), data))
def end(trailers=b""):
    conn.send(b"0\r\n" + trailers + b"\r\n")
    r = conn.getresponse(); r.read()
    return r.status
def good():
    while True:
        body = nxt()
        respond(body, show=False)
ERROR = json.dumps({"errorType": "Boom", "errorMessage": "it broke", "trace": ["Boom: it broke"]}).encode()
B64 = base64.b64encode(ERROR)
if os.path.exists("once"): good()
open("once", "w").close()
"##;

pub(crate) const CASES: &[Case] = &[
    Case {
        wrong: Some(Wrong::Missing),
        ..case("before init", "does not exist", "good()")
    },
    Case {
        wrong: Some(Wrong::NotExecutable),
        ..case("before init", "is not executable", "good()")
    },
    case("init", "exits with 0", "sys.exit(0)"),
    case("init", "exits with 1", "sys.exit(1)"),
    case("init", "is killed by a signal", "os.kill(os.getpid(), 11)"),
    Case {
        init_ms: 5_000,
        ..case("init", "never asks for an event", "time.sleep(100)")
    },
    case(
        "init",
        "reports an error and exits",
        "req('POST', R + 'init/error', ERROR, Lambda_Runtime_Function_Error_Type='Boom'); sys.exit(1)",
    ),
    case(
        "init",
        "reports an error and hangs",
        "req('POST', R + 'init/error', ERROR); time.sleep(100)",
    ),
    case(
        "init",
        "reports an error that is not JSON",
        "req('POST', R + 'init/error', b'oh no', Lambda_Runtime_Function_Error_Type='Odd'); sys.exit(1)",
    ),
    case(
        "init",
        "responds before it has asked for an event",
        "respond(b'1', id='made-up'); good()",
    ),
    case(
        "init",
        "has an extension that reports an error",
        "s, h, b = req('POST', '/2020-01-01/extension/register', b'{\"events\":[\"INVOKE\"]}', Lambda_Extension_Name='x')\n\
         req('POST', '/2020-01-01/extension/init/error', ERROR, Lambda_Extension_Identifier=h['Lambda-Extension-Identifier'], Lambda_Extension_Function_Error_Type='Extension.Bad')\n\
         time.sleep(100)",
    ),
    case(
        "before the response",
        "has an extension that exits with an error",
        "s, h, b = req('POST', '/2020-01-01/extension/register', b'{\"events\":[]}', Lambda_Extension_Name='x')\n\
         nxt()\n\
         req('POST', '/2020-01-01/extension/exit/error', ERROR, Lambda_Extension_Identifier=h['Lambda-Extension-Identifier'], Lambda_Extension_Function_Error_Type='Extension.Bad')\n\
         time.sleep(100)",
    ),
    case(
        "before the response",
        "reports an init error too late",
        "nxt(); s, h, b = req('POST', R + 'init/error', ERROR); print('status', s, json.loads(b)['errorType']); respond(b'1'); good()",
    ),
    case("before the response", "exits with 0", "nxt(); sys.exit(0)"),
    case("before the response", "exits with 3", "nxt(); sys.exit(3)"),
    case(
        "before the response",
        "is killed, as when memory runs out",
        "nxt(); os.kill(os.getpid(), 9)",
    ),
    Case {
        memory_mb: Some(200),
        ..case(
            "before the response",
            "uses more memory than its limit",
            "nxt(); own = b'x' * (300 << 20); time.sleep(100)",
        )
    },
    Case {
        memory_mb: Some(200),
        ..case(
            "before the response",
            "has a child that uses more memory than the limit",
            "nxt(); subprocess.run([sys.executable, '-c', 'own = b\"x\" * (300 << 20); import time; time.sleep(100)'])",
        )
    },
    case(
        "before the response",
        "aborts",
        "nxt(); os.kill(os.getpid(), 6)",
    ),
    short("before the response", "hangs", "nxt(); time.sleep(100)"),
    short(
        "before the response",
        "hangs and ignores SIGTERM",
        "signal.signal(15, signal.SIG_IGN); nxt(); time.sleep(100)",
    ),
    short(
        "before the response",
        "closes its connection and hangs",
        "nxt(); conn.close(); time.sleep(100)",
    ),
    case(
        "before the response",
        "asks for the next event without a response",
        "nxt(); s, h, b = req('GET', R + 'invocation/next'); print('status', s, json.loads(b)['errorType']); respond(b'1'); good()",
    ),
    case(
        "before the response",
        "responds with a wrong request id",
        "nxt(); respond(b'0', id='other'); respond(b'1'); good()",
    ),
    case(
        "before the response",
        "echoes a wrong invocation id",
        "nxt(); respond(b'0', Lambda_Runtime_Invocation_Id='f00'); respond(b'1', Lambda_Runtime_Invocation_Id=nonce); good()",
    ),
    Case {
        is_shared: true,
        timeout_ms: 4_000,
        ..case(
            "before the response",
            "responds after the timeout, and echoes the invocation id",
            "nxt(); late = rid, nonce; open('first', 'w').close(); nxt(); time.sleep(3)\n\
             respond(b'0', id=late[0], Lambda_Runtime_Invocation_Id=late[1]); respond(b'1', show=False); good()",
        )
    },
    Case {
        is_shared: true,
        timeout_ms: 4_000,
        ..case(
            "before the response",
            "responds after the timeout, without an echo",
            "nxt(); late = rid; open('first', 'w').close(); nxt(); time.sleep(3)\n\
             respond(b'0', id=late); respond(b'1', show=False); good()",
        )
    },
    case(
        "before the response",
        "names an unknown response mode",
        "nxt(); respond(b'0', Lambda_Runtime_Function_Response_Mode='slow'); respond(b'1'); good()",
    ),
    case(
        "before the response",
        "reports an error",
        "nxt(); post('error', ERROR, Lambda_Runtime_Function_Error_Type='Boom'); good()",
    ),
    case(
        "before the response",
        "reports an error that is not JSON",
        "nxt(); post('error', b'oh no'); good()",
    ),
    case(
        "in the response",
        "sends too large a response",
        "nxt(); respond(b'x' * 6291557); good()",
    ),
    case(
        "in the response",
        "sends the largest response",
        "nxt(); respond(b'x' * 6291556); good()",
    ),
    case(
        "in the response",
        "exits within a buffered response",
        "nxt(); conn.putrequest('POST', R + 'invocation/%s/response' % rid); conn.putheader('Content-Length', '9'); conn.endheaders(); conn.send(b'half'); sys.exit(4)",
    ),
    case(
        "in the response",
        "closes its connection within a buffered response",
        "nxt(); conn.putrequest('POST', R + 'invocation/%s/response' % rid); conn.putheader('Content-Length', '9'); conn.endheaders(); conn.send(b'half'); conn.close(); good()",
    ),
    case(
        "in the response",
        "exits within a stream",
        "nxt(); begin(); chunk(b'half'); time.sleep(.2); sys.exit(4)",
    ),
    case(
        "in the response",
        "closes its connection within a stream",
        "nxt(); begin(); chunk(b'half'); conn.close(); good()",
    ),
    case(
        "in the response",
        "panics within a stream, which the Rust runtime ends like a complete one",
        "nxt(); begin(); chunk(b'half'); end(); good()",
    ),
    short(
        "in the response",
        "hangs within a stream",
        "nxt(); begin(); chunk(b'half'); time.sleep(100)",
    ),
    case(
        "in the response",
        "ends a stream with declared error trailers",
        "nxt(); begin(Trailer='Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body'); chunk(b'half')\n\
         end(b'Lambda-Runtime-Function-Error-Type: Boom\\r\\nLambda-Runtime-Function-Error-Body: ' + B64 + b'\\r\\n'); good()",
    ),
    case(
        "in the response",
        "ends a stream with undeclared error trailers",
        "nxt(); begin(); chunk(b'half')\n\
         end(b'Lambda-Runtime-Function-Error-Type: Boom\\r\\nLambda-Runtime-Function-Error-Body: ' + B64 + b'\\r\\n'); good()",
    ),
    case(
        "in the response",
        "fails before the first byte of a stream",
        "nxt(); begin(); end(b'Lambda-Runtime-Function-Error-Type: Boom\\r\\nLambda-Runtime-Function-Error-Body: ' + B64 + b'\\r\\n'); good()",
    ),
    case(
        "in the response",
        "ends a stream with error lines in a chunk",
        "nxt(); begin(); chunk(b'half'); time.sleep(.1)\n\
         chunk(b'Lambda-Runtime-Function-Error-Type: Boom\\r\\nLambda-Runtime-Function-Error-Body: ' + B64 + b'\\r\\n'); end(); good()",
    ),
    case(
        "in the response",
        "sends trailers that are no error",
        "nxt(); begin(); chunk(b'whole'); end(b'X-Other: 1\\r\\n'); good()",
    ),
    case(
        "in the response",
        "sends an empty stream",
        "nxt(); begin(); end(); good()",
    ),
    case(
        "after the response",
        "exits",
        "nxt(); respond(b'1'); sys.exit(5)",
    ),
    short(
        "after the response",
        "hangs",
        "nxt(); respond(b'1'); time.sleep(100)",
    ),
    case(
        "after the response",
        "responds twice",
        "nxt(); respond(b'1'); respond(b'2'); good()",
    ),
    case(
        "after the response",
        "reports an error too",
        "nxt(); respond(b'1'); post('error', ERROR); good()",
    ),
    case(
        "after the response",
        "leaves a child in a group of its own behind",
        "nxt(); subprocess.Popen(['sleep', '60'], start_new_session=True); respond(b'1'); sys.exit(0)",
    ),
];
