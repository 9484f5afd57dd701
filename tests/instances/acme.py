"""One organization at the emulator, to be filled and looked into by tests."""

from instances.actions.calls import drive
from instances.actions.probe import probe
from instances.cloud_elements import Credentials, OAuthClient
from tests.instances.canned import case

CALLBACK = "https://ceadmin.test/oauth/callback/box/"


class Acme:
    """One organization of the emulator with one app and as many instances as a test asks for."""

    def __init__(self, emulator):
        self.emulator = emulator
        made = emulator.control(
            "organizations", {"name": "Acme", "username": "ann", "password": "pw"}
        )
        self.id = made["id"]
        self.credentials = Credentials(
            "https://api.cloud-elements.com",
            made["user_secret"],
            made["organization_secret"],
        )
        self.client = self.register("box")

    def register(self, provider):
        wanted = {
            "provider": provider,
            "client_id": f"{provider}-app",
            "redirect_uris": [CALLBACK],
        }
        made = self.emulator.control("clients", wanted)
        return OAuthClient(made["client_id"], made["client_secret"], CALLBACK)

    def instances(self, count=1, **row):
        row = {
            "organization": self.id,
            "element": "box",
            "client_id": self.client.client_id,
        } | row
        return self.emulator.control("instances", [row] * count)["instances"]

    def one(self, **row):
        return self.instances(**row)[0]

    def truth(self, instance):
        return self.emulator.control(f"instances/{instance['id']}")

    def case(self, instance, **changed):
        known = {
            "credentials": self.credentials,
            "remote_id": str(instance["id"]),
            "element_key": instance["element"],
            "element_token": instance["token"],
        }
        return case(**(known | changed))

    def probe(self, instance, **changed):
        return drive(probe(self.case(instance, **changed)), sleep=lambda seconds: None)

    def fault(self, kind, path, **rule):
        self.emulator.control("faults", {"kind": kind, "match": {"path": path}, **rule})

    def switch(self, **values):
        self.emulator.control("switches", values)

    def code(self, instance, **wanted):
        row = {
            "provider": "box",
            "client_id": self.client.client_id,
            "instance": instance["id"],
        }
        return self.emulator.control("consents", row | wanted)
