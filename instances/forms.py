"""What people type: the confirmation of a draft. Errors keep what was typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.reasons import said
from instances.choices import DESTRUCTIVE, RunKind
from instances.models import Run
from instances.models.run import MOST_CONNECTIONS
from instances.runs import Kin, kin_of

#: From so many instances on, what kills grants is confirmed by typing.
TYPED_FROM = 10

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", *"＝＋－＠")  # noqa: RUF001 (as wide as Chinese letters)


def confirmation_words(run: Run, siblings: int) -> str:
    """Return what a person types to start a large revocation or drill, "" for a small one.

    It is the number of all that die, `siblings` that are not on the list among them.
    """
    count = run.total + siblings
    if run.kind not in DESTRUCTIVE or count < TYPED_FROM:
        return ""
    return f"{run.kind.upper()} {count}"


class StartForm(forms.Form):
    """Why, for which ticket, what exactly, and the typed confirmation of a large draft."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Kept in the audit with every revocation."),
        error_messages={"required": _("Say why: the audit keeps the reason.")},
    )
    ticket = forms.CharField(
        label=_("Ticket"),
        max_length=120,
        required=False,
        help_text=_("Optional: a reference in your tracker."),
    )
    only = forms.ChoiceField(
        label=_("Token"),
        required=False,
        choices=[
            ("", _("The whole grant (refresh token first)")),
            ("refresh", _("Only the refresh token")),
            ("access", _("Only the access token: the platform may make a new one")),
        ],
    )
    connections = forms.IntegerField(
        label=_("Calls at once"),
        required=False,
        min_value=1,
        max_value=MOST_CONNECTIONS,
        help_text=_("Of all workers together; can be changed while it runs."),
    )
    confirm = forms.CharField(
        label=_("Confirm"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, run: Run, data: Any = None, kin: Kin | None = None) -> None:
        """`kin`: who dies too, where it was read already."""
        kin = kin_of(run) if kin is None else kin
        initial = {
            "reason": run.reason,
            "ticket": run.ticket,
            "only": run.options.get("only", ""),
            "connections": run.connections,
        }
        super().__init__(data, initial=initial)
        self.siblings = len(kin)
        self.dies_too = kin.hash  # the page sends it along: what was seen is started
        self.words = confirmation_words(run, self.siblings)
        if run.kind != RunKind.REVOKE:
            del self.fields["only"]
        if run.kind not in DESTRUCTIVE:
            self.fields["reason"].required = False
            self.fields["reason"].help_text = _("Optional. The audit keeps it.")
        if run.kind == RunKind.RECONNECT:
            del self.fields["connections"]  # making links calls nobody
        if not self.words:
            del self.fields["confirm"]
        else:
            self.fields["confirm"].widget.attrs["data-confirm"] = self.words

    def clean_confirm(self) -> str:
        """Compare what was typed with the true scope."""
        typed: str = self.cleaned_data["confirm"].strip()
        if typed != self.words:
            raise forms.ValidationError(
                gettext("Type %(words)s to start.") % {"words": self.words}
            )
        return typed

    def clean_reason(self) -> str:
        """Refuse a reason that says nothing."""
        reason: str = self.cleaned_data["reason"]
        if self.fields["reason"].required and not said(reason):
            raise forms.ValidationError(
                gettext("Say why in words: the audit keeps the reason.")
            )
        return reason

    def clean(self) -> None:
        """Refuse where others would die now than the page showed."""
        super().clean()
        if self.data.get("dies_too", "") != self.dies_too:
            raise forms.ValidationError(
                gettext(
                    "Meanwhile other instances share a grant with these. Look at who "
                    "dies too, then start again."
                )
            )

    def wanted(self) -> dict[str, Any]:
        """Return the arguments of `runs.start` and `runs.ask`."""
        only = self.cleaned_data.get("only")
        options = {"options": {"only": only}} if "only" in self.data else {}
        return {
            "reason": self.cleaned_data["reason"],
            "ticket": self.cleaned_data["ticket"],
            "connections": self.cleaned_data.get("connections"),
            **options,
        }


class AskForm(StartForm):
    """The same for a draft that needs an approver: nothing starts yet, so nothing is typed."""

    def __init__(self, run: Run, data: Any = None, kin: Kin | None = None) -> None:
        super().__init__(run, data, kin)
        self.fields.pop("confirm", None)
        self.words = ""


class ApprovedForm(StartForm):
    """The last step of an approved draft: what was approved stands, and is not asked again."""

    def __init__(self, run: Run, data: Any = None, kin: Kin | None = None) -> None:
        super().__init__(run, data, kin)
        for name in ("reason", "ticket", "only"):
            self.fields.pop(name, None)

    def wanted(self) -> dict[str, Any]:
        """Pass on whatever else was posted: it is refused where it was not approved."""
        posted = {
            name: self.data[name]
            for name in ("reason", "ticket")
            if self.data.get(name)
        }
        only = {"options": {"only": self.data["only"]}} if "only" in self.data else {}
        return {"connections": self.cleaned_data.get("connections"), **posted, **only}


def safe_cell(value: Any) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
