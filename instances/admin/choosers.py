"""Fields that choose among rows, without Django's four icons beside them: these rows have pages of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from ceadmin.frame import FramedAdmin, chosen_organization
from ceadmin.teams.choices import Act
from ceadmin.teams.permissions import organizations
from ceadmin.teams.scoping import ScopedAdmin, user_of
from providers import catalogue


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
        chosen = chosen_organization(request)
        owned = organizations(user_of(request), Act.OWN)
        only = owned[0] if chosen is None and owned.count() == 1 else chosen
        return {"organization": only.pk, **given} if only else given

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer one way to save."""
        return super().render_change_form(
            request, {**context, **ONE_BUTTON}, *args, **kwargs
        )


def offer_providers(form: forms.BaseForm) -> None:
    """Let a form's `provider_key` be chosen by name from the whole catalogue."""
    known = [(one.key, one.name) for one in catalogue.all()]
    choices = [("", "Choose a provider"), *known]
    form.fields["provider_key"].choices = choices  # type: ignore[attr-defined]
