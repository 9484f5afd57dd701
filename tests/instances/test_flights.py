"""How much a shard keeps ready: enough for fast calls, little enough to leave others something."""

import pytest

from instances.engine import flights
from instances.engine.flights import Flights
from instances.engine.lanes import Thread
from instances.models import Chunk, Item


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved."""
    now = [100.0]
    monkeypatch.setattr(flights.time, "monotonic", lambda: now[0])
    return now


def flown(flying: Flights, clock, seconds: float, times: int) -> None:
    """Let so many flows take so long, one after the other."""
    for number in range(times):
        thread = Thread(Item(pk=number, provider_key="box"), Chunk(), iter(()))
        flying.begin(thread)
        clock[0] += seconds
        flying.end(thread)


def test_one_round_is_ready_while_nothing_is_known():
    assert Flights().rounds == 1


@pytest.mark.parametrize(
    ("seconds", "rounds"), [(0.0, 4), (0.05, 4), (0.5, 2), (5.0, 1)]
)
def test_what_is_worked_in_a_second_is_ready_and_four_rounds_at_most(
    clock, seconds, rounds
):
    flying = Flights()

    flown(flying, clock, seconds, 50)

    assert flying.rounds == pytest.approx(rounds, rel=0.05)
    assert len(flying) == 0
