"""What tests of broken glass share: who breaks it, who looks at it, and what is kept of both."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, User
from instances import runs
from instances.models import BrokenGlass, Run
from tests.instances.approving import Court, now

WHY = "The secret is on a public page"
ADDRESS = "192.0.2.7"


def break_glass(court: Court, run: Run, user: User | None = None, **given) -> None:
    """Start it without approval, as Otto who owns Acme."""
    by = {"user": user or court.team.otto, "now": now(), "address": ADDRESS}
    runs.break_glass(run, **{"why": WHY, **by, **given})


def review(run: Run, user: User, note: str = "It was right") -> None:
    """Say what was found."""
    runs.review(run, user=user, now=now(), note=note, address=ADDRESS)


def broken(court: Court, **wish) -> Run:
    """Return a draft of Rita's that Otto started without approval."""
    run = court.draft(**wish)
    break_glass(court, run)
    return run


def glass_of(run: Run) -> BrokenGlass:
    """Return the mark as stored."""
    return BrokenGlass.objects.get(run=run)


def also(user: User, **roles: bool) -> None:
    """Give somebody more roles."""
    Membership.objects.filter(user=user).update(**roles)


def facts_of(event: Event) -> dict:
    """Return what an event keeps beside its columns."""
    return json.loads(event.text)["facts"]


def at_once(*acts) -> list[str]:
    """Do several things at the same moment; return what each came to."""
    start = Barrier(len(acts))

    def one(act) -> str:
        start.wait()
        try:
            act()
        except runs.RunError as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(one, acts))
