"""A tenant of the emulator, speaking plain HTTP with nothing but the standard library."""

import json
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

CALLBACK = "https://ceadmin.test/oauth/callback/"
ELEMENTS = {
    "box": "box",
    "salesforce": "sfdc",
    "adobe_sign": "adobe-esign",
    "quickbooks": "quickbooks",
    "generic": "generic",
}
#: One call per provider that shows whether a token lives.
ALIVE_AT = {
    "box": "https://api.box.com/2.0/users/me",
    "salesforce": "https://na54.salesforce.com/services/data/v60.0/limits",
    "adobe_sign": "https://api.na1.adobesign.com/api/rest/v6/users/me",
    "quickbooks": "https://quickbooks.api.intuit.com/v3/company/777/companyinfo/777",
    "generic": "https://auth.example.com/oauth/userinfo",
}


class Answer:
    """What came back."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def location(self):
        """Return where a redirect leads and the query it carries."""
        address, _, query = self.headers["location"].partition("?")
        return address, dict(parse_qsl(query))


def send(port, method, path, body=None, headers=(), timeout=10):
    """Send one request and return the answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=timeout)) as connection:
        connection.request(method, path, body, dict(headers))
        return Answer(connection.getresponse())


def form(**fields):
    """Return a form body and its header."""
    return urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}


class Tenant:
    """One organization, one app per provider, and the calls that a product would make."""

    def __init__(self, emulator, name="Acme"):
        self.emulator = emulator
        self.organization = emulator.control("organizations", {"name": name})
        self.secrets = {
            provider: self._register(provider)["client_secret"] for provider in ELEMENTS
        }

    def _register(self, provider):
        row = {"provider": provider, "client_id": f"{provider}-app"}
        return self.emulator.control("clients", row | {"redirect_uris": [CALLBACK]})

    # -- seeding -----------------------------------------------------------------------

    def instances(self, count=1, provider="box", **row):
        row = {
            "organization": self.organization["id"],
            "element": ELEMENTS.get(provider, provider),
            "client_id": f"{provider}-app",
            "realm": "777",
        } | row
        return self.emulator.control("instances", [row] * count)["instances"]

    def instance(self, provider="box", **row):
        return self.instances(1, provider, **row)[0]

    def truth(self, instance):
        return self.emulator.control(f"instances/{instance['id']}")

    def switch(self, **values):
        return self.emulator.control("switches", values)

    def fault(self, kind, **rule):
        return self.emulator.control("faults", {"kind": kind} | rule)

    # -- the platform ------------------------------------------------------------------

    def header(self, instance=None):
        parts = [
            f"User {self.organization['user_secret']}",
            f"Organization {self.organization['organization_secret']}",
        ]
        if instance is not None:
            parts.append(f"Element {instance['token']}")
        return {"Authorization": ", ".join(parts)}

    def platform(self, method, path, payload=None, instance=None, timeout=10):
        headers, body = self.header(instance), None
        if payload is not None:
            headers["Content-Type"], body = "application/json", json.dumps(payload)
        path = "/elements/api-v2" + path
        return send(self.emulator.port, method, path, body, headers, timeout)

    def ping(self, instance):
        return self.platform("GET", "/ping", instance=instance)

    def configuration(self, instance):
        answer = self.platform("GET", "/instances", instance=instance)
        return answer.json()["configuration"]

    def reconnect(self, instance, sides, **more):
        """Reauthenticate by the form of the article."""
        return self.platform(
            "PATCH", "/instances", {"providerData": sides} | more, instance
        )

    def oauth_url(self, element="box", **values):
        provider = next(
            (key for key, name in ELEMENTS.items() if name == element), "box"
        )
        values = {
            "apiKey": f"{provider}-app",
            "apiSecret": self.secrets[provider],
            "callbackUrl": CALLBACK,
            "state": "s-1",
        } | values
        return self.platform(
            "GET", f"/elements/{element}/oauth/url?{urlencode(values)}"
        )

    # -- the provider ------------------------------------------------------------------

    def provider(self, method, url, body=None, headers=()):
        """Call a provider's real address at the emulator."""
        parts = urlsplit(url)
        path = f"/{parts.netloc}{parts.path}"
        path += f"?{parts.query}" if parts.query else ""
        return send(self.emulator.port, method, path, body, headers)

    def alive(self, provider, token):
        """Ask the provider itself with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return self.provider("GET", ALIVE_AT[provider], None, headers)

    def basic(self, provider, secret=None):
        pair = f"{provider}-app:{secret or self.secrets[provider]}"
        return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}

    def revoke(self, provider, token, **changed):
        """Revoke in the provider's default form."""
        secret = changed.get("secret", self.secrets[provider])
        if provider == "box":
            app = {"client_id": "box-app", "client_secret": secret}
            return self.provider(
                "POST", "https://api.box.com/oauth2/revoke", *form(token=token, **app)
            )
        if provider == "quickbooks":
            url = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
            headers = self.basic(provider, secret) | {
                "Content-Type": "application/json"
            }
            return self.provider("POST", url, json.dumps({"token": token}), headers)
        url = {
            "salesforce": "https://na54.salesforce.com/services/oauth2/revoke",
            "adobe_sign": "https://api.na1.adobesign.com/oauth/v2/revoke",
            "generic": "https://auth.example.com/oauth/revoke",
        }[provider]
        body, headers = form(token=token)
        if provider == "generic":
            headers |= self.basic(provider, secret)
        return self.provider("POST", changed.get("url", url), body, headers)

    # -- the person --------------------------------------------------------------------

    def consent(self, url, decision="allow", **fields):
        """Decide on the consent page of this address."""
        return self.provider("POST", url, *form(decision=decision, **fields))

    def code(self, instance, **fields):
        """Go through the consent page for an instance; return what comes back."""
        url = self.oauth_url(instance["element"]).json()["oauthUrl"]
        sides = self.consent(url, instance=instance["id"], **fields).location()[1]
        sides.pop("state")
        return sides


def encoded(text):
    """Return text as it stands in a query."""
    return quote(text, safe="")
