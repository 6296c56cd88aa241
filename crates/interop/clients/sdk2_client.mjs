// The AWS SDK for JavaScript 2 against `lambda-invoke serve`. This SDK sends `binary/octet-stream`.
//
//     sdk2_client.mjs ENDPOINT_URL
//
// Must be in a folder where `aws-sdk` resolves.

import assert from "node:assert/strict";
import AWS from "aws-sdk";

const ours = new AWS.Lambda({
    endpoint: process.argv[2],
    region: "us-east-1",
    credentials: new AWS.Credentials("local", "local"),
    maxRetries: 0,
});

const Payload = '{"a":[1,"ä"]}';
const response = await ours.invoke({ FunctionName: "echo", Payload, LogType: "Tail" }).promise();
assert.equal(response.StatusCode, 200);
assert.equal(response.ExecutedVersion, "$LATEST");
assert.equal(String(response.Payload), Payload);
assert.match(String(Buffer.from(response.LogResult, "base64")), /REPORT RequestId/);
assert.equal((await ours.invoke({ FunctionName: "echo" }).promise()).StatusCode, 200);

const failed = await ours.invoke({ FunctionName: "fail", Payload: "{}" }).promise();
assert.equal(failed.FunctionError, "Unhandled");

const queued = { FunctionName: "echo", InvocationType: "Event", Payload };
assert.equal((await ours.invoke(queued).promise()).StatusCode, 202);
const dry = { FunctionName: "echo", InvocationType: "DryRun" };
assert.equal((await ours.invoke(dry).promise()).StatusCode, 204);
assert.equal((await ours.invokeAsync({ FunctionName: "echo", InvokeArgs: "{}" }).promise()).Status, 202);

await assert.rejects(
    ours.invoke({ FunctionName: "nobody" }).promise(),
    (error) => error.code === "ResourceNotFoundException" && error.statusCode === 404,
);

console.log(`aws-sdk ${AWS.VERSION}: ok`);
