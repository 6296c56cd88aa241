// The AWS SDK for JavaScript against `lambda-invoke serve`: both operations, errors and streams.
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

const endpoint = process.argv[2];
const client = (secretAccessKey = "local") =>
    new LambdaClient({
        endpoint,
        region: "us-east-1",
        credentials: { accessKeyId: "local", secretAccessKey },
        maxAttempts: 1,
    });
const ours = client();
const text = (bytes) => Buffer.from(bytes).toString("utf8");

const arn = "arn:aws:lambda:us-east-1:123456789012:function:echo";
for (const FunctionName of ["echo", "123456789012:function:echo", arn, `${arn}:$LATEST`]) {
    const Payload = '{"a":[1,"ä"]}';
    const ClientContext = Buffer.from('{"custom":{"a":"b"}}').toString("base64");
    const response = await ours.send(
        new InvokeCommand({ FunctionName, Payload, ClientContext, LogType: "Tail" }),
    );
    assert.equal(response.StatusCode, 200);
    assert.equal(text(response.Payload), Payload);
    assert.equal(response.ExecutedVersion, "$LATEST");
    assert.match(text(Buffer.from(response.LogResult, "base64")), /REPORT RequestId/);
}
const failed = await ours.send(new InvokeCommand({ FunctionName: "fail", Payload: "{}" }));
assert.equal(failed.FunctionError, "Unhandled");

// The SDK signs each run of spaces and tabs in a header as one space, and sends it unchanged.
const blank = client();
blank.middlewareStack.add(
    (next) => (args) => {
        args.request.headers["x-note"] = "a\tb \t c\u00a0d";
        return next(args);
    },
    { step: "build", name: "blankSpace" },
);
const noted = await blank.send(new InvokeCommand({ FunctionName: "echo", Payload: "{}" }));
assert.equal(noted.StatusCode, 200);

const stream = await ours.send(
    new InvokeWithResponseStreamCommand({ FunctionName: "hello", Payload: '{"name":"Ada"}' }),
);
let words = "";
let chunks = 0;
let complete = 0;
for await (const event of stream.EventStream) {
    if (event.PayloadChunk) {
        words += text(event.PayloadChunk.Payload);
        chunks += 1;
    } else if (event.InvokeComplete) {
        assert.equal(event.InvokeComplete.ErrorCode, undefined);
        complete += 1;
    }
}
assert.match(words, /^Hello, Ada!/);
assert.ok(chunks > 3, `${chunks} chunks`);
assert.equal(complete, 1);

const rejected = async (name, code, secret) => {
    await assert.rejects(
        client(secret).send(new InvokeCommand({ FunctionName: name })),
        (error) => error.name === code && Boolean(error.$metadata.requestId),
    );
};
await rejected("nobody", "ResourceNotFoundException");
await rejected("echo!", "ValidationException");
await rejected("echo", "InvalidSignatureException", "wrong");

console.log("@aws-sdk/client-lambda: ok");
