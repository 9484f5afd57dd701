"""Typed secrets are tried at the platform before they are saved, and refused when they fail.

The call is made before Django opens the transaction in which it saves: a platform that is
slow must not hold the database's writers up.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.recent import require_recent
from instances.actions.findings import Report

if TYPE_CHECKING:
    _Form = forms.ModelForm[Any]
    _Admin = ModelAdmin[Any]
else:
    _Form, _Admin = forms.ModelForm, object

ANYWAY = "save_anyway"
#: Said beside a secret that was typed into a page that had another mistake.
NOT_KEPT = _("Type it again: what was typed is never put into a page.")
_HELP = _("They are kept although the test failed; that is recorded with your name.")


def anyway_field() -> forms.BooleanField:
    """Return the box to tick when the test is wrong and the person knows better."""
    return forms.BooleanField(label=_("Save anyway"), required=False, help_text=_HELP)


class SecretForm(_Form):
    """A form with secrets: what the platform said of them is part of its judgement."""

    #: Names of the fields that take a secret.
    secret_fields: tuple[str, ...] = ()
    #: What the platform said of what was typed; None when nothing was tried.
    tried: Report | None = None

    def typed(self) -> Mapping[str, str]:
        """Return the secrets that were typed, by the name of their field."""
        values = {
            name: (self.cleaned_data.get(name) or "").strip()
            for name in self.secret_fields
        }
        return {name: value for name, value in values.items() if value}

    def full_clean(self) -> None:
        """Refuse what was tried and failed; say that secrets are not kept in the page."""
        super().full_clean()
        if not self.is_bound:
            return
        typed = {name for name in self.secret_fields if self.data.get(name)}
        if self._refused and not self.errors and typed:
            first = next(name for name in self.secret_fields if name in typed)
            assert self.tried is not None
            told = {"sentence": gettext(self.tried.sentence)}
            self.add_error(first, gettext("Nothing was saved. %(sentence)s") % told)
        if self.errors:
            for name in sorted(typed):
                self.add_error(name, NOT_KEPT)

    @property
    def _refused(self) -> bool:
        failed = self.tried is not None and not self.tried.ok
        return failed and not self.cleaned_data.get(ANYWAY)


class TryingAdmin(_Admin):
    """An admin whose form is a `SecretForm`."""

    @abstractmethod
    def try_typed(
        self, request: HttpRequest, row: Any, typed: Mapping[str, str]
    ) -> Report:
        """Return what the platform says of typed secrets; nothing is saved."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Try what was typed first."""
        if request.method == "POST":
            self._try_first(request, object_id)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _try_first(self, request: HttpRequest, object_id: str | None) -> None:
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if object_id and (row is None or not self.has_change_permission(request, row)):
            return
        if not object_id and not self.has_add_permission(request):
            return
        form = self.get_form(request, row, change=row is not None)(
            request.POST, instance=row
        )
        if form.is_valid() and (typed := form.typed()):
            require_recent(request)
            self.save_form(request, form, change=row is not None)  # checks the scope
            report = self.try_typed(request, form.instance, typed)
            request._tried_secrets = report  # type: ignore[attr-defined]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Let the form know what the platform said."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"tried": tried(request)})


def tried(request: HttpRequest) -> Report | None:
    """Return what the platform said of the secrets typed into this request."""
    report: Report | None = getattr(request, "_tried_secrets", None)
    return report


def failed(request: HttpRequest) -> bool:
    """Tell whether what was typed was tried and failed: then it may be saved anyway."""
    report = tried(request)
    return report is not None and not report.ok
