// A function that counts its executions in files, and kills or suspends a process on request.

import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.CHAOS_FOLDER;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export const handler = awslambda.streamifyResponse(async (event, stream) => {
    // A file for each id, or one line for each execution.
    const [path, run] = event.log ? [event.log, `${event.id}\n`] : [event.id, "x"];
    appendFileSync(join(folder, path), run);
    if (event.id === "warm") {
        writeFileSync(join(folder, "pids"), JSON.stringify({ function: process.pid, instance: process.ppid }));
    }
    await strike(event, "called");
    for (const [number, piece] of event.pieces.entries()) {
        stream.write(piece);
        if (number === 1) {
            await pause(100);
            await strike(event, "streaming");
        }
    }
    await pause(100);
    await strike(event, "sent");
    stream.end();
});

async function strike(event, phase) {
    if (event.event === "nothing" || event.phase !== phase) return;
    const own = { function: process.pid, instance: process.ppid };
    const victim = own[event.victim] ?? event[event.victim];
    const killed = event.event === "kill";
    // The reader of this file resumes a suspended process.
    writeFileSync(join(folder, `${event.id}.${killed ? "killed" : "suspended"}`), `${victim}\n`);
    process.kill(victim, killed ? "SIGKILL" : "SIGSTOP");
    await pause(300);
}

// What happens while the module is loaded, in the first instance that loads it.
if (existsSync(join(folder, "starting"))) {
    renameSync(join(folder, "starting"), join(folder, "started"));
    await strike(JSON.parse(readFileSync(join(folder, "started"))), "starting");
}
