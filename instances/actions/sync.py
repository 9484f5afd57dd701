"""Sync, the part that only reads: all instances of an organization, page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from instances import cloud_elements
from instances.actions.calls import Call, Flow, Wait
from instances.actions.talk import ask
from instances.cloud_elements import Code, Credentials, Page, Refused, RemoteInstance

#: A listing has no person waiting for it and is worth more patience than a probe.
_TRIES = 5
_PATIENCE = 120.0
#: Between two instances read by id, so that a light list of thousands does not become a burst.
PACE = 0.05

#: Rows per page, smaller once a page was larger than the seam reads: some elements' rows are long.
_SIZES = (200, 40, 8)

Deliver = Callable[[Page], None]
Wants = Callable[[RemoteInstance], bool]


@dataclass(slots=True)
class Listed:
    """What a listing came to."""

    seen: set[str] = field(default_factory=set)  # remote ids delivered
    total: int | None = None  # as the platform counted last
    unreadable: int = 0  # rows without an id
    gone: int = 0  # deleted between the list and the look at them
    cut: bool = False  # the platform lost the thread before the last page
    size: int = 0  # index of the page size in use

    @property
    def complete(self) -> bool:
        """Tell whether what was not seen may be called vanished."""
        counted = self.total is None or len(self.seen) + self.gone >= self.total
        return counted and not self.unreadable and not self.cut


def pages(
    credentials: Credentials,
    deliver: Deliver,
    *,
    wants_detail: Wants = lambda _: True,
    pace: float = PACE,
) -> Flow[Listed]:
    """Hand every page to `deliver` as it comes, each instance once; raises PlatformError.

    Where the list holds no configuration, the instances that `wants_detail` picks are read by id, one
    after another. What was delivered before an error stays delivered.
    """
    listed, cursor, used = Listed(), "", set[str]()
    while True:
        page = yield from _page(credentials, cursor, listed)
        _count(listed, page, follow_up=bool(cursor))
        rows = {instance.remote_id: instance for instance in page.instances}
        fresh = [rows[remote_id] for remote_id in rows if remote_id not in listed.seen]
        detailed = yield from _detailed(credentials, fresh, wants_detail, pace)
        listed.gone += len(fresh) - len(detailed)
        listed.seen.update(instance.remote_id for instance in detailed)
        deliver(replace(page, instances=tuple(detailed)))
        used.add(cursor)
        cursor = page.next_page
        if not cursor:
            return listed
        if cursor in used:
            raise Refused(Code.PAGING_LOOP)


def _page(credentials: Credentials, cursor: str, listed: Listed) -> Flow[Page]:
    """Ask for a page, and for shorter ones from there on when it is larger than is read."""
    while True:
        size = _SIZES[listed.size]
        request = cloud_elements.list_instances(
            credentials, next_page=cursor, page_size=size
        )
        call = Call(request, purpose="list", secrets=credentials.secrets)
        reader = cloud_elements.read_page
        try:
            return (yield from ask(call, reader, tries=_TRIES, patience=_PATIENCE))
        except Refused as problem:
            if problem.code != Code.TOO_LARGE or size == _SIZES[-1]:
                raise
        listed.size += 1


def _count(listed: Listed, page: Page, *, follow_up: bool) -> None:
    listed.unreadable += page.unreadable
    if not follow_up or page.instances:
        listed.total = page.total if page.total is not None else listed.total
    elif listed.total is None:
        # "Nothing found" in the middle: the end of the list, or a cursor that the platform forgot.
        listed.cut = True


def _detailed(
    credentials: Credentials, instances: list[RemoteInstance], wants: Wants, pace: float
) -> Flow[list[RemoteInstance]]:
    found: list[RemoteInstance] = []
    for instance in instances:
        if instance.configuration is None and wants(instance):
            yield Wait(pace)
            found += yield from _detail(credentials, instance)
        else:
            found.append(instance)
    return found


def _detail(
    credentials: Credentials, instance: RemoteInstance
) -> Flow[list[RemoteInstance]]:
    """Come to the instance with its configuration; to nothing when it was deleted meanwhile."""
    request = cloud_elements.instance_by_id(credentials, instance.remote_id)
    reader = partial(cloud_elements.read_instance, expected_id=instance.remote_id)
    call = Call(request, purpose="list_detail", secrets=credentials.secrets)
    try:
        return [(yield from ask(call, reader, tries=_TRIES, patience=_PATIENCE))]
    except Refused as problem:
        return [] if problem.code == Code.NOT_FOUND else [instance]
