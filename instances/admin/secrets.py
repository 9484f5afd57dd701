"""Write-only fields: what was typed is never shown again, only when and by whom it was set."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from instances.actions.uses import Owner, last_use

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class SecretInput(forms.PasswordInput):
    """A field for a secret; browsers are asked not to remember it."""

    def __init__(self) -> None:
        super().__init__(
            attrs={"autocomplete": "new-password", "spellcheck": "false"},
            render_value=False,
        )


def one_line(typed: str) -> None:
    """Refuse what no secret has and no header takes (RFC 6749, appendix A.2)."""
    if not typed.isprintable():
        raise ValidationError(
            _("A secret is one line without control characters: copy it again, alone."),
            code="unprintable",
        )


class SecretField(forms.CharField):
    """What is typed into a form as a secret; left blank, the one that is held stays."""

    widget = SecretInput

    def __init__(self, label: str | _StrPromise) -> None:
        super().__init__(label=label, required=False, validators=[one_line])


#: Said where a change would send a secret, which nobody is shown, to another place.
AGAIN = _("Type it again: it would be sent to another place than before.")


def set_on(held: bool, at: datetime | None, by: str, used: str = "") -> str:
    """Say when and by whom a secret was set and used, or that there is none."""
    if not held:
        return gettext("Not set yet.")
    parts = (_set(at, by), used, gettext("Leave blank to keep it."))
    return " ".join(filter(None, parts))


def _set(at: datetime | None, by: str) -> str:
    # Help texts are HTML, and people choose their own names.
    holes = {"when": ui.absolute(at) if at else "", "who": escape(by)}
    if at and by:
        return gettext("Set on %(when)s by %(who)s.") % holes
    if at:
        return gettext("Set on %(when)s.") % holes
    return gettext("Set by %(who)s.") % holes if by else gettext("Set.")


def used_last(owner: Owner) -> str:
    """Say when the secrets of an organization or app were used last, with a link to the run."""
    use = last_use(owner) if owner.pk else None
    if use is None:
        return ""
    run = use.run
    return format_html(
        gettext('Used last on {when} by <a href="{page}">run {name}</a>.'),
        when=ui.absolute(use.at),
        page=reverse("admin:instances_run_change", args=[run.pk]),
        name=run,
    )
