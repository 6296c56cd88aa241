"""Compares the cases that the conformance suites ran with the cases in the official data.

    suites.py VECTORS REPORT

VECTORS is the folder of the data. REPORT has a line `<suite> <cases>` for each suite that ran. The
expected numbers are counted here, from the files, independently of the tests.
"""

import collections
import json
import pathlib
import sys

vectors, report = map(pathlib.Path, sys.argv[1:])


def load(path):
    return json.loads((vectors / path).read_text(encoding="utf-8"))


def cases(path):
    return len(load(path)["cases"])


def files(pattern):
    return len([path for path in vectors.glob(pattern) if path.is_file()])


def folders(pattern):
    return len([path for path in vectors.glob(pattern) if path.is_dir()])


def objects(value):
    """Yields every object in a JSON value, including the value itself."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def error_suites():
    names = "model/names/localstack-function-name-validation.json"
    snapshots = "model/invoke-responses/localstack-invoke-snapshots.json"
    operations = load("model/lambda-2015-03-31-invoke-reduced.json")["operations"].values()
    responses = load("rawstreams/stackd-lambda-native/related-buffered-invocations.json")
    retry = objects(load("retry/smithy-kotlin/standard-2026.json"))
    return {
        "error/model": len(load("model/lambda-invoke-errors.json")["errors"]),
        "error/operations": sum(len(operation["errors"]) for operation in operations),
        "error/restjson": sum("errorCode" in case for case in restjson("output")),
        "error/recorded": sum(
            isinstance(found.get("Error"), dict) and "Code" in found["Error"]
            for path in (snapshots, names)
            for found in objects(load(path))
        ),
        "error/recorded-names": sum(len(case["observed"]) for case in load(names)["cases"]),
        "error/captured": sum(
            "x-amzn-errortype" in response["headers"] for response in responses["observations"]
        ),
        "error/throttling-codes": len(
            load("retry/classification.json")["throttling_error_codes_all_three_agree"]
        ),
        "error/retry-after": sum(
            isinstance(found.get("headers"), dict) and "x-amz-retry-after" in found["headers"]
            for found in retry
        ),
    }


def input_suites():
    constraints = load("model/constraints.json")
    # Shapes of other operations.
    others = {"FunctionName", "Alias", "FunctionArn", "NameSpacedFunctionArn"}
    recorded = constraints["service_side_regex_recorded_2025-11-25"]
    names = load("model/names/localstack-function-name-validation.json")
    delta = load("model/names/pattern-delta.json")
    return {
        "input/constraints": len(set(constraints["current"]) - others)
        + len(constraints["older_published"])
        + sum(key != "source" for key in recorded),
        "input/recorded-names": len(names["cases"]) + len(names["related"]),
        "input/pattern-delta": sum(len(v) for v in delta.values() if isinstance(v, list)),
        "input/client-context": sum(
            bool(line.rstrip("\r")) and not line.startswith("#") for line in naughty_strings()
        ),
    }


def event_stream_suites():
    folder = "eventstream/"
    restjson1 = load(folder + "smithy-restjson1/event-stream-tests.json")
    signing = [json.loads(p.read_text()) for p in (vectors / folder / "signing").glob("*.json")]
    transcribe = (vectors / "rawstreams/smithy-rs-transcribe").glob("*.json")
    return {
        "event-stream/smithy-go": files(folder + "smithy-go/testdata/encoded/*/*"),
        "event-stream/smithy-rs": cases(folder + "smithy-rs/expected.json"),
        "event-stream/botocore": cases(folder + "botocore/cases.json"),
        "event-stream/aws-c-event-stream": cases(folder + "aws-c-event-stream/cases.json"),
        "event-stream/aws-sdk-php": cases(folder + "aws-sdk-php/cases.json"),
        "event-stream/smithy-swift": cases(folder + "smithy-swift/cases.json"),
        "event-stream/smithy-typescript": cases(
            folder + "smithy-typescript/split-message-cases.json"
        ),
        "event-stream/smithy-typescript-headers": cases(
            folder + "smithy-typescript/header-cases.json"
        ),
        "event-stream/smithy-kotlin-headers": cases(folder + "smithy-kotlin/header-cases.json"),
        "event-stream/smithy-restjson1": sum(
            len(case.get("events", []))
            for operation in restjson1["operations"]
            for case in operation["cases"]
        ),
        "event-stream/signing": sum(
            len(file.get("events", [])) + ("signing_time" in file) + ("envelope" in file)
            for file in signing
        ),
        "event-stream/rawstreams": files("rawstreams/kong-lambda/*.bin")
        + files("rawstreams/stackd-lambda-native/*.bin"),
        # Each recorded exchange has two streams: the request and the response.
        "event-stream/rawstreams-transcribe": 2
        * sum(isinstance(json.loads(path.read_text()), list) for path in transcribe),
    }


def restjson(which):
    return [case for suite in load(f"model/restjson/{which}.json") for case in suite["cases"]]


def naughty_strings():
    # Only LF ends a line here, since the strings contain other line ends.
    data = (vectors / "model/client-context/blns.txt").read_bytes().decode("utf-8")
    return data.split("\n")


def protocol_suites():
    retry = load("retry/smithy-kotlin/standard-2026.json")
    groups = ("single_invocation", "multi_invocation", "long_polling", "multi_threaded")
    responses = load("rawstreams/stackd-lambda-native/related-buffered-invocations.json")
    return {
        "protocol/restjson-input": len(restjson("input")),
        "protocol/restjson-output": sum("errorCode" not in case for case in restjson("output")),
        "protocol/naughty-strings": len(naughty_strings()),
        "protocol/rawstreams": files("rawstreams/kong-lambda/*.bin")
        + files("rawstreams/stackd-lambda-native/*.bin"),
        "protocol/buffered": len(responses["observations"]),
        "protocol/retry-2026": sum(len(retry[group]) for group in groups),
    }


def sigv4_suites():
    unit = load("sigv4/extracted/smithy-rs-unit.json")
    rules = load("sigv4/extracted/aws-c-auth-header-rules.json")
    chunked = load("sigv4/extracted/aws-c-auth-chunked.json")
    folder = vectors / "eventstream/signing"
    signing = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    # Each folder of a suite has a variant with headers and one with a query.
    official = files("sigv4/aws-c-auth/aws-signing-test-suite/v4/*/*-canonical-request.txt")
    kotlin = files("sigv4/smithy-kotlin-extra/v4/*/*-canonical-request.txt")
    return {
        "sigv4/aws-c-auth": official,
        "sigv4/smithy-kotlin": kotlin,
        "sigv4/aws-sdk-ruby": files("sigv4/aws-sdk-ruby-extra/**/*.req"),
        "sigv4/smithy-rs-signatures": len(unit["signatures"]),
        "sigv4/smithy-rs-rules": len(unit["rules"]),
        "sigv4/aws-c-auth-chunked": len(chunked["chunks"])
        + ("seed_request" in chunked)
        + ("trailer" in chunked),
        "sigv4/event-stream-signing": sum(
            len(file.get("events", [])) + ("string_to_sign" in file) + ("seed_request" in file)
            for file in signing
        ),
        "sigv4/never-signed": len(rules["never_signed"]),
        "sigv4/rejected-input": len(rules["rejected_input"]),
    }


def endpoint_suites():
    names = load("model/names/localstack-function-name-validation.json")
    snapshots = load("model/invoke-responses/localstack-invoke-snapshots.json")["snapshots"]
    # Responses of other operations.
    others = ("[delete_function]", "[get_function]", "[get_function_configuration]")
    related = [
        len(response["recorded-content"])
        for test, response in names["related"].items()
        if not test.endswith(others)
    ]
    responses = sum(
        "Error" in member or ("StatusCode" in member and "Payload" in member)
        for snapshot in snapshots.values()
        for member in snapshot["recorded-content"].values()
        if isinstance(member, dict)
    )
    return {
        "endpoint/names": sum("invoke" in case["observed"] for case in names["cases"])
        + sum(related),
        # Two recordings are superseded by newer ones of the same test; the suite lists them.
        "endpoint/invoke-responses": responses - 2,
    }


def client_suites():
    tests = load("endpoints/lambda/endpoint-tests-1.json")["testCases"]
    partitions = load("endpoints/partitions.json")["partitions"]
    regions = sum(len(partition["regions"]) for partition in partitions)
    return {"lambda-invoke/endpoints": len(tests) + regions}


def credentials_suites():
    runtime = "profile/smithy-rs/aws-runtime/test-data/"
    config = "profile/smithy-rs/aws-config/test-data/"
    urls = load("profile/botocore/configured-endpoint-urls-profile-tests.json")["testSuites"]
    imds = load(config + "imds-config/imds-endpoint-tests.json")
    return {
        "credentials/profile-parser": len(load(runtime + "profile-parser-tests.json")["tests"]),
        "credentials/profile-files": files("profile/aws-c-auth-fuzz-corpus/**/*")
        + files("profile/aws-sdk-go-v1/ini/**/*")
        + files("profile/botocore/cfg/**/*"),
        "credentials/file-locations": len(load(runtime + "file-location-tests.json")["tests"]),
        "credentials/configured-endpoint-urls": sum(
            len(suite["endpointUrlTests"]) for suite in urls
        ),
        "credentials/recursion-detection": len(load(runtime + "recursion-detection.json")),
        "credentials/assume-role": len(load(config + "assume-role-tests.json")),
        "credentials/ecs": len(load(config + "ecs-tests.json")["tests"]),
        "credentials/login": len(load(config + "login-provider-test-cases.json")),
        "credentials/default-chain": folders(config + "default-credential-provider-chain/*"),
        "credentials/profile-provider": folders(config + "profile-provider/*"),
        "credentials/default-token-chain": folders(config + "default-token-provider-chain/*"),
        "credentials/imds-endpoints": len(imds if isinstance(imds, list) else imds["tests"]),
    }


def expected():
    """Returns the number of cases in the data by the name of the suite."""
    parts = (
        error_suites,
        input_suites,
        event_stream_suites,
        protocol_suites,
        sigv4_suites,
        endpoint_suites,
        client_suites,
        credentials_suites,
    )
    return {suite: count for part in parts for suite, count in part().items()}


ran = collections.Counter()
for line in report.read_text(encoding="utf-8").splitlines():
    suite, count = line.split()
    ran[suite] += int(count)

wrong = []
in_data = expected()
for suite, count in sorted(in_data.items()):
    print(f"{suite}: {ran[suite]} ran, {count} in the data")
    if count == 0 or ran[suite] < count:
        wrong.append(f"{suite}: {ran[suite]} of {count} cases ran")
for suite in sorted(ran.keys() - in_data.keys()):
    wrong.append(f"{suite}: ran, and nothing here counts its cases")
if wrong:
    sys.exit("\n".join(wrong))
