"""boto3 against a user's own function in `lambda-invoke serve`.

    boto3_client.py ENDPOINT_URL
"""

import base64
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.exceptions
from botocore.config import Config


def client(secret="local", token=None, connections=10, key="local"):
    config = Config(retries={"max_attempts": 1}, max_pool_connections=connections)
    return boto3.client(
        "lambda",
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )


def code_of(call):
    try:
        call()
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError("accepted")


def stream(lambda_client, payload):
    """Returns the chunks with their times, and the end of the stream."""
    response = lambda_client.invoke_with_response_stream(
        FunctionName="app", Payload=json.dumps(payload), LogType="Tail"
    )
    begin, chunks, complete = time.monotonic(), [], None
    for event in response["EventStream"]:
        if "PayloadChunk" in event:
            chunks.append((time.monotonic() - begin, event["PayloadChunk"]["Payload"]))
        else:
            complete = event["InvokeComplete"]
    return chunks, complete


ours = client()
arn = "arn:aws:lambda:us-east-1:123456789012:function:app"
context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
for name in ("app", "function:app", "123456789012:function:app", arn, arn + ":$LATEST"):
    response = ours.invoke(
        FunctionName=name, Payload=b'{"kind": "echo"}', ClientContext=context, LogType="Tail"
    )
    result = json.loads(response["Payload"].read())
    assert result["custom"] == {"a": "b"} and result["function"] == "app", result
    assert result["arn"].startswith(arn), result
    tail = base64.b64decode(response["LogResult"]).decode()
    assert "REPORT RequestId" in tail and "Max Memory Used" in tail, tail
live = ours.invoke(FunctionName="app", Qualifier="live", Payload=b'{"kind": "echo"}')
assert live["ExecutedVersion"] == "3", live
assert json.loads(live["Payload"].read())["arn"] == arn + ":live"
assert ours.invoke(FunctionName="app", InvocationType="Event", Payload="{}")["StatusCode"] == 202
assert ours.invoke(FunctionName="app", InvocationType="DryRun")["StatusCode"] == 204

failed = ours.invoke(FunctionName="app", Payload='{"kind": "fail"}')
error = json.loads(failed["Payload"].read())
assert failed["FunctionError"] == "Unhandled" and error["errorType"] == "ValueError", error
large = ours.invoke(FunctionName="app", Payload=json.dumps({"kind": "echo", "x": "x" * 5_000_000}))
assert len(json.loads(large["Payload"].read())["event"]["x"]) == 5_000_000
assert code_of(lambda: ours.invoke(FunctionName="nobody")) == "ResourceNotFoundException"
assert code_of(lambda: client("wrong").invoke(FunctionName="app")) == "InvalidSignatureException"
token = "a/session=token"
tokened = client(key="AKIDTOKEN", secret="secret", token=token)
assert tokened.invoke(FunctionName="app", Payload="{}")["StatusCode"] == 200
chunks, _ = stream(tokened, {"chunks": 1})
assert len(chunks) == 1, chunks
# A key with a session token must be used with it, and a key without one must be used without.
for other in (client(key="AKIDTOKEN", secret="secret"), client(token=token)):
    assert code_of(lambda: other.invoke(FunctionName="app")) == "UnrecognizedClientException"

# Each chunk is written 0.2 s after the one before; if one were held back, two would arrive together. That
# also happens on a busy machine, but not three times in a row.
for attempt in range(3):
    chunks, complete = stream(ours, {"chunks": 5, "seconds": 0.2})
    assert [chunk for _, chunk in chunks] == [b"chunk %d\n" % n for n in range(5)], chunks
    assert "LogResult" in complete and "ErrorCode" not in complete, complete
    gaps = [after[0] - before[0] for before, after in zip(chunks, chunks[1:])]
    if min(gaps) > 0.1:
        break
    assert attempt < 2, gaps
print("  chunks at the client, in ms:", *(round(when * 1000) for when, _ in chunks))
chunks, complete = stream(ours, {"kind": "fail-late", "chunks": 2})
assert len(chunks) == 2 and "in mid-stream" in str(
    [complete, base64.b64decode(complete["LogResult"])]
), complete

many = client(connections=100)
with ThreadPoolExecutor(100) as pool:
    streams = pool.map(lambda _: stream(many, {"chunks": 3, "seconds": 0.3}), range(100))
    for chunks, complete in streams:
        assert complete and "ErrorCode" not in complete, complete
        assert [chunk for _, chunk in chunks] == [b"chunk %d\n" % n for n in range(3)], (chunks, complete)
print(f"boto3 {boto3.__version__}, own function: ok")
