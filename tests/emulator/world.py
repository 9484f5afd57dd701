"""The state of the emulated world: tables, indexes, clock, switches, and what has to be saved."""

from __future__ import annotations

import time
from bisect import bisect_left
from pathlib import Path
from secrets import token_hex
from typing import Any

from .elements import ELEMENTS
from .profiles import PROFILES, Profile, recorded
from .recording import Shelf
from .records import (
    KINDS,
    Account,
    Client,
    Code,
    Element,
    Grant,
    Instance,
    Organization,
    Record,
    Server,
    Setting,
)
from .store import Row, Store
from .switches import SWITCHES, check


class World:
    """Everything that exists. Used by one thread only: the server's loop."""

    def __init__(self, path: Path | None = None) -> None:
        self.store = Store(path)
        self._tables: dict[str, dict[Any, Any]] = {}
        self._changed: dict[tuple[str, Any], Record | None] = {}
        self.logins: dict[str, int] = {}
        self.recordings = Shelf()
        self._empty()
        for kind, _key, fields in self.store.load():
            if fields is not None:
                self._put(KINDS[kind](**fields))
        self._add_defaults()

    # -- tables ----------------------------------------------------------------------------------

    def _empty(self) -> None:
        self.organizations: dict[int, Organization] = {}
        self.clients: dict[str, Client] = {}
        self.accounts: dict[str, Account] = {}
        self.grants: dict[int, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.instances: dict[int, Instance] = {}
        self.elements: dict[str, Element] = {}
        self.servers: dict[str, Server] = {}
        self.settings: dict[str, Setting] = {}
        tables = (
            self.organizations, self.clients, self.accounts, self.grants, self.codes,
            self.instances, self.elements, self.servers, self.settings,
        )  # fmt: skip
        self._tables = dict(zip(_TABLE_KINDS, tables, strict=True))
        self._by_element_token: dict[str, int] = {}
        self._by_user_secret: dict[str, int] = {}
        self._by_token: dict[str, int] = {}
        self._by_grant: dict[int, set[int]] = {}
        self._by_organization: dict[int, list[int]] = {}
        self._ids: dict[str, int] = {}

    def _add_defaults(self) -> None:
        for element in ELEMENTS:
            self.elements.setdefault(element.key, element)
        self.servers.setdefault("auth.example.com", Server("auth.example.com"))

    def save(self, record: Record) -> None:
        """Keep a new or changed row."""
        self._put(record)
        self._changed[record.KIND, record.key] = record

    def remove(self, record: Record) -> None:
        """Forget a row."""
        self._tables[record.KIND].pop(record.key, None)
        self._changed[record.KIND, record.key] = None
        if isinstance(record, Instance):
            self._by_element_token.pop(record.token, None)
            self._by_grant.get(record.grant, set()).discard(record.id)
            self._by_organization[record.organization].remove(record.id)

    def _put(self, record: Record) -> None:
        self._tables[record.KIND][record.key] = record
        if isinstance(record, Instance):
            self._by_element_token[record.token] = record.id
            self._by_grant.setdefault(record.grant, set()).add(record.id)
            self._order(record)
        elif isinstance(record, Grant):
            self._by_token.update(dict.fromkeys(record.tokens, record.id))
        elif isinstance(record, Organization):
            self._by_user_secret[record.user_secret] = record.id
        if isinstance(record, Instance | Grant | Organization):
            self._ids[record.KIND] = max(self._ids.get(record.KIND, 0), record.id)

    def _order(self, instance: Instance) -> None:
        """Keep the ids of an organization's instances in order, so that a page is a slice."""
        ids = self._by_organization.setdefault(instance.organization, [])
        place = bisect_left(ids, instance.id)
        if place == len(ids) or ids[place] != instance.id:
            ids.insert(place, instance.id)

    def instances_of_organization(self, organization: Organization) -> list[Instance]:
        """Return an organization's instances in the order of their ids."""
        return [self.instances[number] for number in self.ids_of(organization)]

    def ids_of(self, organization: Organization) -> list[int]:
        """Return the ids of an organization's instances in order; not to be changed."""
        return self._by_organization.get(organization.id, [])

    def next_id(self, kind: str) -> int:
        """Return an id that no row of this kind has had."""
        first = {"instance": 471000, "organization": 300}.get(kind, 0)
        self._ids[kind] = max(self._ids.get(kind, 0), first) + 1
        return self._ids[kind]

    def reset(self) -> None:
        """Forget everything, switches too."""
        self._empty()
        self._changed.clear()
        self.logins.clear()
        self.recordings.clear()
        self.store.rewrite([])
        self._add_defaults()

    # -- look-ups --------------------------------------------------------------------------------

    def instance_by_token(self, token: str) -> Instance | None:
        """Return the instance of an element token."""
        return self.instances.get(self._by_element_token.get(token, 0))

    def organization_by_user(self, secret: str) -> Organization | None:
        """Return the organization of a user secret."""
        found = self.organizations.get(self._by_user_secret.get(secret, 0))
        return found if found is not None and found.user_secret == secret else None

    def grant_by_token(self, token: str) -> Grant | None:
        """Return the grant that a provider's token, live or dead, belongs to."""
        grant = self.grants.get(self._by_token.get(token, 0))
        return grant if grant is not None and token in grant.tokens else None

    def profile(self, provider: str) -> Profile:
        """Return how a provider behaves; raises LookupError when neither code nor recording knows it."""
        own = PROFILES.get(provider)
        if own is not None:
            return own
        recording = self.recordings.find(provider)
        if recording is None:
            raise LookupError(f"provider {provider}")
        return recorded(recording)

    def instances_of_grant(self, grant: Grant | None) -> list[int]:
        """Return the ids of the instances that hold this grant."""
        return sorted(self._by_grant.get(grant.id, ())) if grant is not None else []

    def move_to_grant(self, instance: Instance, grant: Grant) -> None:
        """Let an instance hold another grant."""
        self._by_grant.get(instance.grant, set()).discard(instance.id)
        instance.grant = grant.id
        self.save(instance)

    # -- clock and switches ----------------------------------------------------------------------

    def now(self) -> float:
        """Return the world's time, which a test may move."""
        moved = self.settings.get("clock_offset")
        return time.time() + (moved.value if moved is not None else 0)

    def advance(self, seconds: float) -> None:
        """Move the world's clock."""
        moved = self.settings.get("clock_offset")
        self.save(
            Setting("clock_offset", (moved.value if moved is not None else 0) + seconds)
        )

    def switch(self, name: str) -> Any:
        """Return a switch's value."""
        held = self.settings.get(name)
        return SWITCHES[name].default if held is None else held.value

    def set_switch(self, name: str, value: Any) -> None:
        """Set a switch; raises UnknownSwitch."""
        check(name, value)
        self.save(Setting(name, value))

    # -- saving ----------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write what changed since the last time."""
        if self._changed:
            rows: list[Row] = [
                (kind, key, vars(record) if record is not None else None)
                for (kind, key), record in self._changed.items()
            ]
            self._changed = {}
            self.store.append(rows)

    def close(self) -> None:
        """Write the rest and close the file."""
        self.flush()
        self.store.close()


def request_id() -> str:
    """Return a request id as the platform makes them: 24 hexadecimal digits."""
    return token_hex(12)


_TABLE_KINDS = (
    "organization", "client", "account", "grant", "code", "instance", "element", "server", "setting",
)  # fmt: skip
