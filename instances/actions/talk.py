"""Sending one call of a flow and reading its answer: `ask` for reads, `tell` for writes.

Reads are repeated here and nowhere else, and only when an answer was temporarily not to be had. Writes
are never repeated: the engine, whose rows count the attempts, decides about them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from ceadmin.lib import http
from instances.actions.calls import PATIENCE, Call, Flow, TooLong, Wait
from instances.cloud_elements import (
    PlatformError,
    RateLimited,
    Unreachable,
    from_transport,
)

T = TypeVar("T")
Reader = Callable[[http.Answer], T]

_FIRST_PAUSE = 1.0


def ask(
    call: Call, reader: Reader[T], *, tries: int = 2, patience: float = PATIENCE
) -> Flow[T]:
    """Come to what `reader` makes of the answer; raises PlatformError, after at most `tries` sends."""
    for number in range(1, tries):
        try:
            return (yield from _exchange(call, reader, write=False))
        except (Unreachable, RateLimited) as problem:
            told = problem
        try:
            yield Wait(_pause(told, number), patience)
        except TooLong:
            raise told from None
    return (yield from _exchange(call, reader, write=False))


def tell(call: Call, reader: Reader[T]) -> Flow[T]:
    """Come to what `reader` makes of the answer to a write, sent once; raises PlatformError."""
    return (yield from _exchange(call, reader, write=True))


def _exchange(call: Call, reader: Reader[T], *, write: bool) -> Flow[T]:
    try:
        answer = yield call
    except http.HttpError as error:
        raise from_transport(error, write=write) from error
    if answer is None:
        raise TypeError("a driver has to answer a call")
    try:
        return reader(answer)
    except PlatformError as problem:
        problem.secrets = call.secrets  # readers do not know them
        raise


def _pause(problem: PlatformError, number: int) -> float:
    if isinstance(problem, RateLimited) and problem.retry_after is not None:
        return problem.retry_after
    # Spread out, so that the items of a run do not come back all at once.
    return float(_FIRST_PAUSE * 2 ** (number - 1) * random.uniform(0.5, 1.5))  # noqa: S311
