"""The demo's world as `world.toml` describes it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("world.toml")
#: The tag of the instances that drills may kill.
DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person of the demo."""

    name: str
    mail: str
    does: str
    superuser: bool = False
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class App:
    """A provider app."""

    name: str
    provider: str
    element: str
    client_id: str
    mode: str

    @property
    def short(self) -> str:
        """The provider as people call it."""
        return self.name.rpartition(" for ")[2]


@dataclass(frozen=True, slots=True)
class Seed:
    """One instance at the platform."""

    number: int
    app: App
    name: str
    tags: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization with its apps and instances."""

    name: str
    slug: str
    number: int
    base_url: str
    apps: tuple[App, ...]
    seeds: tuple[Seed, ...]

    @property
    def callback_url(self) -> str:
        """The address that its instances carry: that of the customer's own product."""
        return f"https://app.{self.slug}.example/oauth/callback"

    def drills(self) -> list[Seed]:
        """Return the instances that drills may kill."""
        return [seed for seed in self.seeds if DRILL in seed.tags]


@dataclass(frozen=True, slots=True)
class World:
    """Everything the demo loads, and what can be spoiled."""

    people: tuple[Somebody, ...]
    tenants: tuple[Tenant, ...]
    faults: Mapping[str, Mapping[str, Any]]


@functools.cache
def world() -> World:
    """Return the demo's world."""
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return World(
        people=tuple(Somebody(**row) for row in read["people"]),
        tenants=tuple(_tenant(row) for row in read["organizations"]),
        faults=read["faults"],
    )


def _tenant(row: Mapping[str, Any]) -> Tenant:
    apps = tuple(App(**app) for app in row["apps"])
    plain = {name: row[name] for name in ("name", "slug", "number", "base_url")}
    return Tenant(**plain, apps=apps, seeds=tuple(_seeds(row, apps)))


def _seeds(row: Mapping[str, Any], apps: tuple[App, ...]) -> Iterator[Seed]:
    number = row["first_instance"]
    for customer in row["customers"]:
        for app, state in zip(apps, customer["states"], strict=True):
            if state:
                name = f"{customer['name']} {app.short}"
                yield Seed(number, app, name, tuple(customer["tags"]), state)
                number += 1
