"""Answers as the request says, and keeps each event that comes in the file that EVENTS names."""

import json, os


def keep(function, event):
    with open(os.environ["EVENTS"], "a") as events:
        events.write(json.dumps({"function": function, "event": event}) + "\n")


def handler(event, context):
    keep("answer", event)
    if event["resource"] != "/answer":
        return {"statusCode": 200, "body": "answered"}
    asked = json.loads(event["body"])
    if isinstance(asked, dict) and "raise" in asked:
        raise RuntimeError(asked["raise"])
    if isinstance(asked, dict) and "repeat" in asked:
        return {"statusCode": 200, "body": "x" * asked["repeat"]}
    # A set is no JSON.
    return {1, 2} if asked == "what is no JSON" else asked
