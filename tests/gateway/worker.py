#!/usr/bin/env python3
"""A handler by the Runtime API alone, which does what its event asks for."""
import json, os, sys, time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def post(path, document):
    try:
        urlopen(Request(f"{base}/{path}", json.dumps(document).encode())).close()
    except (HTTPError, OSError):
        pass


if "INIT" in os.environ:
    exec(os.environ["INIT"])
while True:
    with urlopen(f"{base}/invocation/next") as invocation:
        identity = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
        context = invocation.headers["Lambda-Runtime-Client-Context"]
        event = json.load(invocation)
    asked = event if isinstance(event, dict) else {}
    asked = asked.get("queryStringParameters") or asked
    # To the pipe right before the answer, as a line of the invocation.
    print(asked.get("print", "nothing asked"), file=sys.stderr, flush=True)
    while "flood" in asked:
        os.write(2, asked["flood"].encode() * 4096)
    for _ in range(int(asked.get("thousands", 0))):
        os.write(2, b"\n" * 1000)
    time.sleep(float(asked.get("sleep", 0)))
    while "until" in asked and not os.path.exists(asked["until"]):
        time.sleep(0.02)
    if "exit" in asked:
        os._exit(int(asked["exit"]))
    if "error" in asked:
        post(f"invocation/{identity}/error", {"errorMessage": asked["error"], "errorType": "Refused", "stackTrace": ["a"]})
        continue
    said = {"event": event, "context": context, "pid": os.getpid()}
    if "call" in asked:
        function = f"{os.environ['AWS_ENDPOINT_URL_LAMBDA']}/2015-03-31/functions/{asked['call']}/invocations"
        said["called"] = json.load(urlopen(Request(function, b'{"print": "called by another"}')))
    body = "x" * int(asked["size"]) if "size" in asked else json.dumps(said)
    post(f"invocation/{identity}/response", {"statusCode": 200, "body": body})
