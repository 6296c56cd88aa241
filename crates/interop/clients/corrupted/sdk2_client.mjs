// What the AWS SDK for JavaScript 2 makes of corrupted responses: see src/bin/corrupted. This SDK does
// not stream.
//
//     sdk2_client.mjs ENDPOINT_URL RESPONSES
//
// Must be in a folder where `aws-sdk` resolves.

import AWS from "aws-sdk";

const [endpoint, responses] = process.argv.slice(2);
const credentials = new AWS.Credentials("local", "local");
const lambda = new AWS.Lambda({ endpoint, region: "us-east-1", credentials, maxRetries: 0 });
for (const FunctionName of responses.split(",")) {
    const call = lambda.invoke({ FunctionName }).promise();
    const patience = new Promise((resolve) => setTimeout(resolve, 10_000, "waits"));
    const outcome = call.then(() => "accepted 1", () => "rejected");
    console.log(`${FunctionName}\t${await Promise.race([outcome, patience])}`);
}
process.exit();
