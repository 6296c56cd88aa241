"""boto3 against functions on several runtimes: a buffered and a streaming call of each, with the times
of the chunks; and the logs of the official clients.

    boto3_client.py ENDPOINT_URL NAME[:buffered]...
"""

import base64
import json
import sys
import time

import boto3
from botocore.config import Config

url, *names = sys.argv[1:]
client = boto3.client(
    "lambda",
    endpoint_url=url,
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(retries={"max_attempts": 0}),
)


def invoke(name, payload):
    response = client.invoke(
        FunctionName=name, Payload=json.dumps(payload, ensure_ascii=False).encode(), LogType="Tail"
    )
    log = base64.b64decode(response["LogResult"]).decode()
    return response.get("FunctionError"), json.loads(response["Payload"].read()), log


def chunk_times(name):
    """The times of the chunks at the client, which the function writes 0.2 s apart."""
    response = client.invoke_with_response_stream(
        FunctionName=name, Payload=b'{"chunks": 5, "seconds": 0.2}'
    )
    begin, times, text, complete = time.monotonic(), [], b"", None
    for part in response["EventStream"]:
        if "InvokeComplete" in part:
            complete = part["InvokeComplete"]
        # The Rust runtime sends the head of an HTTP response first.
        elif part["PayloadChunk"]["Payload"].startswith(b"chunk "):
            times.append(time.monotonic() - begin)
            text += part["PayloadChunk"]["Payload"]
    assert text == b"".join(b"chunk %d\n" % n for n in range(5)), (name, text)
    assert complete is not None and "ErrorCode" not in complete, (name, complete)
    return times


for name in names:
    name, _, buffered = name.partition(":")
    event = {"kind": "echo", "x": "ä"}
    error, result, _ = invoke(name, event)
    assert error is None and event in (result, result.get("event")), (name, result)
    if buffered:
        continue
    # If a chunk had been held back, two would arrive together. That also happens on a busy machine, but
    # not three times in a row.
    for _ in range(3):
        times = chunk_times(name)
        if all(after - before > 0.1 for before, after in zip(times, times[1:])):
            break
    else:
        raise AssertionError((name, times))
    print(f"  boto3, {name}: chunks at the client, in ms:", *(round(when * 1000) for when in times))

# The records of the official clients stay whole, and keep their place among the lines.
for name, kind, failure in (
    ("python", "ValueError", "[ERROR] ValueError: on purpose\nTraceback (most recent call last):\n"),
    ("node", "RangeError", "\tERROR\tInvoke Error \t"),
):
    error, result, log = invoke(name, {"kind": "echo"})
    assert error is None and result["official"], (name, result)
    error, result, log = invoke(name, {"kind": "fail"})
    assert error == "Unhandled" and result["errorType"] == kind, (name, result)
    lines = ("first\n", "second,\nof two lines", "third\n", failure)
    places = [log.find(line) for line in lines]
    assert min(places) >= 0 and places == sorted(places) and "\r" not in log, (name, log)
print(f"boto3 {boto3.__version__}, every runtime: ok")
