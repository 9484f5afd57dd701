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
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any

from django.db.models import Case, CharField, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat

from providers import catalogue
from providers.choices import Reach

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
    lethal = _lethal_of(own, off)
    others = _others(own, organization)
    tokens = lethal.exclude(grant_fingerprint="").values("grant_fingerprint")
    same_token = others.exclude(grant_fingerprint="").filter(
        grant_fingerprint__in=tokens
    )
    same_grant = _same_grant(others, _wide(lethal))
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
    lethal, vague = _wide(_lethal_of(own, off)), sorted(_vague())
    unknown = Q(account="") | Q(provider_key__in=vague)
    homes = lethal.values("reach_home")
    open_homes = lethal.filter(unknown).values("reach_home")
    found = _wide(_others(own, organization)).filter(
        Q(unknown, reach_home__in=homes) | Q(reach_home__in=open_homes)
    )
    return own.model._default_manager.filter(pk__in=found.values("pk"))


def key_of(provider_key: str, account: str, client_id: str) -> str:
    """Return by what two tokens are known to be of one grant, "" where nobody can tell.

    It names no account: it is kept with a run.
    """
    family = catalogue.families().get(provider_key)
    client = "*" if provider_key in _any_client() else client_id
    if not (family and account and client) or provider_key in _vague():
        return ""
    text = "\x1f".join((family, account, client))
    return f"{KEY}{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _lethal_of(own: InstanceQuerySet, off: Collection[str]) -> InstanceQuerySet:
    return own.order_by().filter(provider_key__in=sorted(_lethal() - set(off)))


def _others(own: InstanceQuerySet, organization: int) -> InstanceQuerySet:
    same = own.model._default_manager.filter(organization=organization)
    return same.exclude(pk__in=own.order_by().values("pk"))


def _same_grant(others: InstanceQuerySet, lethal: Any) -> Any:
    """Narrow `others` to those of the accounts and clients of `lethal`."""
    known = lethal.exclude(account="")
    nameless = known.filter(reach_client="")
    pairs = Q(reach_pair__in=known.values("reach_pair"))
    pairs |= Q(reach_client="", reach_place__in=known.values("reach_place"))
    pairs |= Q(reach_place__in=nameless.values("reach_place"))
    # The account alone is what an index finds.
    near = _wide(others).filter(account__in=known.values("account"))
    return near.exclude(account="").filter(pairs)


def _wide(rows: Any) -> Any:
    """Narrow to records that reach beyond the token, with what their grants are compared by."""
    told = rows.filter(provider_key__in=sorted(catalogue.families())).annotate(
        reach_client=_client()
    )
    place = Concat(_family(), _BETWEEN, F("account"), output_field=CharField())
    return told.annotate(
        reach_place=place,
        reach_home=Concat(
            _family(), _BETWEEN, F("reach_client"), output_field=CharField()
        ),
        reach_pair=Concat(
            _family(),
            _BETWEEN,
            F("account"),
            _BETWEEN,
            F("reach_client"),
            output_field=CharField(),
        ),
    )


def _family() -> Combinable:
    renamed = [
        When(provider_key=key, then=Value(family))
        for key, family in catalogue.families().items()
        if key != family
    ]
    return Case(*renamed, default=F("provider_key"), output_field=CharField())


def _client() -> Combinable:
    return Case(
        When(provider_key__in=sorted(_any_client()), then=Value("*")),
        When(provider_app__isnull=False, then=F("provider_app__client_id")),
        When(client_id__startswith=_MASK, then=Value("")),
        default=F("client_id"),
        output_field=CharField(),
    )


@cache
def _lethal() -> frozenset[str]:
    """Return the providers at which anything dies at all."""
    return frozenset(record.key for record in catalogue.all() if record.revocable)


@cache
def _any_client() -> frozenset[str]:
    return frozenset(
        record.key for record in catalogue.all() if record.reach == Reach.USER
    )


@cache
def _vague() -> frozenset[str]:
    """Return the providers of which the platform names no account that could be compared."""
    families = catalogue.families()
    return frozenset(
        record.key
        for record in catalogue.all()
        if record.key in families and not record.names_accounts
    )
