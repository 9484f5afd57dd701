"""Who of a run deals with which grant: the first to write its intent, for all workers at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ceadmin.lib.rows import Lookup, Rows, among
from instances.actions.calls import Call, Owner
from instances.choices import ITEM_OPEN, ItemStatus
from instances.models import GrantClaim, Item, Run

_CLAIMS = Rows(GrantClaim, "run_id", "fingerprint", "item_id")
_CLAIMED = Lookup(
    GrantClaim, "fingerprint", "fingerprint", "item_id", where="run_id = %s"
)

#: An item that waits for a person has done with its grant.
_AT_WORK = ITEM_OPEN - {ItemStatus.WAITING}
#: A provider's verdicts of which the grant may have died.
_YES = frozenset({"revoked", "already"})
_LOST = frozenset({"lost", "unclear"})


def claim_grants(run: Run, wanted: Sequence[tuple[Item, Call]]) -> dict[int, Owner]:
    """Claim the grants that calls would kill; return item → owner where another item has it."""
    keys = {item.pk: _keys(call) for item, call in wanted}
    if not any(keys.values()):
        return {}
    for item, call in wanted:
        if call.instead_of:  # seldom
            _take_over(run, item.pk, keys[item.pk], call.instead_of)
    # In one order everywhere: two workers must not wait for each other.
    claims = sorted((key, pk) for pk, own in keys.items() for key in own)
    _CLAIMS.insert_new([(run.pk, *claim) for claim in claims])
    owners = dict(_CLAIMED.find({key for key, _ in claims}, run.pk))
    refused = {
        item.pk: owner
        for item, call in wanted
        if (owner := _other(item.pk, call, owners)) is not None
    }
    if not refused:
        return {}
    _give_up(run, {pk: keys[pk] for pk in refused})
    return _how_far(refused)


def _give_up(run: Run, keys: Mapping[int, Sequence[str]]) -> None:
    """Take back what those claimed who do not have all: else two could wait for each other."""
    for item, own in keys.items():
        mine = GrantClaim.objects.filter(run=run, fingerprint__in=own)
        mine.filter(item_id=item).delete()


def _tokens(call: Call) -> list[str]:
    """Return by what the token itself is known."""
    return [one for one in (call.grant, *call.grant_before) if one]


def _keys(call: Call) -> list[str]:
    return [*_tokens(call), call.reach] if call.reach else _tokens(call)


def _take_over(run: Run, item: int, keys: Iterable[str], before: int) -> None:
    """Take the grants of an item that did not kill them; of two who try, one finds none left."""
    mine = GrantClaim.objects.filter(run=run, fingerprint__in=list(keys))
    mine.filter(item_id=before).update(item_id=item)


def _other(item: int, call: Call, owners: Mapping[str, int]) -> tuple[int, bool] | None:
    """Return who else has a call's grant, and whether by the same token; None for nobody."""
    for key in _keys(call):
        if owners[key] != item:
            return owners[key], key != call.reach
    return None


def _how_far(refused: Mapping[int, tuple[int, bool]]) -> dict[int, Owner]:
    """Read what became of the owners; seldom, as most grants are nobody else's."""
    rows = Item.objects.filter(among(Item, "id", {pk for pk, _ in refused.values()}))
    found = {pk: row for pk, *row in rows.values_list("pk", "status", "facts")}
    return {
        item: _owner(pk, same_token, *found.get(pk, _GONE))
        for item, (pk, same_token) in refused.items()
    }


#: An owner whose item was removed does nothing more.
_GONE: list[Any] = [ItemStatus.DONE.value, {}]


def _owner(pk: int, same_token: bool, status: str, facts: Mapping[str, Any]) -> Owner:
    told = zip(facts.get("tokens") or (), facts.get("said") or (), strict=False)
    return Owner(
        pk,
        same_token,
        ended=status not in _AT_WORK,
        taken=tuple((kind, word) for kind, word in told if word in _YES),
        lost=bool(_LOST & set(facts.get("said") or ())),
    )
