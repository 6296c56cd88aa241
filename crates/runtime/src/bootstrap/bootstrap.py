# The Python runtime client of lambda-invoke-runtime. The official client is used instead if the
# function's environment has it.
import os
import sys

root = os.environ["LAMBDA_TASK_ROOT"]
sys.path[0] = root
os.environ["AWS_EXECUTION_ENV"] = "AWS_Lambda_python%d.%d" % sys.version_info[:2]
handler_name = os.environ["_HANDLER"]

try:
    import importlib.util

    official = importlib.util.find_spec("awslambdaric") is not None
except Exception:
    official = False
if official:
    from awslambdaric.__main__ import main

    main(["awslambdaric", handler_name])
    sys.exit(0)

import base64
import http.client
import importlib
import inspect
import json
import threading
import time
import traceback
from types import SimpleNamespace

api = os.environ["AWS_LAMBDA_RUNTIME_API"]
base = "/2018-06-01/runtime/"
for out in (sys.stdout, sys.stderr):
    out.reconfigure(line_buffering=True, errors="backslashreplace")


def stack_of(error):
    frames = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in frames if frame.filename != "<string>"]
    return traceback.format_list(frames)


def describe(error, request_id=""):
    stack = stack_of(error)
    name = getattr(error, "error_type", None) or type(error).__name__
    print("[ERROR] %s: %s" % (name, error), file=sys.stderr)
    if stack:
        print("Traceback (most recent call last):\n" + "".join(stack), end="", file=sys.stderr)
    return name, json.dumps(
        {"errorMessage": str(error), "errorType": name, "requestId": request_id, "stackTrace": stack}
    )


class InitError(Exception):
    def __init__(self, error_type, message):
        super().__init__(message)
        self.error_type = error_type


def load():
    module, _, function = handler_name.rpartition(".")
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        text = "Unable to import module '%s': %s" % (module, error)
        raise InitError("Runtime.ImportModuleError", text).with_traceback(error.__traceback__) from None
    except SyntaxError as error:
        name = os.path.relpath(error.filename, root) if error.filename else module
        text = "Syntax error in module '%s': %s" % (module, error)
        problem = InitError("Runtime.UserCodeSyntaxError", text)
        print("  File \"%s\" Line %s\n    %s" % (name, error.lineno, (error.text or "").strip()), file=sys.stderr)
        raise problem from None
    found = getattr(loaded, function, None)
    if found is None:
        text = "Handler '%s' missing on module '%s'" % (function, module)
        raise InitError("Runtime.HandlerNotFound", text)
    return found


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        text = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = None
        if text:
            data = json.loads(text)
            client = data.get("client") or {}
            keys = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
            self.client_context = SimpleNamespace(
                custom=data.get("custom"),
                env=data.get("env"),
                client=SimpleNamespace(**{key: client.get(key) for key in keys}),
            )

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def default(value):
    import decimal

    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def to_json(result):
    if isinstance(result, bytes):
        return result
    try:
        return json.dumps(result, default=default, ensure_ascii=False).encode("utf-8")
    except Exception as error:
        text = "Unable to marshal response: %s" % error
        raise InitError("Runtime.MarshalError", text).with_traceback(error.__traceback__) from None


loops = threading.local()


def wait_for(awaitable):
    import asyncio

    if getattr(loops, "loop", None) is None:
        loops.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loops.loop)
    return loops.loop.run_until_complete(awaitable)


def chunks_of(generator):
    if inspect.isgenerator(generator):
        return generator

    def drain():
        while True:
            try:
                yield wait_for(generator.__anext__())
            except StopAsyncIteration:
                return

    return drain()


class Client:
    def __init__(self):
        host, _, port = api.rpartition(":")
        self.connection = http.client.HTTPConnection(host, int(port))

    def request(self, method, path, body=None, headers={}):
        self.connection.request(method, base + path, body, headers)
        response = self.connection.getresponse()
        data = response.read()
        return response, data

    def next(self):
        response, data = self.request("GET", "invocation/next")
        if response.status != 200:
            sys.exit("the Runtime API responded %d" % response.status)
        return response.headers, data

    def stream(self, path, headers, generator, request_id):
        connection = self.connection
        connection.putrequest("POST", base + path)
        streaming = {
            "Content-Type": "application/octet-stream",
            "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
        }
        for name, value in {**headers, **streaming}.items():
            connection.putheader(name, value)
        connection.endheaders()
        trailers = b""
        try:
            for chunk in generator:
                data = chunk if isinstance(chunk, (bytes, bytearray)) else None
                if data is None:
                    data = chunk.encode("utf-8") if isinstance(chunk, str) else to_json(chunk)
                if data:
                    connection.send(b"%x\r\n%b\r\n" % (len(data), data))
        except Exception as error:
            name, body = describe(error, request_id)
            trailers = (
                b"Lambda-Runtime-Function-Error-Type: %b\r\nLambda-Runtime-Function-Error-Body: %b\r\n"
                % (name.encode("ascii", "replace"), base64.b64encode(body.encode("utf-8")))
            )
        connection.send(b"0\r\n" + trailers + b"\r\n")
        connection.getresponse().read()


def invoke(client, handler):
    headers, payload = client.next()
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    trace = headers.get("Lambda-Runtime-Trace-Id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    own = {"Content-Type": "application/json"}
    if headers.get("Lambda-Runtime-Invocation-Id"):
        own["Lambda-Runtime-Invocation-Id"] = headers["Lambda-Runtime-Invocation-Id"]
    path = "invocation/%s/" % request_id
    try:
        try:
            event = json.loads(payload) if payload else None
        except ValueError as error:
            raise InitError("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
        result = handler(event, Context(headers))
        if inspect.isawaitable(result):
            result = wait_for(result)
        if inspect.isgenerator(result) or inspect.isasyncgen(result):
            return client.stream(path + "response", own, chunks_of(result), request_id)
        body = to_json(result)
    except Exception as error:
        name, body = describe(error, request_id)
        own["Lambda-Runtime-Function-Error-Type"] = name.encode("ascii", "replace").decode()
        client.request("POST", path + "error", body.encode("utf-8"), own)
        return
    client.request("POST", path + "response", body, own)


def serve(handler):
    client = Client()
    while True:
        try:
            invoke(client, handler)
        except (http.client.HTTPException, OSError):
            # The host is gone, or has ended this instance.
            os._exit(0)


def main():
    try:
        handler = load()
    except Exception as error:
        name, body = describe(error)
        Client().request("POST", "init/error", body.encode("utf-8"), {"Lambda-Runtime-Function-Error-Type": name})
        sys.exit(1)
    count = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
    for _ in range(count - 1):
        threading.Thread(target=serve, args=(handler,), daemon=True).start()
    serve(handler)


sys.argv = [handler_name]
main()
