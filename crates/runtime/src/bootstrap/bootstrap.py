# The Python runtime client of lambda-invoke-runtime. The official client is used instead if the
# function's environment has it.
import os
import sys

root = os.environ["LAMBDA_TASK_ROOT"]
os.environ["AWS_EXECUTION_ENV"] = "AWS_Lambda_python%d.%d" % sys.version_info[:2]
handler_name = os.environ["_HANDLER"]
module_name, _, function_name = handler_name.rpartition(".")
# The file that was named instead of a module.
file = sys.argv.pop() if len(sys.argv) > 1 else None
if file:
    module_name = os.path.splitext(os.path.basename(file))[0]
    function_name = handler_name[len(module_name) + 1 :]

from importlib.machinery import PathFinder

# With `-c`, the current folder, which is the function's, comes first.
if not sys.path[0]:
    del sys.path[0]


# Whether an import finds what is to run, and not a package or another module of the file's name.
def is_imported():
    if not file:
        return True
    if module_name in sys.modules or module_name in sys.builtin_module_names:
        return False
    spec = PathFinder.find_spec(module_name, [root])
    return spec is not None and spec.origin == file


if is_imported() and PathFinder.find_spec("awslambdaric", [root, *sys.path]):
    sys.path.insert(0, root)
    from awslambdaric.__main__ import main

    main(["awslambdaric", handler_name])
    sys.exit(0)

# Other modules are imported where they are needed: importing them takes longer than most calls, and so
# does importing `socket` instead of `_socket`.
import _socket
import _thread
import importlib
import json
import marshal
import time
from types import AsyncGeneratorType, GeneratorType, SimpleNamespace

# A module of the function can have the name of one above, such as `json`, which stays the library's.
sys.path.insert(0, root)

api = os.environ["AWS_LAMBDA_RUNTIME_API"]
base = "/2018-06-01/runtime/"
outputs = (sys.stdout, sys.stderr)
for out in outputs:
    out.reconfigure(line_buffering=True, errors="backslashreplace")


# Writes what follows the last line end, so that it belongs to the invocation that has printed it.
def flush():
    for out in outputs:
        try:
            out.flush()
        except ValueError:
            # The function has closed it.
            pass


# The request id of each thread that runs invocations.
request_ids = {}


def request_id_now():
    if len(request_ids) == 1:
        # Threads that the function has started belong to the only invocation.
        return next(iter(request_ids.values()))
    return request_ids.get(_thread.get_ident(), "")


# Gives the root logger a handler, with the format of the official client.
def set_up(logging):
    def add_request_id(record):
        record.aws_request_id = request_id_now()
        return True

    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    handler.addFilter(add_request_id)
    logging.root.addHandler(handler)


# Sets `logging` up as soon as the function imports it, which most do not.
class LoggingFinder:
    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            # A module of the function may have the same name.
            if hasattr(module, "StreamHandler"):
                set_up(module)

        spec.loader.exec_module = exec_module
        return spec


if "logging" in sys.modules:
    set_up(sys.modules["logging"])
else:
    sys.meta_path.insert(0, LoggingFinder())


def stack_of(error):
    import traceback

    # Frames of this client and of the import system are not the function's.
    def is_own(frame):
        name = frame.filename
        return name not in ("<string>", importlib.__file__) and not name.startswith("<frozen importlib")

    frames = traceback.extract_tb(error.__traceback__)
    # As tuples, which have no columns to mark, as the official client formats them.
    own = [(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames if is_own(frame)]
    return traceback.format_list(own)


def complain(text):
    try:
        print(text, end="", file=sys.stderr)
    except (OSError, ValueError):
        # The function has closed it, or replaced it with one that does not take every character.
        pass


def describe(error, request_id=""):
    stack = stack_of(error)
    name, trace = type(error).__name__, None
    if isinstance(error, InitError):
        name, trace = error.error_type, error.trace
    try:
        message = str(error)
    except Exception:
        # The interpreter prints the same text.
        message = "<exception str() failed>"
    # The second line also without frames: by it, readers of the log know that the function has failed.
    shown = "".join(trace or stack)
    complain("[ERROR] %s: %s\nTraceback (most recent call last):\n%s" % (name, message, shown))
    reported = stack if trace is None else trace
    return name, json.dumps(
        {"errorMessage": message, "errorType": name, "requestId": request_id, "stackTrace": reported}
    )


# A text as the value of a header.
def header(text):
    return "".join([char if "!" <= char <= "~" else "?" for char in text])


# Trailers must be short, and base64 makes them longer.
def shorten(body):
    error = json.loads(body)
    stack = [frame[:500] for frame in error["stackTrace"]]
    error["stackTrace"] = stack[:3] + ["  ...\n"] + stack[-3:] if len(stack) > 7 else stack
    error["errorMessage"] = error["errorMessage"][:1000]
    return json.dumps(error)


class InitError(Exception):
    # `trace` replaces the frames of a traceback in the report.
    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace


# Runs the file under its own name, which stays that of the module that other modules import.
def run_file():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(module_name, file)
    loaded = module_from_spec(spec)
    sys.modules.setdefault(module_name, loaded)
    spec.loader.exec_module(loaded)
    return loaded


def load():
    # A file that was named itself can be run under any name.
    if not file and module_name.split(".")[0] in sys.builtin_module_names:
        text = "Cannot use built-in module %s as a handler module" % module_name
        raise InitError("Runtime.BuiltInModuleConflict", text)
    try:
        loaded = importlib.import_module(module_name.replace("/", ".")) if is_imported() else run_file()
    except ImportError as error:
        text = "Unable to import module '%s': %s" % (module_name, error)
        # The official client reports no frames. The log shows the line that failed.
        problem = InitError("Runtime.ImportModuleError", text, [])
        raise problem.with_traceback(error.__traceback__) from None
    except SyntaxError as error:
        text = "Syntax error in module '%s': %s" % (module_name, error)
        line = (error.text or "").rstrip("\n") + "\n"
        trace = ["  File \"%s\" Line %s\n    %s" % (error.filename, error.lineno, line)]
        raise InitError("Runtime.UserCodeSyntaxError", text, trace) from None
    found = getattr(loaded, function_name, None)
    if found is None:
        text = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise InitError("Runtime.HandlerNotFound", text)
    return found


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = int(headers["lambda-runtime-deadline-ms"])
        text = headers.get("lambda-runtime-client-context")
        self.client_context = None
        if text:
            try:
                data = json.loads(text)
            except ValueError as error:
                text = "Unable to parse Client Context JSON: %s" % error
                raise InitError("Runtime.LambdaContextUnmarshalError", text) from None
            if data is None:
                return
            client = data.get("client")
            keys = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
            self.client_context = SimpleNamespace(
                custom=data.get("custom"),
                env=data.get("env"),
                client=None if client is None else SimpleNamespace(**{key: client.get(key) for key in keys}),
            )

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


# Writes a value as `simplejson` does for the official client: a named tuple as an object, bytes as text, and
# a `Decimal` with all its digits.
def encode(value, outer=()):
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if value is None or isinstance(value, (str, int, float)):
        return json.dumps(value, ensure_ascii=False)
    if id(value) in outer:
        raise ValueError("Circular reference detected")
    outer = (*outer, id(value))
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return "{%s}" % ", ".join([encode_key(key) + encode(value[key], outer) for key in value])
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join([encode(item, outer) for item in value])
    import decimal

    if isinstance(value, decimal.Decimal):
        return "NaN" if value.is_nan() else str(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def encode_key(key):
    if isinstance(key, bytes):
        key = key.decode("utf-8")
    # Without the value and the end of the object.
    return json.dumps({key: 0}, ensure_ascii=False)[1:-2]


def to_json(result):
    if isinstance(result, bytes):
        return result
    try:
        try:
            # Takes no instance of a subclass, such as a named tuple, which `json` would take for its base.
            marshal.dumps(result)
            text = json.dumps(result, ensure_ascii=False)
        except (TypeError, ValueError):
            text = encode(result)
        return text.encode("utf-8")
    except Exception as error:
        text = "Unable to marshal response: %s" % error
        raise InitError("Runtime.MarshalError", text).with_traceback(error.__traceback__) from None


# One for each thread, since each runs one invocation at a time.
loops = {}


def wait_for(awaitable):
    import asyncio
    import threading

    loop = loops.get(threading.get_ident())
    if loop is None:
        loop = loops[threading.get_ident()] = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)

    async def result():
        return await awaitable

    try:
        return loop.run_until_complete(result())
    except asyncio.CancelledError as error:
        # It is not an `Exception`, but concerns only this invocation.
        raise InitError("CancelledError", str(error)).with_traceback(error.__traceback__) from None


# Passes each value on. One task runs the generator from its beginning to its end, which timeouts, context
# variables and groups of tasks depend on.
async def drain(generator, write):
    try:
        async for chunk in generator:
            write(chunk)
    finally:
        await generator.aclose()


class Client:
    def __init__(self):
        host, _, port = api.rpartition(":")
        self.socket = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        # The next call may come at any time, whatever default the function has set.
        self.socket.settimeout(None)
        self.socket.connect((host, int(port)))
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)

    def send_head(self, method, path, headers):
        lines = ["%s %s%s HTTP/1.1" % (method, base, path), "Host: " + api]
        lines += ["%s: %s" % pair for pair in headers.items()]
        return "\r\n".join(lines + ["", ""]).encode("latin-1", "replace")

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the Runtime API closed the connection")
        return data

    def response(self):
        data = self.receive()
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        parts, missing = [body], int(headers.get("content-length", 0)) - len(body)
        while missing > 0:
            parts.append(self.receive())
            missing -= len(parts[-1])
        return int(first.split(" ")[1]), headers, b"".join(parts)

    def request(self, method, path, body=b"", headers={}):
        length = {} if method == "GET" else {"Content-Length": len(body)}
        self.socket.sendall(self.send_head(method, path, {**headers, **length}) + body)
        return self.response()

    def next(self):
        status, headers, data = self.request("GET", "invocation/next")
        if status != 200:
            sys.exit("the Runtime API responded %d" % status)
        return headers, data

    def stream(self, path, headers, generator, request_id):
        streaming = {
            "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        }
        send = self.socket.sendall

        def head(content_type):
            own = {"Content-Type": content_type}
            return self.send_head("POST", path, {**headers, **streaming, **own})

        started = False

        def write(chunk):
            nonlocal started
            before = b""
            if not started:
                # The head of an HTTP response, as awslambda.HttpResponseStream writes it.
                if isinstance(chunk, dict) and "statusCode" in chunk:
                    before = head("application/vnd.awslambda.http-integration-response")
                    chunk = to_json(chunk) + bytes(8)
                else:
                    before = head("application/octet-stream")
            data = chunk if isinstance(chunk, (bytes, bytearray)) else None
            if data is None:
                data = chunk.encode("utf-8") if isinstance(chunk, str) else to_json(chunk)
            if data:
                before += b"%x\r\n%b\r\n" % (len(data), data)
            if before:
                started = True
                send(before)

        trailers = b""
        try:
            if isinstance(generator, AsyncGeneratorType):
                wait_for(drain(generator, write))
            else:
                try:
                    for chunk in generator:
                        write(chunk)
                finally:
                    generator.close()
        except Exception as error:
            import base64

            name, body = describe(error, request_id)
            if len(body) > 8192:
                body = shorten(body)
            trailers = (
                b"Lambda-Runtime-Function-Error-Type: %b\r\nLambda-Runtime-Function-Error-Body: %b\r\n"
                % (header(name).encode("ascii"), base64.b64encode(body.encode("utf-8")))
            )
        # In one piece: the host sees immediately that the function failed before it responded.
        before = b"" if started else head("application/octet-stream")
        flush()
        send(before + b"0\r\n" + trailers + b"\r\n")
        self.response()


def invoke(client, handler):
    headers, payload = client.next()
    request_id = headers["lambda-runtime-aws-request-id"]
    request_ids[_thread.get_ident()] = request_id
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    own = {"Content-Type": "application/json"}
    if "lambda-runtime-invocation-id" in headers:
        own["Lambda-Runtime-Invocation-Id"] = headers["lambda-runtime-invocation-id"]
    path = "invocation/%s/" % request_id
    try:
        try:
            event = json.loads(payload) if payload else None
        except ValueError as error:
            raise InitError("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
        result = handler(event, Context(headers))
        if hasattr(result, "__await__"):
            result = wait_for(result)
        if isinstance(result, (GeneratorType, AsyncGeneratorType)):
            return client.stream(path + "response", own, result, request_id)
        body = to_json(result)
    except Exception as error:
        name, body = describe(error, request_id)
        own["Lambda-Runtime-Function-Error-Type"] = header(name)
        flush()
        client.request("POST", path + "error", body.encode("utf-8"), own)
        return
    flush()
    client.request("POST", path + "response", body, own)


def serve(handler):
    client = Client()
    while True:
        try:
            invoke(client, handler)
        except OSError:
            # The host is gone, or has ended this instance.
            os._exit(0)


def serve_in_thread(handler):
    try:
        serve(handler)
    except SystemExit as error:
        # Ends the process, as `SystemExit` does in the main thread.
        sys.stdout.flush()
        os._exit(error.code if isinstance(error.code, int) else int(error.code is not None))
    except BaseException:
        # Ends the process, as in the main thread.
        sys.excepthook(*sys.exc_info())
        flush()
        os._exit(1)


def main():
    try:
        handler = load()
    except Exception as error:
        name, body = describe(error)
        Client().request("POST", "init/error", body.encode("utf-8"), {"Lambda-Runtime-Function-Error-Type": header(name)})
        sys.exit(1)
    count = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
    for _ in range(count - 1):
        import threading

        threading.Thread(target=serve_in_thread, args=(handler,), daemon=True).start()
    serve(handler)


sys.argv = [handler_name]
main()
