"""What boto3 makes of corrupted responses: see src/bin/corrupted.

    boto3_client.py ENDPOINT_URL STREAMS RESPONSES
"""

import sys

import boto3
import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

url, streams, responses = sys.argv[1:]
client = boto3.client(
    "lambda",
    endpoint_url=url,
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(retries={"max_attempts": 0}, read_timeout=10),
)


def stream(name):
    response = client.invoke_with_response_stream(FunctionName=name)
    return sum("PayloadChunk" in event for event in response["EventStream"])


def invoke(name):
    client.invoke(FunctionName=name)["Payload"].read()
    return 1


for names, call in ((streams, stream), (responses, invoke)):
    for name in names.split(","):
        try:
            print(f"{name}\taccepted {call(name)}")
        except (ReadTimeoutError, urllib3.exceptions.ReadTimeoutError):
            print(f"{name}\twaits")
        except Exception:
            print(f"{name}\trejected")
