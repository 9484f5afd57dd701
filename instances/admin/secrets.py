"""Write-only fields: what was typed is never shown again, only when and by whom it was set."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import escape, format_html

from ceadmin import ui
from instances.actions.uses import Owner, last_use


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
            "A secret is one line without control characters: copy it again, alone.",
            code="unprintable",
        )


class SecretField(forms.CharField):
    """What is typed into a form as a secret; left blank, the one that is held stays."""

    widget = SecretInput

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, validators=[one_line])


#: Said where a change would send a secret, which nobody is shown, to another place.
AGAIN = "Type it again: it would be sent to another place than before."


def set_on(held: bool, at: datetime | None, by: str, used: str = "") -> str:
    """Say when and by whom a secret was set and used, or that there is none."""
    if not held:
        return "Not set yet."
    when = f" on {ui.absolute(at)}" if at else ""
    # Help texts are HTML, and people choose their own names.
    who = f" by {escape(by)}" if by else ""
    return f"Set{when}{who}.{used} Leave blank to keep it."


def used_last(owner: Owner) -> str:
    """Say when the secrets of an organization or app were used last, with a link to the run."""
    use = last_use(owner) if owner.pk else None
    if use is None:
        return ""
    run = use.run
    return format_html(
        ' Used last on {} by <a href="{}">run {}</a>.',
        ui.absolute(use.at),
        reverse("admin:instances_run_change", args=[run.pk]),
        f"{run.get_kind_display()} {str(run.uid)[:8]}",
    )
