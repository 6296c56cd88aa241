"""Calls a function for each line of a file, with boto3 in a pool of threads, and writes a line for each.

    threads.py URL FUNCTION THREADS PAYLOADS
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

url, function, threads, path = sys.argv[1:]
client = boto3.client(
    "lambda",
    endpoint_url=url,
    region_name="us-east-1",
    aws_access_key_id="local",
    aws_secret_access_key="local",
    config=Config(max_pool_connections=int(threads)),
)


def call(payload):
    response = client.invoke(FunctionName=function, Payload=payload)
    assert "FunctionError" not in response
    return json.loads(response["Payload"].read())


with open(path) as lines, ThreadPoolExecutor(int(threads)) as pool:
    payloads = [line.rstrip("\n") for line in lines]
    for index, result in enumerate(pool.map(call, payloads)):
        print(json.dumps({"index": index, "payload": result}))
