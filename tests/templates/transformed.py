"""What SAM makes of templates, in a few words. The argument is a JSON list of pairs, a template's path
and its parameters. A value that only a deployment knows is "?"."""

import json
import logging
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

logging.disable(logging.CRITICAL)
NOTHING = object()


class Reader:
    def __init__(self, template, given):
        declared = template.get("Parameters", {})
        self.parameters = {name: given.get(name, said.get("Default")) for name, said in declared.items()}
        self.conditions = template.get("Conditions", {})

    def holds(self, node):
        if isinstance(node, str):
            return self.holds(self.conditions[node])
        ((function, of),) = node.items()
        if function == "Condition":
            return self.holds(of)
        if function == "Fn::Not":
            return not self.holds(of[0])
        if function == "Fn::Equals":
            left, right = (str(self.read(one)) for one in of)
            return left == right
        return {"Fn::And": all, "Fn::Or": any}[function](self.holds(one) for one in of)

    def read(self, node):
        if isinstance(node, list):
            return [one for one in map(self.read, node) if one is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, of),) = node.items()
            if function == "Ref":
                return NOTHING if of == "AWS::NoValue" else self.parameters.get(of)
            if function == "Fn::If":
                return self.read(of[1] if self.holds(of[0]) else of[2])
            if function == "Fn::Join":
                parts = self.read(of[1])
                is_known = isinstance(parts, list) and all(isinstance(one, str) for one in parts)
                return of[0].join(parts) if is_known else None
            if function == "Fn::Split":
                whole = self.read(of[1])
                return whole.split(of[0]) if isinstance(whole, str) else None
            if function == "Fn::Select":
                items = self.read(of[1])
                return items[int(of[0])] if isinstance(items, list) else None
            if function == "Fn::Sub" and isinstance(of, str) and "/functions/" in of:
                return of
            if function == "Fn::Sub" and isinstance(of, list) and "__FunctionArn__" in of[1]:
                arn = of[1]["__FunctionArn__"]
                name = f"{arn['Fn::GetAtt'][0]}.Arn" if "Fn::GetAtt" in arn else arn.get("Ref", "?")
                return of[0].replace("__FunctionArn__", name)
            if function.startswith("Fn::"):
                return None
        read = ((name, self.read(value)) for name, value in node.items())
        return {name: value for name, value in read if value is not NOTHING}


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    return "?" if value is None else str(value)


def function_of(uri):
    # By its ARN, or by the alias that SAM makes of it.
    found = re.search(r"\$\{(\w+?)(?:\.Arn|Alias\w+)\}/invocations", uri or "")
    return found and found[1]


def authorizers(body):
    schemes = body.get("securityDefinitions") or body.get("components", {}).get("securitySchemes", {})
    made = {}
    for name, scheme in schemes.items():
        said = scheme.get("x-amazon-apigateway-authorizer")
        if said:
            default = f"method.request.header.{scheme['name']}" if said["type"] == "token" else ""
            sources = said.get("identitySource") or default
            made[name] = {
                "kind": said["type"],
                "function": function_of(said["authorizerUri"]),
                "sources": [one.strip() for one in sources.split(",") if one.strip()],
                "ttl": int(said.get("authorizerResultTtlInSeconds", 300)),
                "expression": said.get("identityValidationExpression"),
            }
    return made


def route(operation, body, known):
    integration = operation["x-amazon-apigateway-integration"]
    names = [name for one in operation.get("security", []) for name in one]
    validators = body.get("x-amazon-apigateway-request-validators", {})
    validator = validators.get(operation.get("x-amazon-apigateway-request-validator"), {})
    parameters = operation.get("parameters", [])
    has_model = any(one["in"] == "body" for one in parameters) or "requestBody" in operation
    required = [f"{one['in']} {one['name']}" for one in parameters if one["in"] != "body" and one.get("required")]
    headers = None
    if integration["type"] == "mock":
        prefix = "method.response.header."
        said = integration["responses"]["default"]["responseParameters"]
        headers = {name.removeprefix(prefix).lower(): value.strip("'") for name, value in said.items()}
    return {
        "function": function_of(integration.get("uri")),
        "headers": headers,
        "authorizer": next((name for name in names if name in known), None),
        "usage_key": "api_key" in names,
        "required": sorted(required) if validator.get("validateRequestParameters") else [],
        "body": has_model and bool(validator.get("validateRequestBody")),
    }


def responses(body):
    made = {}
    for kind, said in body.get("x-amazon-apigateway-gateway-responses", {}).items():
        headers = said.get("responseParameters", {}).items()
        made[kind] = {
            "status": int(said["statusCode"]) if said.get("statusCode") else None,
            "headers": {name.removeprefix("gatewayresponse.header."): text(value) for name, value in headers},
        }
    return made


def plans(resources, raw):
    links = [one for one in raw.values() if one["Type"] == "AWS::ApiGateway::UsagePlanKey"]
    made = []
    for name, plan in resources("AWS::ApiGateway::UsagePlan"):
        throttle, quota = plan.get("Throttle") or {}, plan.get("Quota") or {}
        made.append({
            "rate": throttle.get("RateLimit") and float(throttle["RateLimit"]),
            "burst": throttle.get("BurstLimit") and int(throttle["BurstLimit"]),
            "limit": quota.get("Limit") and int(quota["Limit"]),
            "period": quota.get("Period"),
            "keys": sum(one["Properties"]["UsagePlanId"] == {"Ref": name} for one in links),
        })
    return sorted(made, key=str)


def summary(path, given):
    template = yaml_parse(open(path).read())
    template["Transform"] = "AWS::Serverless-2016-10-31"
    # SAM itself wants code that is uploaded; Globals go to each function.
    template.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    made = transform(template, dict(given), None)
    reader = Reader(made, given)
    raw = {
        name: one
        for name, one in made["Resources"].items()
        if "Condition" not in one or reader.holds(one["Condition"])
    }

    def resources(kind):
        found = ((name, one) for name, one in raw.items() if one["Type"] == kind)
        return [(name, reader.read(one.get("Properties", {}))) for name, one in found]

    ((_, api),) = resources("AWS::ApiGateway::RestApi")
    ((_, stage),) = resources("AWS::ApiGateway::Stage")
    body = api["Body"]
    known = authorizers(body)
    routes = {}
    for path, item in body["paths"].items():
        for method, operation in item.items():
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            routes[f"{path}/{name}"] = route(operation, body, known)
    functions = {
        name: {key: text(value) for key, value in one.get("Environment", {}).get("Variables", {}).items()}
        for name, one in resources("AWS::Lambda::Function")
    }
    return {
        "stage": text(stage["StageName"]),
        "variables": stage.get("Variables", {}),
        "binary": body.get("x-amazon-apigateway-binary-media-types", []),
        "key_source": api.get("ApiKeySourceType", "HEADER"),
        "routes": routes,
        "authorizers": known,
        "responses": responses(body),
        "plans": plans(resources, raw),
        "functions": functions,
    }


print(json.dumps([summary(path, given) for path, given in json.loads(sys.argv[1])]))
