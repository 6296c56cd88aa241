// What the AWS SDK for JavaScript 3 makes of corrupted responses: see src/bin/corrupted.
//
//     sdk_client.mjs ENDPOINT_URL STREAMS RESPONSES
//
// Must be in a folder where `@aws-sdk/client-lambda` resolves.

import {
    InvokeCommand,
    InvokeWithResponseStreamCommand,
    LambdaClient,
} from "@aws-sdk/client-lambda";

const [endpoint, streams, responses] = process.argv.slice(2);
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const client = new LambdaClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });

const stream = async (FunctionName) => {
    const response = await client.send(new InvokeWithResponseStreamCommand({ FunctionName }));
    let chunks = 0;
    for await (const event of response.EventStream) {
        chunks += event.PayloadChunk ? 1 : 0;
    }
    return `accepted ${chunks}`;
};
const invoke = async (FunctionName) => {
    await client.send(new InvokeCommand({ FunctionName }));
    return "accepted 1";
};
const patience = () => new Promise((resolve) => setTimeout(resolve, 10_000, "waits"));

// A background error must not hide what the caller sees.
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});
for (const [names, call] of [[streams, stream], [responses, invoke]]) {
    for (const name of names.split(",")) {
        const outcome = await Promise.race([call(name).catch(() => "rejected"), patience()]);
        console.log(`${name}\t${outcome}`);
    }
}
process.exit();
