"""The bench's organization and its instances, made without the platform."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from ceadmin.lib.rows import Rows
from ceadmin.lib.sealed import seal
from ceadmin.teams.models import Membership, Organization, User
from instances import runs, selection
from instances.choices import ItemStatus, Outcome, RunStatus
from instances.models import Instance, Item, Run
from instances.models.instance import instance_uid
from providers.choices import CallbackMode, LimitScope
from providers.models import Limit, ProviderApp
from tests.bench import wire
from tests.bench.wire import Kind
from tests.people import allow_alone

BATCH = 2000
#: More calls a second, and more at once, than any cell makes.
AMPLE, MANY = 50_000.0, 2_000
_BOX = {"scope": LimitScope.PROVIDER, "provider_key": "box"}

#: How every item of a run has to end; anything else is no measurement.
EXPECTED: dict[Kind, Outcome] = {
    "probe": Outcome.CONNECTED,
    "revoke": Outcome.VERIFIED_DEAD,
}


class Fleet:
    """One organization, one Box app, one person who may do everything, and `count` instances."""

    def __init__(self, count: int) -> None:
        """Make them."""
        self.organization = Organization(
            name="Bench", slug="bench", base_url="https://api.cloud-elements.com"
        )
        self.organization.user_secret = wire.USER_SECRET
        self.organization.organization_secret = wire.ORGANIZATION_SECRET
        self.organization.save()
        allow_alone(self.organization)
        self.app = ProviderApp(
            organization=self.organization,
            name="Box",
            provider_key="box",
            element_key="box",
            client_id=wire.CLIENT_ID,
            callback_mode=CallbackMode.OURS,
        )
        self.app.client_secret = wire.CLIENT_SECRET
        self.app.save()
        self._limit()
        self.user = self._person()
        self.count = 0
        self.add(count)

    def _limit(self) -> None:
        """Set limits that are asked before every call and never bind."""
        for scope in ({"scope": LimitScope.PLATFORM}, _BOX):
            Limit.objects.create(
                organization=self.organization, rate=AMPLE, concurrency=MANY, **scope
            )

    def _person(self) -> User:
        user = User.objects.create_user(
            email="bench@example.com", password="correct horse battery", name="Bench"
        )
        user.is_staff = True
        user.save()
        roles = {"is_owner": True, "is_operator": True, "is_revoker": True}
        Membership.objects.create(organization=self.organization, user=user, **roles)
        return user

    def add(self, count: int) -> None:
        """Make `count` more instances."""
        numbers = iter(range(self.count, self.count + count))
        like = self._instance()
        names = [one.attname for one in Instance._meta.concrete_fields[1:]]
        table = Rows(Instance, *names)
        while batch := list(islice(numbers, BATCH)):
            table.insert([self._row(like, names, number) for number in batch])
        self.count += count

    def _row(self, like: Instance, names: list[str], number: int) -> tuple[Any, ...]:
        remote_id = f"{number:0{wire.DIGITS}d}"
        uid = instance_uid(self.organization.uid, remote_id)
        token = seal("instance.element_token", uid, wire.element_token(number))
        own = {"uid": uid, "remote_id": remote_id, "name": f"box {number}"}
        own["element_token"] = token
        return tuple(
            own[name] if name in own else getattr(like, name) for name in names
        )

    def _instance(self) -> Instance:
        now = timezone.now()
        return Instance(
            organization=self.organization,
            provider_app=self.app,
            element_key="box",
            hub="documents",
            provider_key="box",
            client_id=wire.CLIENT_ID,
            status_since=now,
            created_at=now,
        )

    def draft(
        self, kind: Kind, count: int, connections: int, *, planned: bool = True
    ) -> Run:
        """Return a run over the first `count` instances that waits to be started (or planned)."""
        wanted = selection.everything() if count == self.count else self._first(count)
        with transaction.atomic():  # or a worker would plan it, and begin a probe
            run = runs.create(
                kind, self.organization, wanted, user=self.user, now=timezone.now()
            )
            Run.objects.filter(pk=run.pk).update(status=RunStatus.DRAFT)
            if planned:
                runs.plan(run.pk, now=timezone.now())
            Run.objects.filter(pk=run.pk).update(connections=connections)
        run.refresh_from_db()
        return run

    def _first(self, count: int) -> dict:
        return selection.of_instances(self._pks(count))

    def _pks(self, count: int) -> Iterator[int]:
        own = Instance.objects.of(self.organization).order_by("pk")
        return own.values_list("pk", flat=True)[:count]

    def stop(self, run: Run) -> None:
        """End a run for good, as the button does."""
        runs.stop(run, user=self.user, now=timezone.now())

    def start(self, run: Run) -> None:
        """Set a draft going, as the button does."""
        runs.start(run, user=self.user, now=timezone.now(), reason="the bench")


def check(run: Run, kind: Kind) -> None:
    """Raise AssertionError unless every item ended as it has to."""
    items = Item.objects.filter(run=run)
    rows = items.values_list("status", "outcome", "cause").distinct()
    wanted = [(ItemStatus.DONE, EXPECTED[kind])]
    found = sorted({(status, outcome) for status, outcome, _ in rows})
    if found != wanted:
        raise AssertionError(f"{kind}: {sorted(set(rows))} instead of {wanted}")
