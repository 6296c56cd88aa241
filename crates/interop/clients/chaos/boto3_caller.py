"""Makes the calls that it reads from standard input with boto3, and prints their outcomes.

Retries and everything else except the timeouts are boto3's defaults.
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import boto3
from botocore.config import Config

SESSION = boto3.Session(
    aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
)
CREATING = Lock()
PRINTING = Lock()
AUTHORITY = tempfile.NamedTemporaryFile("w", suffix=".pem")


def trusted(pem):
    """Returns the path of a file with the certificates to trust, since boto3 takes a path.

    All calls trust the same certificates.
    """
    if pem is not None and AUTHORITY.tell() == 0:
        AUTHORITY.write(pem)
        AUTHORITY.flush()
    return None if pem is None else AUTHORITY.name


def call(asked):
    with CREATING:
        client = SESSION.client(
            "lambda",
            endpoint_url=asked["url"],
            verify=trusted(asked["ca"]),
            config=Config(connect_timeout=1, read_timeout=1),
        )
    arguments = {"FunctionName": asked["function"], "Payload": asked["payload"].encode()}
    arguments["LogType"] = "Tail"
    if not asked["stream"]:
        response = client.invoke(**arguments)
        payload = response["Payload"].read()
        failed = response.get("FunctionError")
        return {"payload": payload.decode("latin-1"), "failed": failed, "complete": True}
    response = client.invoke_with_response_stream(**arguments)
    payload, failed, complete = b"", None, False
    for event in response["EventStream"]:
        if "PayloadChunk" in event:
            payload += event["PayloadChunk"]["Payload"]
            if len(payload) > 8 << 20:
                raise ValueError("larger than the caller allows")
        elif "InvokeComplete" in event:
            complete = True
            failed = event["InvokeComplete"].get("ErrorCode")
    return {"payload": payload.decode("latin-1"), "failed": failed, "complete": complete}


def respond(line):
    asked = json.loads(line)
    try:
        outcome = call(asked)
    except Exception as error:
        outcome = {"error": f"{type(error).__name__}: {error}"}
    outcome["number"] = asked["number"]
    with PRINTING:
        print(json.dumps(outcome), flush=True)


with ThreadPoolExecutor(32) as pool:
    for line in sys.stdin:
        pool.submit(respond, line)
