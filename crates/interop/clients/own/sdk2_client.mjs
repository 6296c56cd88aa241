// The AWS SDK for JavaScript 2 against a user's own function in `lambda-invoke serve`. This SDK does
// not stream.
//
//     sdk2_client.mjs ENDPOINT_URL
//
// Must be in a folder where `aws-sdk` resolves.

import assert from "node:assert/strict";
import AWS from "aws-sdk";

const client = (id, secret, token) =>
    new AWS.Lambda({
        endpoint: process.argv[2],
        region: "us-east-1",
        credentials: new AWS.Credentials(id, secret, token),
        maxRetries: 0,
    });
const ours = client("local", "local");
const invoke = (payload, more = {}, from = ours) =>
    from.invoke({ FunctionName: "app", Payload: JSON.stringify(payload), ...more }).promise();
const decoded = (base64) => String(Buffer.from(base64, "base64"));

const arn = "arn:aws:lambda:us-east-1:123456789012:function:app";
const ClientContext = Buffer.from('{"custom":{"a":"b"}}').toString("base64");
for (const FunctionName of ["app", "123456789012:function:app", arn, `${arn}:$LATEST`]) {
    const more = { FunctionName, ClientContext, LogType: "Tail" };
    const response = await invoke({ kind: "echo" }, more);
    assert.equal(response.StatusCode, 200);
    assert.deepEqual(JSON.parse(response.Payload).custom, { a: "b" });
    assert.match(decoded(response.LogResult), /REPORT RequestId/);
}
const live = await invoke({ kind: "echo" }, { Qualifier: "live" });
assert.equal(live.ExecutedVersion, "3");
assert.equal(JSON.parse(live.Payload).arn, `${arn}:live`);
assert.equal((await invoke({}, { InvocationType: "Event" })).StatusCode, 202);
assert.equal((await invoke({}, { InvocationType: "DryRun" })).StatusCode, 204);
assert.equal((await ours.invokeAsync({ FunctionName: "app", InvokeArgs: "{}" }).promise()).Status, 202);
const failed = await invoke({ kind: "fail" });
assert.equal(failed.FunctionError, "Unhandled");
assert.equal(JSON.parse(failed.Payload).errorType, "ValueError");
const large = await invoke({ kind: "echo", x: "x".repeat(5_000_000) });
assert.equal(JSON.parse(large.Payload).event.x.length, 5_000_000);
// A stream is collected; a failure mid-stream appears only in the log.
assert.equal(String((await invoke({ chunks: 2 })).Payload), "chunk 0\nchunk 1\n");
const late = await invoke({ kind: "fail-late", chunks: 2 }, { LogType: "Tail" });
assert.match(decoded(late.LogResult), /in mid-stream/);

const token = "a/session=token";
assert.equal((await invoke({}, {}, client("AKIDTOKEN", "secret", token))).StatusCode, 200);
const rejected = (call, code) => assert.rejects(call, (error) => error.code === code);
await rejected(invoke({}, { FunctionName: "nobody" }), "ResourceNotFoundException");
await rejected(invoke({}, {}, client("local", "wrong")), "InvalidSignatureException");
for (const from of [client("AKIDTOKEN", "secret"), client("local", "local", token)]) {
    await rejected(invoke({}, {}, from), "UnrecognizedClientException");
}
console.log(`aws-sdk ${AWS.VERSION}, own function: ok`);
