"""What the audit's pages cannot know by themselves: providers, outcomes, facts, and where pages are."""

from collections.abc import Iterator

from django.urls import reverse

from ceadmin import ui
from ceadmin.teams.admin.event_words import lead, offer
from instances.admin import words
from instances.choices import Outcome
from instances.models import Instance, Run
from providers import catalogue


def _providers() -> Iterator[tuple[str, str]]:
    return ((one.key, one.name) for one in catalogue.all())


def _outcomes() -> Iterator[tuple[str, str]]:
    return ((one.value, str(ui.look(one.value).label)) for one in Outcome)


def _run_page(uid: str) -> str:
    return _page(Run, uid)


def _instance_page(uid: str) -> str:
    return _page(Instance, uid)


def _page(model: type[Run] | type[Instance], uid: str) -> str:
    """Return where a row's page is; it may be gone while its events stay."""
    found = model._default_manager.filter(uid=uid).order_by("pk").first()
    name = f"admin:instances_{model._meta.model_name}_change"
    return reverse(name, args=[found.pk]) if found else ""


offer("provider_key", _providers)
offer("outcome", _outcomes)
offer("fact", words.fact_words)
lead("run", _run_page)
lead("instance", _instance_page)
