"""A function that counts its executions in files, and kills or suspends a process on request."""

import json
import os
import signal
import time

FOLDER = os.environ["CHAOS_FOLDER"]


def handler(event, context):
    # A file for each id, or one line for each execution.
    path, run = (event["log"], event["id"] + "\n") if "log" in event else (event["id"], "x")
    with open(os.path.join(FOLDER, path), "a") as runs:
        runs.write(run)
    if event["id"] == "warm":
        with open(os.path.join(FOLDER, "pids"), "w") as pids:
            json.dump({"function": os.getpid(), "instance": os.getppid()}, pids)
    strike(event, "called")
    return stream(event)


def stream(event):
    for number, piece in enumerate(event["pieces"]):
        yield piece
        if number == 1:
            time.sleep(0.1)
            strike(event, "streaming")
    time.sleep(0.1)
    strike(event, "sent")


def strike(event, phase):
    if event["event"] == "nothing" or event["phase"] != phase:
        return
    own = {"function": os.getpid(), "instance": os.getppid()}
    victim = own.get(event["victim"]) or event[event["victim"]]
    killed = event["event"] == "kill"
    # The reader of this file resumes a suspended process.
    path = os.path.join(FOLDER, event["id"] + (".killed" if killed else ".suspended"))
    with open(path, "w") as note:
        note.write(f"{victim}\n")
    os.kill(victim, signal.SIGKILL if killed else signal.SIGSTOP)
    time.sleep(0.3)


# What happens while the module is loaded, in the first instance that loads it.
try:
    os.rename(os.path.join(FOLDER, "starting"), os.path.join(FOLDER, "started"))
except FileNotFoundError:
    pass
else:
    with open(os.path.join(FOLDER, "started")) as started:
        strike(json.load(started), "starting")
