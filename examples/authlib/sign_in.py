"""Signs a person in with OpenID Connect, from a program on their machine, with the library Authlib.

    python sign_in.py ISSUER CLIENT_ID
"""

import secrets
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlencode

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet


def main(issuer, client_id):
    metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
    if metadata["issuer"] != issuer:
        sys.exit(f"{issuer} says that it is {metadata['issuer']}")

    # A native client listens on any port that is free (RFC 8252).
    server = HTTPServer(("127.0.0.1", 0), Callback)
    client = OAuth2Session(
        client_id,
        token_endpoint=metadata["token_endpoint"],
        token_endpoint_auth_method="none",
        redirect_uri=f"http://127.0.0.1:{server.server_port}/callback",
        scope="openid profile email",
        code_challenge_method="S256",
    )
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    print(f"Open this URL in a browser:\n{url}", flush=True)

    server.path = None
    while server.path is None:
        server.handle_request()
    server.server_close()
    # Checks the state of the answer, and iss if the server sends one.
    token = client.fetch_token(
        authorization_response=f"http://127.0.0.1{server.path}", state=state, code_verifier=verifier
    )

    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
    algorithms = metadata["id_token_signing_alg_values_supported"]
    id_token = jwt.decode(token["id_token"], keys, algorithms=algorithms)
    claims = CodeIDToken(
        id_token.claims,
        id_token.header,
        options={"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
        params={"client_id": client_id, "nonce": nonce, "access_token": token["access_token"]},
    )
    claims.validate(leeway=10)
    print(f"Signed in: {claims['sub']}")

    userinfo = client.get(metadata["userinfo_endpoint"]).json()
    if userinfo["sub"] != claims["sub"]:
        sys.exit("userinfo speaks of somebody else")
    print(f"Userinfo: {userinfo['name']} <{userinfo['email']}>")

    refreshed = client.refresh_token(metadata["token_endpoint"])
    print(f"Refreshed: a new access token for {refreshed['expires_in']} seconds")

    sign_out = metadata["end_session_endpoint"] + "?" + urlencode({"id_token_hint": token["id_token"]})
    print(f"To sign out, open this URL in the same browser, then press Enter:\n{sign_out}", flush=True)
    input()
    try:
        client.refresh_token(metadata["token_endpoint"])
        print("Still signed in: the refresh token is good")
    except OAuthError as error:
        if error.error != "invalid_grant":
            raise
        print("Signed out: the refresh token is refused")


class Callback(BaseHTTPRequestHandler):
    """Takes what the browser brings back."""

    def do_GET(self):
        known = self.path.startswith("/callback?")
        body = b"You may close this window.\n" if known else b"Nothing here.\n"
        self.send_response(200 if known else 404)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if known:
            self.server.path = self.path

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python sign_in.py ISSUER CLIENT_ID")
    main(*sys.argv[1:])
