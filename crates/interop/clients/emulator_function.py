"""A runtime for AWS's Runtime Interface Emulator, whose function returns its event."""

import os
import urllib.request

base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urllib.request.urlopen(f"{base}/next") as event:
        payload = event.read()
        request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    request = urllib.request.Request(f"{base}/{request_id}/response", data=payload)
    urllib.request.urlopen(request).close()
