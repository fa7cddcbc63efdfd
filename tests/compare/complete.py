"""Gives an API in ministack what its import of SAM's OpenAPI document leaves out: the methods `any`, mock
integrations, models and request validators, gateway responses, binary media types. Run by deploy/compare:
`python complete.py ENDPOINT STACK API TEMPLATE`."""

import json, logging, sys

import boto3
from botocore.config import Config
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ENDPOINT, STACK, API, TEMPLATE = sys.argv[1:]
ANY, INTEGRATION = "x-amazon-apigateway-any-method", "x-amazon-apigateway-integration"
PARAMETERS = {"query": "querystring", "header": "header", "path": "path"}


def client(service, **more):
    return boto3.client(
        service, endpoint_url=ENDPOINT, aws_access_key_id="test", aws_secret_access_key="test", **more)


gateway = client("apigateway")


def document():
    """What SAM makes of the template's API."""
    logging.disable(logging.CRITICAL)
    with open(TEMPLATE) as text:
        template = yaml_parse(text.read())
    functions = [one["Properties"] for one in template["Resources"].values() if one["Type"].endswith("::Function")]
    for properties in [template.get("Globals", {}).get("Function", {}), *functions]:
        properties["CodeUri"] = "s3://bucket/key"
    made = transform(template, {"EventsFile": ""}, None)["Resources"].values()
    return next(one["Properties"]["Body"] for one in made if one["Type"] == "AWS::ApiGateway::RestApi")


def function_uri(uri):
    """An integration's address, which SAM says with the function's logical id."""
    logical = uri["Fn::Sub"].split("/functions/${")[1].split(".")[0]
    made = client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical)
    name = made["StackResourceDetail"]["PhysicalResourceId"]
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def checks(operation, validators):
    """What the method asks of requests."""
    name = operation.get("x-amazon-apigateway-request-validator")
    asked = {"requestValidatorId": validators[name]} if name else {}
    for one in operation.get("parameters", []):
        if one["in"] == "body":
            asked["requestModels"] = {"application/json": one["schema"]["$ref"].rsplit("/")[-1]}
        else:
            name = f"method.request.{PARAMETERS[one['in']]}.{one['name']}"
            asked.setdefault("requestParameters", {})[name] = one["required"]
    return asked


def integrate(method, integration):
    if integration["type"] == "mock":
        templates = integration.get("requestTemplates", {})
        gateway.put_integration(**method, type="MOCK", requestTemplates=templates)
        for answer in integration["responses"].values():
            mapped = {name: answer[name] for name in ("responseParameters", "responseTemplates") if name in answer}
            gateway.put_integration_response(**method, statusCode=answer["statusCode"], **mapped)
    else:
        uri = function_uri(integration["uri"])
        gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)


def complete(body):
    for name, schema in body.get("definitions", {}).items():
        gateway.create_model(restApiId=API, name=name, contentType="application/json", schema=json.dumps(schema))
    validators = {
        name: gateway.create_request_validator(restApiId=API, name=name, **what)["id"]
        for name, what in body.get("x-amazon-apigateway-request-validators", {}).items()}
    resources = {one["path"]: one["id"] for one in gateway.get_resources(restApiId=API, limit=500)["items"]}
    for path, operations in body["paths"].items():
        for name, operation in operations.items():
            asked = checks(operation, validators)
            integration = operation[INTEGRATION]
            if asked or name == ANY or integration["type"] == "mock":
                http = "ANY" if name == ANY else name.upper()
                method = {"restApiId": API, "resourceId": resources[path], "httpMethod": http}
                gateway.put_method(**method, authorizationType="NONE", **asked)
                integrate(method, integration)
    for kind, answer in body.get("x-amazon-apigateway-gateway-responses", {}).items():
        given = {name: str(value) if name == "statusCode" else value for name, value in answer.items()}
        gateway.put_gateway_response(restApiId=API, responseType=kind, **given)
    types = body.get("x-amazon-apigateway-binary-media-types")
    if types:
        # ministack keeps the value as it comes, where AWS takes one type at a time.
        change = {"op": "replace", "path": "/binaryMediaTypes", "value": types}
        unchecked = client("apigateway", config=Config(parameter_validation=False))
        unchecked.update_rest_api(restApiId=API, patchOperations=[change])
    gateway.create_deployment(restApiId=API, stageName="stage")


complete(document())
