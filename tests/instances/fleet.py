"""An organization with instances, here and at the emulator, and runs worked in this process."""

import time
from dataclasses import dataclass, field

from django.utils import timezone

from instances import runs, selection
from instances.choices import RunKind, RunStatus
from instances.models import Instance, Item, Run
from providers.models import ProviderApp
from tests.instances.reconnecting import ELEMENTS, THEIR_CALLBACK, make_app
from tests.people import ORGANIZATION_SECRET, USER_SECRET, allow_alone


@dataclass
class Fleet:
    """One organization's provider apps and instances on both sides."""

    emulator: object
    organization: object
    user: object
    apps: dict[str, ProviderApp] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = self.emulator.control(
            "organizations",
            {
                "id": 1,
                "user_secret": USER_SECRET,
                "organization_secret": ORGANIZATION_SECRET,
            },
        )
        self.remote_organization = made["id"]
        allow_alone(self.organization)

    def app(self, provider: str, mode: str = "ours") -> ProviderApp:
        """Return the app of a provider, registered on both sides."""
        if provider not in self.apps:
            self.apps[provider] = make_app(
                self.emulator, self.organization, provider, mode
            )
        return self.apps[provider]

    def seed(self, provider: str = "box", count: int = 1, **row) -> list[dict]:
        """Make instances at the platform."""
        app = self.app(provider)
        wanted = {
            "organization": self.remote_organization,
            "element": ELEMENTS[provider],
            "client_id": app.client_id,
            "callback_url": THEIR_CALLBACK,
        } | row
        rows = [wanted | {"name": f"{provider} {n}"} | row for n in range(count)]
        return self.emulator.control("instances", rows)["instances"]

    def seed_element(self, element: str, app: ProviderApp, **row) -> dict:
        """Make one instance of an element at the platform."""
        wanted = {
            "organization": self.remote_organization,
            "element": element,
            "client_id": app.client_id,
            "callback_url": THEIR_CALLBACK,
        }
        return self.emulator.control("instances", wanted | row)["instances"][0]

    def run(self, kind: str, chosen=None, **options) -> Run:
        """Make a run, plan it, start it where it is a draft, and work it to its end."""
        run = self.draft(kind, chosen, **options)
        if run.status == RunStatus.DRAFT:
            runs.start(run, user=self.user, now=timezone.now(), reason="a test")
        return self.work(run)

    def draft(self, kind: str, chosen=None, **options) -> Run:
        """Make a run and plan it."""
        run = runs.create(
            kind,
            self.organization,
            chosen or selection.everything(),
            user=self.user,
            now=timezone.now(),
            options=options,
        )
        runs.plan(run.pk, now=timezone.now())
        run.refresh_from_db()
        return run

    def work(self, run: Run) -> Run:
        """Work a run in this process."""
        runs.work(run.pk, worker="test")
        run.refresh_from_db()
        return run

    def sync(self) -> Run:
        """Mirror the platform's instances; where a worker lives, it may be the one that does."""
        run = self.run(RunKind.SYNC)
        for _ in range(200):
            if run.status != RunStatus.RUNNING:
                break
            time.sleep(0.05)
            run.refresh_from_db()
        return run

    def synced(self, provider: str = "box", count: int = 1, **row) -> list[Instance]:
        """Make instances at the platform and mirror them here."""
        made = self.seed(provider, count, **row)
        self.sync()
        ids = [str(one["id"]) for one in made]
        return list(Instance.objects.filter(remote_id__in=ids).order_by("pk"))

    def truth(self, instance: Instance) -> dict:
        """Return how the instance stands at the emulator."""
        return self.emulator.control(f"instances/{instance.remote_id}")

    def fault(self, kind: str, path: str, **rule) -> None:
        """Spoil an answer of the emulator."""
        self.emulator.control(
            "faults", {"kind": kind, "match": {"path": path}, "times": 1} | rule
        )

    def switch(self, **values) -> None:
        """Change an assumption of the emulator."""
        self.emulator.control("switches", values)


def only_item(run: Run) -> Item:
    """Return the one item of a run."""
    return Item.objects.get(run=run)
