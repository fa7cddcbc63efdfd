"""Verifies tokens with joserfc: `verify.py FILE`, as verify.mjs does with jose."""

import json, sys, warnings

from joserfc import jwt
from joserfc.jwk import KeySet

# Of algorithms that it advises against, which are honest all the same.
warnings.simplefilter("ignore")

with open(sys.argv[1], encoding="utf-8") as file:
    asked = json.load(file)
keys = KeySet.import_key_set({"keys": asked["keys"]})
claims = jwt.JWTClaimsRegistry(
    leeway=asked["leeway"],
    iss={"essential": True, "value": asked["issuer"]},
    aud={"essential": True, "value": asked["audience"]},
    exp={"essential": True},
    sub={"essential": True},
)


def refusal(token):
    try:
        claims.validate(jwt.decode(token, keys, algorithms=asked["algorithms"]).claims)
        return None
    # Whatever it raises, it does not accept.
    except Exception as error:
        return f"{type(error).__name__}: {error}"


json.dump([refusal(token) for token in asked["tokens"]], sys.stdout)
