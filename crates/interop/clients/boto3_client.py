"""boto3 against `lambda-invoke serve`: both operations, the errors and the streams it can tell of.

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


def refused(call, status, code, words=""):
    """The call fails with this status, code and text."""
    try:
        call()
    except botocore.exceptions.ClientError as error:
        answer = error.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
        assert answer["Error"]["Code"] == code, answer
        assert words in answer["Error"]["Message"], answer
        assert answer["ResponseMetadata"]["RequestId"], answer
        return answer
    raise AssertionError(f"not refused: {code}")


ours = client()
arn = "arn:aws:lambda:us-east-1:123456789012:function:echo"
payload = b'{"a": [1, "\xc3\xa4"]}'

# Invoke, by every form of name.
for name in ("echo", "function:echo", "123456789012:function:echo", arn, arn + ":$LATEST"):
    answer = ours.invoke(FunctionName=name, Payload=payload, LogType="Tail")
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", answer
    assert answer["Payload"].read() == payload
    assert answer["LogResult"], answer
assert ours.invoke(FunctionName="echo", Qualifier="live")["ExecutedVersion"] == "3"
assert ours.invoke(FunctionName="echo", InvocationType="Event")["StatusCode"] == 202
assert ours.invoke(FunctionName="echo", InvocationType="DryRun")["StatusCode"] == 204

failed = ours.invoke(FunctionName="fail", Payload=b'{"type": "Broken", "message": "on purpose"}')
assert failed["FunctionError"] == "Unhandled", failed
told = json.loads(failed["Payload"].read())
assert (told["errorType"], told["errorMessage"]) == ("Broken", "on purpose"), told

# botocore signs any blank space in a header as one space, and sends it as it is.
blank = client()
blank.meta.events.register(
    "before-sign.lambda.Invoke",
    lambda request, **_: request.headers.add_header("X-Note", "a\tb \t c\u00a0d"),
)
assert blank.invoke(FunctionName="echo", Payload=payload)["StatusCode"] == 200

# A stream: each word is its own event, and comes when it is written.
answer = ours.invoke_with_response_stream(
    FunctionName="hello", Payload=b'{"name": "Ada"}', LogType="Tail"
)
assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream", answer
chunks, times, complete = [], [], None
for event in answer["EventStream"]:
    if "PayloadChunk" in event:
        chunks.append(event["PayloadChunk"]["Payload"])
        times.append(time.monotonic())
    else:
        complete = event["InvokeComplete"]
assert b"".join(chunks).startswith(b"Hello, Ada!"), chunks
assert len(chunks) > 3 and times[-1] - times[0] > 0.1, times
assert "LogResult" in complete and "ErrorCode" not in complete, complete

# What the service refuses.
refused(lambda: ours.invoke(FunctionName="nobody"), 404, "ResourceNotFoundException", "nobody")
refused(lambda: ours.invoke(FunctionName="echo!"), 400, "ValidationException", "functionName")
refused(
    lambda: ours.invoke(FunctionName="echo", Payload=b"{"), 400, "InvalidRequestContentException"
)
refused(
    lambda: ours.invoke(FunctionName=arn + ":1", Qualifier="2"),
    400,
    "InvalidParameterValueException",
    "derived qualifier",
)
refused(
    lambda: ours.invoke(FunctionName="echo", Payload=b" " * 6_291_457),
    413,
    "RequestEntityTooLargeException",
)
refused(lambda: client("wrong").invoke(FunctionName="echo"), 403, "InvalidSignatureException")
refused(lambda: client(key="who").invoke(FunctionName="echo"), 403, "UnrecognizedClientException")
throttled = refused(lambda: ours.invoke(FunctionName="count"), 429, "TooManyRequestsException")
assert throttled["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", throttled

print(f"boto3 {boto3.__version__}: ok")
