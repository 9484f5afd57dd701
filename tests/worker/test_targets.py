"""Targets that cut and drip: what was received is verified, and not sent again blindly."""

from collections import Counter

import pytest

from instances.models import Attempt, Item
from tests.worker.ledger import Ledger, is_revocation
from tests.worker.rig import rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest


def test_targets_cut_the_connection_after_and_before_they_revoke(rig):
    count = rig.crowd()
    rig.fleet.fault("cut", "*revoke", times=20, when="after")
    rig.fleet.fault("cut", "*revoke", times=8, when="before", skip=10)
    rig.worker("one")
    rig.worker("two")

    run = rig.begin()
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    causes = Counter(Item.objects.filter(run=run).values_list("cause", flat=True))
    assert causes["answer_lost"] >= 20
    assert Attempt.objects.filter(item__run=run, state="lost").count() == 28
    log = [row for row in rig.fleet.emulator.log() if is_revocation(row)]
    unheeded = [row for row in log if row["effect"] == "not_processed"]
    assert len(log) == count + len(unheeded)


def test_answers_drip_and_some_never_end(rig):
    count = rig.crowd(20)
    drips = {"when": "after", "part": "headers"}
    rig.fleet.fault("drip", "*revoke", times=6, interval=0.01, **drips)
    rig.fleet.fault("drip", "*revoke", times=4, skip=6, interval=1, **drips)
    rig.worker("impatient", "deadline=6")

    run = rig.begin()
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert Attempt.objects.filter(item__run=run, state="lost").count() >= 4
    assert rig.revoked() == count
