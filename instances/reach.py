"""Which instances die with others: the same token, or as far as the provider's revocation reaches.

All of it is one statement however many instances are meant. Of a record that reaches beyond
the token (providers.choices.Reach) two instances are of one grant when family, account and
client are the same:

    family    the provider; the providers whose accounts one call logs out are one
    account   as the platform or the record names it, "" where nobody does
    client    of the provider app, else as the platform shows it; "" where it is masked, and
              "" is taken for the same: a revocation that hits too much is worse than a warning.
              Where everything of a user ends, whatever the app, it is not compared

Where an account is not known nobody can tell: such instances are `doubtful`, and never
counted among those that die.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat

from providers import catalogue
from providers.book import Book
from providers.catalogue import families_of
from providers.choices import Reach
from providers.spec import Provider

if TYPE_CHECKING:
    from instances.querysets import InstanceQuerySet

#: How such a key begins, where a fingerprint has the id of its own key.
KEY = "reach:"
#: Stands in no account, client or key.
_BETWEEN = Value("\x1f")
#: As `ceadmin.lib.redact.is_masked` knows it.
_MASK = "***"


def siblings(
    own: InstanceQuerySet, organization: int, off: Collection[str] = ()
) -> InstanceQuerySet:
    """Return the others of `organization` that die with `own`, which are of it too.

    `off`: providers whose call is not made, so that nothing of theirs dies.
    """
    records = _records(organization)
    lethal = _lethal_of(own, records, off)
    others = _others(own, organization)
    tokens = lethal.exclude(grant_fingerprint="").values("grant_fingerprint")
    same_token = others.exclude(grant_fingerprint="").filter(
        grant_fingerprint__in=tokens
    )
    same_grant = _same_grant(others, lethal, records)
    either = same_token.values("pk").union(same_grant.values("pk"))
    return own.model._default_manager.filter(pk__in=either)


def doubtful(
    own: InstanceQuerySet, organization: int, off: Collection[str] = ()
) -> InstanceQuerySet:
    """Return the others of which nobody can tell whether they die with `own`: their account, or one of `own`, is not known."""
    sure = siblings(own, organization, off)
    return possible(own, organization, off).exclude(pk__in=sure.values("pk"))


def possible(
    own: InstanceQuerySet, organization: int, off: Collection[str] = ()
) -> InstanceQuerySet:
    """Return the doubtful ones, and some of the siblings among them."""
    records = _records(organization)
    lethal = _wide(_lethal_of(own, records, off), records)
    unknown = Q(account="") | Q(provider_key__in=sorted(records.vague))
    homes = lethal.values("reach_home")
    open_homes = lethal.filter(unknown).values("reach_home")
    found = _wide(_others(own, organization), records).filter(
        Q(unknown, reach_home__in=homes) | Q(reach_home__in=open_homes)
    )
    return own.model._default_manager.filter(pk__in=found.values("pk"))


def key_of(provider: Provider, account: str, client_id: str) -> str:
    """Return by what two tokens are known to be of one grant, "" where nobody can tell.

    It names no account: it is kept with a run.
    """
    own = families_of([provider])
    family = _shipped().families.get(provider.key) or own.get(provider.key)
    client = "*" if provider.reach == Reach.USER else client_id
    if not (family and account and client) or not provider.names_accounts:
        return ""
    text = "\x1f".join((family, account, client))
    return f"{KEY}{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _lethal_of(
    own: InstanceQuerySet, records: _Records, off: Collection[str]
) -> InstanceQuerySet:
    return own.order_by().filter(provider_key__in=sorted(records.lethal - set(off)))


def _others(own: InstanceQuerySet, organization: int) -> InstanceQuerySet:
    same = own.model._default_manager.filter(organization=organization)
    return same.exclude(pk__in=own.order_by().values("pk"))


def _same_grant(others: InstanceQuerySet, lethal: Any, records: _Records) -> Any:
    """Narrow `others` to those of the accounts and clients of `lethal`."""
    known = _wide(lethal, records).exclude(account="")
    nameless = known.filter(reach_client="")
    pairs = Q(reach_pair__in=known.values("reach_pair"))
    pairs |= Q(reach_client="", reach_place__in=known.values("reach_place"))
    pairs |= Q(reach_place__in=nameless.values("reach_place"))
    # The account alone is what an index finds.
    near = _wide(others, records).filter(account__in=known.values("account"))
    return near.exclude(account="").filter(pairs)


def _wide(rows: Any, records: _Records) -> Any:
    """Narrow to records that reach beyond the token, with what their grants are compared by."""
    told = rows.filter(provider_key__in=sorted(records.families)).annotate(
        reach_client=_client(records)
    )
    family = _family(records)
    place = Concat(family, _BETWEEN, F("account"), output_field=CharField())
    return told.annotate(
        reach_place=place,
        reach_home=Concat(
            family, _BETWEEN, F("reach_client"), output_field=CharField()
        ),
        reach_pair=Concat(
            family,
            _BETWEEN,
            F("account"),
            _BETWEEN,
            F("reach_client"),
            output_field=CharField(),
        ),
    )


def _family(records: _Records) -> Combinable:
    renamed = [
        When(provider_key=key, then=Value(family))
        for key, family in records.families.items()
        if key != family
    ]
    return Case(*renamed, default=F("provider_key"), output_field=CharField())


def _client(records: _Records) -> Combinable:
    return Case(
        When(provider_key__in=sorted(records.any_client), then=Value("*")),
        When(provider_app__isnull=False, then=F("provider_app__client_id")),
        When(client_id__startswith=_MASK, then=Value("")),
        default=F("client_id"),
        output_field=CharField(),
    )


@dataclass(frozen=True, slots=True)
class _Records:
    """What the records of one organization say of reach, by provider key."""

    lethal: frozenset[str]  # something dies there at all
    families: Mapping[str, str]
    any_client: frozenset[str]  # everything of a user ends, whatever the app
    vague: frozenset[str]  # the platform names no account that could be compared


def _records(organization: int) -> _Records:
    own = Book(organization).own
    if not own:
        return _shipped()
    return _told_by([*catalogue.all(), *(known.provider for known in own.values())])


@cache
def _shipped() -> _Records:
    return _told_by(catalogue.all())


def _told_by(records: Sequence[Provider]) -> _Records:
    families = families_of(records)
    return _Records(
        lethal=frozenset(one.key for one in records if one.revocable),
        families=families,
        any_client=frozenset(one.key for one in records if one.reach == Reach.USER),
        vague=frozenset(
            one.key for one in records if one.key in families and not one.names_accounts
        ),
    )
