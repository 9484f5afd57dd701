"""What one organization sets for itself binds no other one; what a record says binds all."""

import pytest

from ceadmin.lib.ratelimit import Limit as Pace
from ceadmin.lib.ratelimit import Limiter
from instances.engine.gate import Gate
from instances.engine.lanes import Thread
from instances.models import Chunk, Item
from providers import catalogue
from providers.limits import Limits

HOST = "host:api.box.com"


def scopes(organization: str, limits: Limits) -> dict[str, Pace]:
    """Return what a call to Box counts in, and the limits there."""
    gate = Gate("probe", organization, limits, Limiter("apart"))
    item = Item(provider_key="box")
    lane = gate._open("api.box.com", Thread(item, Chunk(), iter(())))
    return {scope.name: scope.limit for scope in lane.scopes}


def test_an_organization_s_own_limit_is_a_scope_of_its_own(broker):
    own = Pace(rate=1e-6, concurrency=1000)

    found = scopes("A", Limits(providers={"box": own}))

    assert found == {HOST: Pace(), f"org:A:{HOST}": own}
    assert scopes("B", Limits()) == {HOST: Pace()}


@pytest.mark.parametrize("own", [Pace(rate=5), Pace(concurrency=2), Pace()])
def test_what_a_record_says_is_kept_by_all_unless_replaced(own, broker, monkeypatch):
    record = catalogue.get("box")
    said = type(record.limits)(rate=20.0, concurrency=10)
    monkeypatch.setattr(
        catalogue, "find", lambda key: type("Box", (), {"limits": said})()
    )

    shared = Limits(providers={"box": own}).shared("box")

    assert shared.rate == (None if own.rate else 20.0)
    assert shared.concurrency == (None if own.concurrency else 10)
