"""A user's own function: streams, fails, or returns what it was given."""

import base64
import time


def lambda_handler(event, context):
    kind = event.get("kind")
    if kind == "echo":
        client = context.client_context
        return {
            "event": event,
            "custom": client.custom if client else None,
            "arn": context.invoked_function_arn,
            "function": context.function_name,
        }
    if kind == "fail":
        raise ValueError("on purpose")
    if kind == "large":
        return base64.b64encode(bytes(event["bytes"])).decode()
    return stream(event)


def stream(event):
    for number in range(event.get("chunks", 5)):
        print("chunk", number)
        yield f"chunk {number}\n"
        time.sleep(event.get("seconds", 0.2))
    if event.get("kind") == "fail-late":
        raise ValueError("in mid-stream")
