"""boto3 against `lambda-invoke serve`: both operations, errors and streams.

    boto3_client.py ENDPOINT_URL
"""

import json
import sys
import time

import boto3
import botocore.exceptions
from botocore.config import Config

url = sys.argv[1]


def client(secret="local", key="local"):
    return boto3.client(
        "lambda",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1}),
    )


def rejected(call, status, code, words=""):
    """Checks that the call fails with this status, code and text."""
    try:
        call()
    except botocore.exceptions.ClientError as error:
        response = error.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status, response
        assert response["Error"]["Code"] == code, response
        assert words in response["Error"]["Message"], response
        assert response["ResponseMetadata"]["RequestId"], response
        return response
    raise AssertionError(f"accepted, not {code}")


ours = client()
arn = "arn:aws:lambda:us-east-1:123456789012:function:echo"
payload = b'{"a": [1, "\xc3\xa4"]}'

# Invoke, with every form of name.
for name in ("echo", "function:echo", "123456789012:function:echo", arn, arn + ":$LATEST"):
    response = ours.invoke(FunctionName=name, Payload=payload, LogType="Tail")
    assert response["StatusCode"] == 200 and response["ExecutedVersion"] == "$LATEST", response
    assert response["Payload"].read() == payload
    assert response["LogResult"], response
assert ours.invoke(FunctionName="echo", Qualifier="live")["ExecutedVersion"] == "3"
assert ours.invoke(FunctionName="echo", InvocationType="Event")["StatusCode"] == 202
assert ours.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204

failed = ours.invoke(FunctionName="fail", Payload=b'{"type": "Broken", "message": "on purpose"}')
assert failed["FunctionError"] == "Unhandled", failed
error = json.loads(failed["Payload"].read())
assert (error["errorType"], error["errorMessage"]) == ("Broken", "on purpose"), error

# botocore signs each run of white space in a header as one space, and sends it unchanged.
blank = client()
blank.meta.events.register(
    "before-sign.lambda.Invoke",
    lambda request, **_: request.headers.add_header("X-Note", "a\tb \t c\u00a0d"),
)
assert blank.invoke(FunctionName="echo", Payload=payload)["StatusCode"] == 200

# A stream: each word is an event, and arrives when it is written.
response = ours.invoke_with_response_stream(
    FunctionName="hello", Payload=b'{"name": "Ada"}', LogType="Tail"
)
assert response["ResponseStreamContentType"] == "application/vnd.amazon.eventstream", response
chunks, times, complete = [], [], None
for event in response["EventStream"]:
    if "PayloadChunk" in event:
        chunks.append(event["PayloadChunk"]["Payload"])
        times.append(time.monotonic())
    else:
        complete = event["InvokeComplete"]
assert b"".join(chunks).startswith(b"Hello, Ada!"), chunks
assert len(chunks) > 3 and times[-1] - times[0] > 0.1, times
assert "LogResult" in complete and "ErrorCode" not in complete, complete

# Requests that the service rejects.
rejected(lambda: ours.invoke(FunctionName="nobody"), 404, "ResourceNotFoundException", "nobody")
rejected(lambda: ours.invoke(FunctionName="echo!"), 400, "ValidationException", "functionName")
rejected(
    lambda: ours.invoke(FunctionName="echo", Payload=b"{"), 400, "InvalidRequestContentException"
)
rejected(
    lambda: ours.invoke(FunctionName=arn + ":1", Qualifier="2"),
    400,
    "InvalidParameterValueException",
    "derived qualifier",
)
rejected(
    lambda: ours.invoke(FunctionName="echo", Payload=b" " * 6_291_457),
    413,
    "RequestEntityTooLargeException",
)
rejected(lambda: client("wrong").invoke(FunctionName="echo"), 403, "InvalidSignatureException")
rejected(lambda: client(key="who").invoke(FunctionName="echo"), 403, "UnrecognizedClientException")
throttled = rejected(lambda: ours.invoke(FunctionName="count"), 429, "TooManyRequestsException")
assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", throttled

print(f"boto3 {boto3.__version__}: ok")
