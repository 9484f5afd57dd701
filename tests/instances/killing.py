"""What tests of revocations share: short waits, and what the emulator received."""

import pytest

from ceadmin.audit.models import Event
from ceadmin.lib import http
from instances.actions import talk, trial
from instances.choices import RunKind, RunStatus
from instances.models import Attempt, Hold, Item, Run
from providers.models import ProviderApp
from tests.instances.fleet import Fleet, only_item
from tests.instances.reconnecting import CLIENT_SECRET, THEIR_CALLBACK

DEADLINE = 0.5


@pytest.fixture
def fleet(emulator, team):
    """Acme's instances, and Rita who may revoke them."""
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def quick(monkeypatch):
    """Wait a twentieth of what real servers are given."""
    monkeypatch.setattr(trial, "_LOOKS", (0.0, 0.1, 0.1, 0.2))
    monkeypatch.setattr(trial, "_PLATFORM_PAUSE", 0.05)
    monkeypatch.setattr(talk, "_FIRST_PAUSE", 0.05)
    monkeypatch.setattr(http.Request.__init__, "__defaults__", ((), None, DEADLINE))


def killed(fleet, provider: str = "box", **options) -> Item:
    """Revoke the one instance that is there; return how it ended, all rows in order."""
    run = fleet.run(RunKind.REVOKE, **options)
    assert_sound(run)
    return only_item(run)


def assert_sound(run: Run) -> None:
    """Nothing hangs, everything has a sentence, and every revocation its audit rows."""
    assert run.status == RunStatus.FINISHED, (run.problem, run.problem_text)
    for item in Item.objects.filter(run=run):
        assert item.outcome, item.status
        assert item.explanation or item.outcome in _PLAIN, (item.outcome, item.cause)
        assert_audited(item)
    assert not Hold.objects.exists()


_PLAIN = {"verified_dead", "already_dead", "skipped", "connected", "nothing_to_revoke"}


def assert_audited(item: Item) -> None:
    """Each sent revocation has an intent and an answer, and the item its end."""
    events = Event.objects.filter(item_id=item.pk)
    sent = Attempt.objects.filter(item=item, purpose__startswith="revoke")
    counts = [
        events.filter(action=action).count()
        for action in ("revoke_intended", "revoke_answered", "item_settled")
    ]
    assert counts == [sent.count(), sent.count(), 1], (item.outcome, counts)
    assert not sent.filter(state="intended").exists()


def revocations(fleet, effect: str | None = None) -> list[dict]:
    """Return what providers received of revocations."""
    return [
        row
        for row in fleet.emulator.log()
        if row["side"] == "provider"
        and row["path"].endswith("revoke")
        and effect in (None, row["effect"])
    ]


def platform_calls_after_revoke(fleet) -> int:
    """Return how many calls went through the platform to a provider after the first revocation."""
    first = revocations(fleet)[0]["seq"]
    return len(
        [
            row
            for row in fleet.emulator.log()
            if row["side"] == "element" and row["seq"] > first
        ]
    )


def generic(fleet, **site: str) -> ProviderApp:
    """Return an app of a server that is known by its RFC 7009 metadata alone."""
    fleet.emulator.control(
        "clients",
        {
            "provider": "generic",
            "client_id": "generic-client",
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [THEIR_CALLBACK],
        },
    )
    host = "https://auth.example.com/oauth"
    app = ProviderApp(
        name="Acme generic",
        organization=fleet.organization,
        provider_key="generic_rfc7009",
        element_key="generic",
        client_id="generic-client",
        site={
            "revocation_endpoint": f"{host}/revoke",
            "userinfo_endpoint": f"{host}/userinfo",
        }
        | site,
    )
    app.client_secret = CLIENT_SECRET
    app.save()
    fleet.apps["generic"] = app
    fleet.seed_element("generic", app)
    fleet.sync()
    return app


INTROSPECTION = "https://auth.example.com/oauth/introspect"
