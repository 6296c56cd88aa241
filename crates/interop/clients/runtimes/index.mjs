// Functions on the official Node.js client: one is buffered, the other one streams.

// The stack shows which client calls the handler.
const official = () => new Error().stack.includes("node_modules/aws-lambda-ric/");

export const handler = async (event) => {
    process.stdout.write("first\n");
    console.warn("second,\nof two lines");
    process.stderr.write("third\n");
    if (event.kind === "fail") {
        throw new RangeError("on purpose");
    }
    return { event, official: official() };
};

export const stream = awslambda.streamifyResponse(async (event, out) => {
    if (event.kind === "echo") {
        out.write(JSON.stringify({ event, official: official() }));
    } else {
        for (let number = 0; number < event.chunks; number++) {
            out.write(`chunk ${number}\n`);
            await new Promise((resolve) => setTimeout(resolve, 1000 * event.seconds));
        }
    }
    out.end();
});
