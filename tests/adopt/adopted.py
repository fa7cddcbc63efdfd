"""What the clients of tests/adopt see before and after docs/adopt.md was followed, and what its handlers are
told. Run by deploy/rehearse-adoption: `python3 tests/adopt/adopted.py Before`, and so on."""

import json, os, unittest
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

URL, ISSUER = os.environ["ADOPTED_URL"], os.environ["ADOPTED_ISSUER"]
AUDIENCE, KEY = os.environ["ADOPTED_AUDIENCE"], os.environ["ADOPTED_KEY"]


def call(method, path, credential=None):
    headers = {"Authorization": credential} if credential else {}
    try:
        with urlopen(Request(URL + path, method=method, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, None


def bearer(**claims):
    form = {"grant_type": "client_credentials", "client_id": "reader", "scope": "books:read", **claims}
    with urlopen(f"{ISSUER}/token", urlencode(form).encode()) as answer:
        return f"Bearer {json.load(answer)['access_token']}"


class Before(unittest.TestCase):
    def test_everybody_is_let_in_and_nobody_is_known(self):
        for path in "/books", "/books/1", "/health":
            status, said = call("GET", path)
            self.assertEqual((status, said["caller"]), (200, None), path)


class After(unittest.TestCase):
    def test_a_token_opens_its_scope_s_routes_and_the_handler_knows_its_caller(self):
        token = bearer()
        for path, resource in ("/books", "/books"), ("/books/1", "/books/{id}"), ("/books", "/books"):
            status, said = call("GET", path, token)
            self.assertEqual((status, said["resource"]), (200, resource))
            caller = said["caller"]
            self.assertEqual(caller["principal"], "reader")
            self.assertEqual(caller["credential"], "jwt")
            self.assertEqual(caller["scopes"], "books:read")
            self.assertEqual(caller["issuer"], ISSUER)

    def test_without_a_credential_or_with_a_bad_one_it_is_401(self):
        token = bearer()
        for credential in None, "Bearer x", token[:-4] + "AAAA", bearer(lifetime="-60"):
            self.assertEqual(call("GET", "/books", credential), (401, None), credential)

    def test_outside_of_its_scopes_it_is_403(self):
        self.assertEqual(call("POST", "/books", bearer()), (403, None))
        self.assertEqual(call("POST", "/books", bearer(scope="books:write"))[0], 200)
        self.assertEqual(call("GET", "/books", bearer(scope="others:read")), (403, None))

    def test_an_api_key_opens_its_scope_s_routes_and_no_other(self):
        status, said = call("GET", "/books", f"ApiKey {KEY}")
        self.assertEqual((status, said["caller"]["principal"]), (200, "partner"))
        self.assertEqual(said["caller"]["credential"], "api_key")
        self.assertEqual(call("POST", "/books", f"ApiKey {KEY}"), (403, None))
        self.assertEqual(call("GET", "/books", f"ApiKey {KEY[:-1]}"), (401, None))

    def test_what_is_open_to_anybody_is_as_before(self):
        status, said = call("GET", "/health")
        self.assertEqual((status, said["caller"]), (200, None))


class AfterAnotherTable(unittest.TestCase):
    def test_a_route_that_the_table_in_the_zip_leaves_out_is_closed(self):
        token = bearer()
        self.assertEqual(call("GET", "/books", token)[0], 200)
        self.assertEqual(call("GET", "/books/1", token), (403, None))


unittest.main()
