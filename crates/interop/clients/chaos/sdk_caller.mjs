// Makes the calls that it reads from standard input with the AWS SDK for JavaScript 3, and prints their
// outcomes. Retries and everything else except the timeouts are the SDK's defaults.
//
// Must be in a folder where `@aws-sdk/client-lambda` resolves.

import { createInterface } from "node:readline";
import {
    InvokeCommand,
    InvokeWithResponseStreamCommand,
    LambdaClient,
} from "@aws-sdk/client-lambda";

const text = (bytes) => Buffer.from(bytes ?? []).toString("latin1");

async function call({ url, ca, stream, function: FunctionName, payload: Payload }) {
    const client = new LambdaClient({
        endpoint: url,
        region: "us-east-1",
        credentials: { accessKeyId: "local", secretAccessKey: "local" },
        requestHandler: {
            connectionTimeout: 1000,
            requestTimeout: 1000,
            socketTimeout: 1000,
            // Passed to `https.Agent`; the default agent has `keepAlive` too.
            ...(ca && { httpsAgent: { ca, keepAlive: true } }),
        },
    });
    const input = { FunctionName, Payload, LogType: "Tail" };
    try {
        if (!stream) {
            const response = await client.send(new InvokeCommand(input));
            return {
                payload: text(response.Payload),
                failed: response.FunctionError,
                complete: true,
            };
        }
        const response = await client.send(new InvokeWithResponseStreamCommand(input));
        const outcome = { payload: "", failed: null, complete: false };
        for await (const event of response.EventStream) {
            if (event.PayloadChunk) {
                outcome.payload += text(event.PayloadChunk.Payload);
                if (outcome.payload.length > 8 << 20) {
                    throw new Error("larger than the caller allows");
                }
            } else if (event.InvokeComplete) {
                outcome.complete = true;
                outcome.failed = event.InvokeComplete.ErrorCode;
            }
        }
        return outcome;
    } finally {
        client.destroy();
    }
}

process.on("uncaughtException", (error) => console.error(`uncaught: ${error}`));
for await (const line of createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    call(asked)
        .catch((error) => ({ error: `${error.name}: ${error.message}` }))
        .then((outcome) => console.log(JSON.stringify({ number: asked.number, ...outcome })));
}
