"""Messages that are lost, doubled, or never sent since nobody keeps the schedule."""

from ceadmin.lib import nudge as nudges
from tests.worker.ledger import Ledger
from tests.worker.rig import rig

__all__ = ["rig"]


def test_every_message_comes_twice(rig, monkeypatch):
    count = rig.crowd()
    send = nudges._send
    monkeypatch.setattr(
        nudges, "_send", lambda *message: [send(*message) for _ in range(2)]
    )
    rig.worker("one", "twice")
    rig.worker("two", "twice")
    rig.slow(0, 0.3)

    run = rig.begin()
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert rig.revoked() == count


def test_every_message_is_lost_and_the_schedule_finds_the_work(rig, monkeypatch):
    count = rig.crowd(20)
    rig.worker("mute", "mute")
    monkeypatch.setattr(nudges, "_send", lambda *_: None)
    run = rig.begin()
    asked = rig.ask()

    rig.beat()
    rig.ended(run, ticking=False)
    rig.ended(asked, ticking=False)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    Ledger(rig.fleet, asked).check(count)
    assert rig.revoked() == count


def test_without_a_schedule_a_run_ends_and_two_at_once_do_no_harm(rig, monkeypatch):
    count = rig.crowd(20)
    rig.worker(processes=2)
    first = rig.begin()
    rig.ended(first, ticking=False)
    Ledger(rig.fleet, first).check(count, verified_dead=count)

    with monkeypatch.context() as silent:
        silent.setattr(nudges, "_send", lambda *_: None)
        second = rig.begin("probe")
    (rig.folder / "one-schedule").write_bytes(b"not a schedule")
    rig.beat("one")
    rig.beat("two")
    rig.ended(second, ticking=False)

    Ledger(rig.fleet, second).check(count)
