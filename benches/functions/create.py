"""Creates a function from one file, with the operation CreateFunction.

    create.py URL NAME FILE HANDLER
"""

import base64
import io
import json
import sys
import urllib.request
import zipfile

url, name, path, handler = sys.argv[1:]
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as files:
    files.write(path, path.rpartition("/")[2])
function = {
    "FunctionName": name,
    "Runtime": "python3.12",
    "Role": "arn:aws:iam::000000000000:role/lambda",
    "Handler": handler,
    "Code": {"ZipFile": base64.b64encode(code.getvalue()).decode()},
}
# The region and the account that the calls use.
scope = "Credential=local/20260101/us-east-1/lambda/aws4_request"
request = urllib.request.Request(
    url + "/2015-03-31/functions",
    data=json.dumps(function).encode(),
    headers={
        "Content-Type": "application/json",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature={'0' * 64}",
    },
)
with urllib.request.urlopen(request) as response:
    assert response.status == 201, response.status
