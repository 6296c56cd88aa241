// The AWS SDK for JavaScript 3 against functions on several runtimes: a buffered and a streaming call
// of each, with the times of the chunks. The SDK's version 2, in the same folder, also makes the
// buffered calls.
//
//     sdk_client.mjs ENDPOINT_URL NAME[:buffered]...
//
// Must be in a folder where `@aws-sdk/client-lambda` and `aws-sdk` resolve.

import assert from "node:assert/strict";
import {
    InvokeCommand,
    InvokeWithResponseStreamCommand,
    LambdaClient,
} from "@aws-sdk/client-lambda";
import AWS from "aws-sdk";

const [endpoint, ...names] = process.argv.slice(2);
const region = "us-east-1";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const client = new LambdaClient({ endpoint, region, credentials, maxAttempts: 1 });
const second = new AWS.Lambda({ endpoint, region, credentials, maxRetries: 0 });
const text = (bytes) => Buffer.from(bytes).toString("utf8");

// The times at which the client gets the chunks, which the function writes 200 ms apart.
const chunkTimes = async (FunctionName, Payload, expected) => {
    const command = new InvokeWithResponseStreamCommand({ FunctionName, Payload });
    const response = await client.send(command);
    const begin = performance.now();
    const chunks = [];
    let complete;
    for await (const event of response.EventStream) {
        complete ??= event.InvokeComplete;
        // The Rust runtime sends the head of an HTTP response first.
        if (event.PayloadChunk && text(event.PayloadChunk.Payload).startsWith("chunk ")) {
            chunks.push([performance.now() - begin, text(event.PayloadChunk.Payload)]);
        }
    }
    assert.deepEqual(chunks.map(([, chunk]) => chunk), expected, FunctionName);
    assert.ok(complete && complete.ErrorCode === undefined, JSON.stringify(complete));
    return chunks.map(([when]) => when);
};

for (const each of names) {
    const [FunctionName, buffered] = each.split(":");
    const echo = { FunctionName, Payload: '{"kind":"echo","x":"ä"}' };
    for (const call of [client.send(new InvokeCommand(echo)), second.invoke(echo).promise()]) {
        const response = await call;
        assert.equal(response.FunctionError, undefined, FunctionName);
        const result = JSON.parse(text(response.Payload));
        assert.equal((result.event ?? result).x, "ä", FunctionName);
    }
    if (buffered) {
        continue;
    }
    const Payload = '{"chunks":5,"seconds":0.2}';
    const expected = [0, 1, 2, 3, 4].map((number) => `chunk ${number}\n`);
    const collected = await second.invoke({ FunctionName, Payload }).promise();
    assert.ok(text(collected.Payload).endsWith(expected.join("")), text(collected.Payload));
    // If a chunk had been held back, two would arrive together. That also happens on a busy machine,
    // but not three times in a row.
    let times;
    for (let attempt = 0; attempt < 3; attempt++) {
        times = await chunkTimes(FunctionName, Payload, expected);
        if (times.slice(1).every((when, index) => when - times[index] > 100)) {
            break;
        }
        assert.ok(attempt < 2, `${FunctionName}: ${times}`);
    }
    const shown = times.map(Math.round).join(" ");
    console.log(`  @aws-sdk/client-lambda, ${FunctionName}: chunks at the client, in ms: ${shown}`);
}
console.log("@aws-sdk/client-lambda and aws-sdk 2, every runtime: ok");
