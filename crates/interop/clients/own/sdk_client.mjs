// The AWS SDK for JavaScript 3 against a user's own function in `lambda-invoke serve`.
//
//     sdk_client.mjs ENDPOINT_URL
//
// Must be in a folder where `@aws-sdk/client-lambda` resolves.

import assert from "node:assert/strict";
import {
    InvokeCommand,
    InvokeWithResponseStreamCommand,
    LambdaClient,
} from "@aws-sdk/client-lambda";

const client = (secretAccessKey = "local", sessionToken = undefined, accessKeyId = "local") =>
    new LambdaClient({
        endpoint: process.argv[2],
        region: "us-east-1",
        credentials: { accessKeyId, secretAccessKey, sessionToken },
        maxAttempts: 1,
        requestHandler: { httpAgent: { maxSockets: 100 } },
    });
const ours = client();
const FunctionName = "app";
const text = (bytes) => Buffer.from(bytes).toString("utf8");
const stream = async (payload) => {
    const Payload = JSON.stringify(payload);
    const command = new InvokeWithResponseStreamCommand({ FunctionName, Payload, LogType: "Tail" });
    const response = await ours.send(command);
    const begin = performance.now();
    const chunks = [];
    let complete;
    for await (const event of response.EventStream) {
        if (event.PayloadChunk) {
            chunks.push([performance.now() - begin, text(event.PayloadChunk.Payload)]);
        } else {
            complete = event.InvokeComplete;
        }
    }
    return { chunks, complete };
};
const invoke = async (payload, more = {}, from = ours) =>
    from.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), ...more }));

const ClientContext = Buffer.from('{"custom":{"a":"b"}}').toString("base64");
const echoed = await invoke({ kind: "echo" }, { ClientContext, LogType: "Tail" });
assert.deepEqual(JSON.parse(text(echoed.Payload)).custom, { a: "b" });
assert.match(text(Buffer.from(echoed.LogResult, "base64")), /REPORT RequestId/);
const live = await invoke({ kind: "echo" }, { Qualifier: "live" });
assert.equal(live.ExecutedVersion, "3");
assert.match(JSON.parse(text(live.Payload)).arn, /:app:live$/);
assert.equal((await invoke({}, { InvocationType: "Event" })).StatusCode, 202);
assert.equal((await invoke({}, { InvocationType: "DryRun" })).StatusCode, 204);
assert.equal((await invoke({ kind: "fail" })).FunctionError, "Unhandled");
const large = await invoke({ kind: "echo", x: "x".repeat(5_000_000) });
assert.equal(JSON.parse(text(large.Payload)).event.x.length, 5_000_000);
const rejected = (call, name) => assert.rejects(call, (error) => error.name === name);
await rejected(invoke({}, { FunctionName: "nobody" }), "ResourceNotFoundException");
await rejected(invoke({}, {}, client("wrong")), "InvalidSignatureException");
const token = "a/session=token";
assert.equal((await invoke({}, {}, client("secret", token, "AKIDTOKEN"))).StatusCode, 200);
// A key with a session token must be used with it, and a key without one must be used without.
for (const from of [client("secret", undefined, "AKIDTOKEN"), client("local", token)]) {
    await rejected(invoke({}, {}, from), "UnrecognizedClientException");
}

// Each chunk is written 200 ms after the one before. On a busy machine two may arrive together, but not three
// times in a row.
for (let attempt = 0; ; attempt++) {
    const { chunks, complete } = await stream({ chunks: 5, seconds: 0.2 });
    assert.deepEqual(chunks.map(([, chunk]) => chunk), [0, 1, 2, 3, 4].map((n) => `chunk ${n}\n`));
    assert.ok(complete && complete.ErrorCode === undefined, JSON.stringify(complete));
    const gaps = chunks.slice(1).map(([when], index) => when - chunks[index][0]);
    if (Math.min(...gaps) > 100) {
        console.log("  chunks at the client, in ms:", ...chunks.map(([when]) => Math.round(when)));
        break;
    }
    assert.ok(attempt < 2, `${gaps}`);
}
const failed = await stream({ kind: "fail-late", chunks: 2 });
assert.equal(failed.chunks.length, 2);
assert.match(text(Buffer.from(failed.complete.LogResult, "base64")), /in mid-stream/);

const all = await Promise.all(Array.from({ length: 100 }, () => stream({ chunks: 3, seconds: 0.3 })));
for (const { chunks, complete } of all) {
    assert.ok(complete && complete.ErrorCode === undefined, JSON.stringify(complete));
    assert.equal(chunks.map(([, chunk]) => chunk).join(""), "chunk 0\nchunk 1\nchunk 2\n");
}
console.log("@aws-sdk/client-lambda, own function: ok");
