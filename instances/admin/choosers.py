"""Fields that choose among rows, without Django's four icons beside them: these rows have pages of their own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from ceadmin.frame import FramedAdmin, chosen_organization
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization
from ceadmin.teams.permissions import organizations
from ceadmin.teams.scoping import ScopedAdmin, user_of
from providers import catalogue
from providers.book import names_of
from providers.models import OwnProvider


def without_shortcuts(form: Any, name: str) -> Any:
    """Return a form class whose field `name` offers its rows and nothing else."""
    field = form.base_fields.get(name)
    for act in ("add", "change", "delete", "view"):
        if field is not None:
            setattr(field.widget, f"can_{act}_related", False)
    return form


#: A form with one way to save it.
ONE_BUTTON = {"show_save_and_continue": False, "show_save_and_add_another": False}


class OwnersAdmin(FramedAdmin, ScopedAdmin):
    """The pages of rows that owners of an organization make, one at a time."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Propose the organization that the person works in, or their only one."""
        given: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        only = proposed_organization(request)
        return {"organization": only.pk, **given} if only else given

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer one way to save."""
        return super().render_change_form(
            request, {**context, **ONE_BUTTON}, *args, **kwargs
        )


def proposed_organization(request: HttpRequest) -> Organization | None:
    """Return the organization that the person works in, else the only one they own."""
    chosen = chosen_organization(request)
    owned = organizations(user_of(request), Act.OWN)
    return owned[0] if chosen is None and owned.count() == 1 else chosen


def offer_providers(form: forms.BaseForm) -> None:
    """Let a form's `provider_key` be chosen by name from the whole catalogue.

    Own records come before it: those of the organizations that the form offers.
    """
    known = [(one.key, one.name) for one in catalogue.all()]
    own = own_choices(_places(form))
    choices = [("", gettext("Choose a provider")), *own, *known]
    form.fields["provider_key"].choices = choices  # type: ignore[attr-defined]


def _places(form: Any) -> Any:
    """Return the organizations that a row can belong to; an existing one stays in its own."""
    field = form.fields.get("organization")
    return field.queryset if field else [form.instance.organization_id]


def own_choices(places: Any) -> list[tuple[str, str]]:
    """Return key and name of the own records of organizations, by name; one query.

    Two organizations may have one of the same key: it is offered once, by both names.
    """
    rows = OwnProvider.objects.filter(organization__in=places, removed_at=None)
    named: dict[str, list[str]] = {}
    for key, name in rows.order_by("name").values_list("key", "name"):
        if name not in named.setdefault(key, []):
            named[key].append(name)
    told = gettext("%(name)s (own)")
    return [(key, told % {"name": " / ".join(names)}) for key, names in named.items()]


class OwnNamed(ChangeList):
    """A list whose rows know the name of their own provider: one query a page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the rows, then the names."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        name_own(self.result_list)


def name_own(rows: Collection[Any]) -> None:
    """Tell rows the names of their own providers: one query, none where there are none."""
    names = names_of({(row.organization_id, row.provider_key) for row in rows})
    for row in rows:
        row.own_name = names.get((row.organization_id, row.provider_key), "")


def provider_of(row: Any) -> str:
    """Return the name of a row's provider, "" where it is not known."""
    known = catalogue.find(row.provider_key)
    name: str = known.name if known else getattr(row, "own_name", "")
    return name
