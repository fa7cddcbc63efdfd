"""Two authorizers that decide as the caller's credential says, whose name stands in DECISIONS."""

from answer import keep


def statement(effect, *resources):
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": list(resources)}


def policy(*statements, **more):
    return {"principalId": "caller", "policyDocument": {"Version": "2012-10-17", "Statement": list(statements)}, **more}


# By the credential: the answer to a method's ARN, and to the stage's.
DECISIONS = {
    "allow": lambda method, stage: policy(statement("Allow", method)),
    "deny": lambda method, stage: policy(statement("Deny", method)),
    "elsewhere": lambda method, stage: policy(statement("Allow", f"{stage}/GET/elsewhere")),
    "everything": lambda method, stage: policy(statement("Allow", f"{stage}/*")),
    "every-stage": lambda method, stage: policy(statement("Allow", "arn:aws:execute-api:*:*:*/*/GET/*")),
    "everywhere": lambda method, stage: policy(statement("Allow", "*")),
    "one-letter": lambda method, stage: policy(statement("Allow", f"{stage}/GET/guarded/?")),
    "both": lambda method, stage: policy(statement("Allow", f"{stage}/*"), statement("Deny", f"{stage}/GET/guarded/*")),
    "posts": lambda method, stage: policy(statement("Allow", f"{stage}/POST/*")),
    "not-action": lambda method, stage: policy(
        {"NotAction": "execute-api:Other", "Effect": "Allow", "Resource": f"{stage}/*"}),
    "other-action": lambda method, stage: policy({"Action": "s3:GetObject", "Effect": "Allow", "Resource": "*"}),
    "one-statement": lambda method, stage: {
        "principalId": "caller", "policyDocument": {"Version": "2012-10-17", "Statement": statement("Allow", method)}},
    "context": lambda method, stage: policy(
        statement("Allow", method),
        context={"text": "a text", "number": 7, "fraction": 0.5, "yes": True, "no": False, "empty": ""}),
    "null-context": lambda method, stage: policy(statement("Allow", method), context={"nothing": None}),
    "nested-context": lambda method, stage: policy(statement("Allow", method), context={"nested": {"a": 1}}),
    "list-context": lambda method, stage: policy(statement("Allow", method), context={"nested": [1]}),
    "usage-key": lambda method, stage: policy(statement("Allow", method), usageIdentifierKey="compare-usage-key-0001"),
    "no-principal": lambda method, stage: {"policyDocument": policy(statement("Allow", method))["policyDocument"]},
    "no-policy": lambda method, stage: {"principalId": "caller"},
    "nothing": lambda method, stage: {},
    "text": lambda method, stage: "Allow",
    "null": lambda method, stage: None,
}


def decide(event, credential):
    keep("authorizer", event)
    method = event["methodArn"]
    if credential == "Unauthorized":
        raise Exception("Unauthorized")
    if credential in DECISIONS:
        return DECISIONS[credential](method, "/".join(method.split("/")[:2]))
    raise Exception(f"no decision is named {credential}")


def by_token(event, context):
    return decide(event, event["authorizationToken"])


def by_request(event, context):
    named = [value for name, value in event["headers"].items() if name.lower() == "x-decision"]
    return decide(event, named[0] if named else "allow")
