"""A function on the official Python client, which does not stream."""

import logging
import sys


def handler(event, context):
    print("first")
    logging.getLogger().warning("second,\nof two lines")
    print("third", file=sys.stderr)
    if event.get("kind") == "fail":
        raise ValueError("on purpose")
    return {"event": event, "official": "awslambdaric" in sys.modules}
