import json


def handler(event, context):
    """Says what was asked for, and what the gateway says of the caller."""
    said = {
        "resource": event["resource"],
        "caller": event["requestContext"].get("authorizer"),
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(said)}
