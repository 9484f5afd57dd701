"""Each SDK's own way to revoke, called as its documentation says.

Runs in .venv-sdks alone, since nothing here may be one of the product's dependencies.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import auth0.authentication
import authlib.integrations.requests_client
import box_sdk_gen
import certifi
import docusign_esign
import dropbox
import ghapi.core
import hubspot
import intuitlib.client
import notion_client
import oauth2client.client
import onelogin
import plaid
import plaid.api.plaid_api
import plaid.model.item_remove_request
import prawcore
import ringcentral
import shopify
import slack_sdk
import smartsheet
import social_core.backends.coinbase
import social_core.backends.facebook
import social_core.backends.google
import social_core.strategy
import square
import stravalib
import stripe
import trello
import twitchAPI.oauth
import xero_python.api_client
import xero_python.api_client.oauth2

from tests.sdks.values import ACCESS, CLIENT_ID, CLIENT_SECRET, REFRESH

Answer = tuple[int, object]


@dataclass(frozen=True)
class SdkCall:
    """One SDK's call: whose record it belongs to, and what it is answered."""

    provider: str
    package: str  # its name on PyPI
    token: str  # access or refresh
    run: Callable[[], object]
    answers: tuple[Answer, ...]  # the last one is that of the revocation


CALLS: list[SdkCall] = []


def sdk(
    provider: str, package: str, token: str, *answers: Answer
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register a call; without answers it is answered 200 with an empty object."""

    def register(run: Callable[[], object]) -> Callable[[], object]:
        CALLS.append(SdkCall(provider, package, token, run, answers or ((200, {}),)))
        return run

    return register


# The vendors' own


@sdk("box", "boxsdk", "access")
def box() -> None:
    config = box_sdk_gen.OAuthConfig(CLIENT_ID, CLIENT_SECRET)
    oauth = box_sdk_gen.BoxOAuth(config)
    oauth.token_storage.store(box_sdk_gen.AccessToken(access_token=ACCESS))
    oauth.revoke_token()


# As published at developer.api.intuit.com/.well-known/openid_configuration; the SDK asks
# there for the address, so host and path say that the record agrees with that document.
INTUIT = {
    "issuer": "https://oauth.platform.intuit.com/op/v1",
    "authorization_endpoint": "https://appcenter.intuit.com/connect/oauth2",
    "token_endpoint": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
    "userinfo_endpoint": "https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
    "revocation_endpoint": "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    "jwks_uri": "https://oauth.platform.intuit.com/op/v1/jwks",
}


@sdk("quickbooks", "intuit-oauth", "refresh", (200, INTUIT), (200, {}))
def intuit() -> None:
    client = intuitlib.client.AuthClient(
        CLIENT_ID, CLIENT_SECRET, "https://app.example.com/back", "production"
    )
    client.revoke(token=REFRESH)


@sdk("slack", "slack_sdk", "access", (200, {"ok": True, "revoked": True}))
def slack() -> None:
    slack_sdk.WebClient(token=ACCESS).auth_revoke()


@sdk("dropbox", "dropbox", "access")
def dropbox_call() -> None:
    dropbox.Dropbox(oauth2_access_token=ACCESS).auth_token_revoke()


@sdk("google", "oauth2client", "refresh")
def google() -> None:
    credentials = oauth2client.client.GoogleCredentials(
        ACCESS, CLIENT_ID, CLIENT_SECRET, REFRESH, None, "", None
    )
    credentials.revoke_uri = oauth2client.GOOGLE_REVOKE_URI
    credentials.revoke(oauth2client.transport.get_http_object())


@sdk("hubspot", "hubspot-api-client", "refresh", (204, {}))
def hubspot_call() -> None:
    hubspot.HubSpot().oauth.refresh_tokens_api.archive(REFRESH)


@sdk("xero", "xero-python", "refresh")
def xero() -> None:
    token = xero_python.api_client.oauth2.OAuth2Token(CLIENT_ID, CLIENT_SECRET)
    token.update_token(ACCESS, ["offline_access"], 1800, "Bearer", 0, REFRESH)
    config = xero_python.api_client.Configuration(oauth2_token=token)
    client = xero_python.api_client.ApiClient(config)
    client.oauth2_token_saver(lambda token: None)
    token.revoke_access_token(client)


@sdk("docusign", "docusign-esign", "access")
def docusign() -> None:
    client = docusign_esign.ApiClient(host="https://na3.docusign.net/restapi")
    client.set_default_header("Authorization", f"Bearer {ACCESS}")
    docusign_esign.AuthenticationApi(client).revoke_o_auth_token()


@sdk("stripe", "stripe", "access", (200, {"stripe_user_id": "acct_1"}))
def stripe_call() -> None:
    stripe.api_key, stripe.client_id = CLIENT_SECRET, CLIENT_ID
    stripe.ca_bundle_path = certifi.where()
    stripe.OAuth.deauthorize(stripe_user_id="acct_1")


@sdk("square", "squareup", "access", (200, {"success": True}))
def square_call() -> None:
    headers = {"Authorization": f"Client {CLIENT_SECRET}"}
    client = square.Square(headers=headers)
    client.o_auth.revoke_token(client_id=CLIENT_ID, access_token=ACCESS)


@sdk("plaid", "plaid-python", "access", (200, {"request_id": "1"}))
def plaid_call() -> None:
    config = plaid.Configuration(
        host=plaid.Environment.Production,
        api_key={"clientId": CLIENT_ID, "secret": CLIENT_SECRET},
    )
    api = plaid.api.plaid_api.PlaidApi(plaid.ApiClient(config))
    request = plaid.model.item_remove_request.ItemRemoveRequest(access_token=ACCESS)
    api.item_remove(request)


@sdk("shopify", "ShopifyAPI", "access")
def shopify_call() -> None:
    session = shopify.Session("acme.myshopify.com", "2024-10", ACCESS)
    shopify.ShopifyResource.activate_session(session)
    shopify.ApiPermission.delete()


@sdk("smartsheet", "smartsheet-python-sdk", "access", (200, {"resultCode": 0}))
def smartsheet_call() -> None:
    smartsheet.Smartsheet(ACCESS).Token.revoke_access_token()


@sdk("auth0", "auth0-python", "refresh")
def auth0_call() -> None:
    api = auth0.authentication.RevokeToken(
        "id.example.com", CLIENT_ID, client_secret=CLIENT_SECRET
    )
    api.revoke_refresh_token(REFRESH)


@sdk("onelogin", "onelogin", "access", (200, {"code": 200, "message": "Success"}))
def onelogin_call() -> None:
    config = onelogin.Configuration(
        host="https://acme.onelogin.com", username=CLIENT_ID, password=CLIENT_SECRET
    )
    api = onelogin.OAuth2Api(onelogin.ApiClient(config))
    body = onelogin.RevokeTokensRequest(access_token=ACCESS)
    api.revoke_tokens(revoke_tokens_request=body)


@sdk("ringcentral", "ringcentral", "access")
def ringcentral_call() -> None:
    server = "https://platform.ringcentral.com"
    platform = ringcentral.SDK(CLIENT_ID, CLIENT_SECRET, server).platform()
    platform.auth().set_data({"access_token": ACCESS, "token_type": "bearer"})
    platform.logout()


# The best known where the vendor has none


@sdk("notion", "notion-client", "access")
def notion() -> None:
    client = notion_client.Client()
    client.oauth.revoke(CLIENT_ID, CLIENT_SECRET, token=ACCESS)


@sdk("github", "ghapi", "access", (204, {}))
def github() -> None:
    # Made from GitHub's own OpenAPI description; Basic is for the caller to set.
    api = ghapi.core.GhApi(authenticate=False, sync=True)
    pair = f"{CLIENT_ID}:{CLIENT_SECRET}".encode()
    api.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    api.apps.delete_authorization(CLIENT_ID, access_token=ACCESS)


@sdk("reddit", "prawcore", "refresh")
def reddit() -> None:
    requestor = prawcore.Requestor(user_agent="ceadmin's comparison")
    app = prawcore.TrustedAuthenticator(
        requestor=requestor, client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    prawcore.Authorizer(authenticator=app, refresh_token=REFRESH).revoke()


@sdk("twitch", "twitchAPI", "access")
def twitch() -> None:
    asyncio.run(twitchAPI.oauth.revoke_token(CLIENT_ID, ACCESS))


@sdk("strava", "stravalib", "access")
def strava() -> None:
    stravalib.Client(access_token=ACCESS).deauthorize()


@sdk("trello", "trello", "access")
def trello_call() -> None:
    trello.TrelloApi(CLIENT_ID, ACCESS).tokens.delete(ACCESS)


@sdk("generic_rfc7009", "authlib", "refresh")
def authlib_call() -> None:
    session = authlib.integrations.requests_client.OAuth2Session(
        CLIENT_ID, CLIENT_SECRET
    )
    url = "https://id.example.com/oauth/revoke"
    session.revoke_token(url, token=REFRESH, token_type_hint="refresh_token")


class Strategy(social_core.strategy.BaseStrategy):
    """What a framework would tell social-auth-core."""

    def get_setting(self, name: str) -> Any:
        return {"KEY": CLIENT_ID, "SECRET": CLIENT_SECRET}[name]

    def get_request_data(self, *_: object, **__: object) -> dict[str, str]:
        return {}

    def build_absolute_uri(self, path: str | None = None) -> str:
        return "https://app.example.com/back"


@sdk("coinbase", "social-auth-core", "access")
def coinbase() -> None:
    backend = social_core.backends.coinbase.CoinbaseOAuth2(Strategy())
    backend.revoke_token(ACCESS, "user-1")


@sdk("facebook", "social-auth-core", "access")
def facebook() -> None:
    backend = social_core.backends.facebook.FacebookOAuth2(Strategy())
    backend.revoke_token(ACCESS, "me")
