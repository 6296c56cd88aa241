"""The function that the measured hosts run, in Python."""

import time


def handler(event, context):
    if "seconds" in event:
        time.sleep(event["seconds"])
    return "Hello, %s. What a fine day it is." % event["name"]
