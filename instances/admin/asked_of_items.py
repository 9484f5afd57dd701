"""What the addresses of the list of items ask beside its filters, in people's words: links of runs and charts."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.utils.translation import gettext

from ceadmin.frame import organizations_in_view
from ceadmin.teams.lookups import is_row_number
from instances.choices import Outcome
from instances.models import Instance, Run
from providers import catalogue


def asked_of_items(request: HttpRequest, lookup: str, value: str) -> tuple[str, str]:
    """Return of what a question of the address is, and what it asks; a foreign row is not named."""
    name = lookup.partition("__")[0]
    if name in _NAMED:
        return _NAMED[name](request, value)
    return name, value


def _run(request: HttpRequest, value: str) -> tuple[str, str]:
    own = Run.objects.filter(organization__in=organizations_in_view(request))
    run = own.filter(pk=value).first() if is_row_number(value) else None
    return gettext("run"), str(run or value)


def _instance(request: HttpRequest, value: str) -> tuple[str, str]:
    own = Instance.objects.filter(organization__in=organizations_in_view(request))
    one = own.filter(pk=value).first() if is_row_number(value) else None
    return gettext("instance"), one.name if one else value


def _provider(request: HttpRequest, value: str) -> tuple[str, str]:
    record = catalogue.find(value)
    return gettext("provider"), record.name if record else value


def _outcomes(request: HttpRequest, value: str) -> tuple[str, str]:
    labels = dict(Outcome.choices)
    told = [str(labels.get(one, one)) for one in value.split(",")]
    return gettext("outcome"), ", ".join(told)


def _cause(request: HttpRequest, value: str) -> tuple[str, str]:
    return gettext("cause"), value


def _concern(request: HttpRequest, value: str) -> tuple[str, str]:
    still = value.lower() in ("true", "1")
    return gettext("concern"), gettext("open") if still else gettext("cleared")


_NAMED: dict[str, Callable[[HttpRequest, str], tuple[str, str]]] = {
    "run": _run,
    "instance": _instance,
    "provider_key": _provider,
    "outcome": _outcomes,
    "cause": _cause,
    "cleared_at": _concern,
}
