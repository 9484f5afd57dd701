"""What owners type to write a record of their own: its text, an issuer, or a few plain answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from instances.actions.own_records import Draft, hosts_in
from providers import sites
from providers.own import MOST_BYTES
from providers.writing import AUTH, Plan, key_for

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from ceadmin.teams.models import Organization

_LONGEST_LIST = 2000
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class PlaceForm(forms.Form):
    """A form for a row of one of the organizations that a person owns."""

    organization: Any = forms.ModelChoiceField(
        queryset=None, empty_label=None, label=_("Organization")
    )

    def __init__(
        self, places: QuerySet[Organization], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = places  # type: ignore[attr-defined]


class TextForm(forms.Form):
    """The text of a record, from the field or from a file, and why it is saved."""

    text = forms.CharField(
        label=_("Record"),
        strip=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 26, "class": "record", **_PLAIN}),
        error_messages={"required": _("Write the record, or read it from a file.")},
    )
    file = forms.FileField(
        label=_("Read it from a file"),
        required=False,
        help_text=_(
            "A .toml file as this page's downloads are. It is shown before it is saved."
        ),
    )
    why = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("The audit keeps it."),
    )
    imported = forms.BooleanField(required=False, widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_text(self) -> str:
        """Take line ends as files have them."""
        return as_file(self.cleaned_data["text"])

    def draft(self, vouched: list[str], by_name: str) -> Draft:
        """Return what was typed."""
        values = self.cleaned_data
        return Draft(
            text=values["text"],
            hosts=hosts_in(vouched),
            why=values["why"],
            by_name=by_name,
            imported=values["imported"],
        )


class RecordForm(TextForm, PlaceForm):
    """The text of a new record, and whose it is."""

    field_order = ("organization", "text", "file", "why")


def as_file(text: str) -> str:
    """Return a text with the line ends of a file, one at its end."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return f"{plain}\n" if plain else ""


def text_of(file: UploadedFile[bytes]) -> str:
    """Return what stands in a file; raise ValidationError."""
    if (file.size or 0) > MOST_BYTES:
        words = gettext("The file is larger than %(most)s bytes.")
        raise forms.ValidationError(words % {"most": MOST_BYTES})
    try:
        return as_file(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise forms.ValidationError(gettext("The file is not UTF-8.")) from None


def _elements(words: str) -> tuple[str, ...]:
    return tuple(one for one in words.replace(",", " ").split() if one)


class IssuerForm(PlaceForm):
    """Which server is asked what it can do."""

    issuer = forms.CharField(
        label=_("Issuer"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", **_PLAIN}),
        help_text=_(
            "As the server itself spells it, such as https://login.example.com/realms/acme."
        ),
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=150,
        help_text=_("What people call it. Empty: the issuer's host."),
    )
    elements = forms.CharField(
        label=_("Element keys"),
        required=False,
        max_length=_LONGEST_LIST,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=_(
            "The platform's names of the connectors, separated by commas. Empty: provider apps say which."
        ),
    )

    def elements_typed(self) -> tuple[str, ...]:
        """Return the element keys."""
        return _elements(self.cleaned_data["elements"])


_AUTH_WORDS: dict[str, str | Promise] = {
    "basic": _("HTTP Basic, with client id and secret"),
    "body": _("Client id and secret in the form"),
    "public": _("Client id in the form, no secret"),
}
_ORDERS: dict[str, str | Promise] = {
    "refresh access": _("Refresh token, then access token"),
    "refresh": _("The refresh token alone"),
    "access": _("The access token alone"),
}


class ByHandForm(PlaceForm):
    """A server that keeps to RFC 7009, by a few answers."""

    name = forms.CharField(
        label=_("Name"), max_length=150, help_text=_("What people call it.")
    )
    elements = IssuerForm.base_fields["elements"]
    revocation_url = forms.CharField(
        label=_("Address to revoke tokens at"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", **_PLAIN}),
        help_text="https://login.example.com/oauth/revoke",
    )
    client_auth = forms.ChoiceField(
        label=_("How the app proves who it is"),
        choices=[(word, _AUTH_WORDS[word]) for word in AUTH.values()],
    )
    hint = forms.BooleanField(
        label=_("Say which kind of token is sent (token_type_hint)"),
        required=False,
        initial=True,
    )
    order = forms.ChoiceField(label=_("What is sent"), choices=list(_ORDERS.items()))
    refresh_kills_access = forms.BooleanField(
        label=_("Revoking the refresh token kills its access tokens, too"),
        required=False,
    )
    introspection_url = forms.CharField(
        label=_("Address to ask about tokens at (RFC 7662)"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", **_PLAIN}),
    )
    check_url = forms.CharField(
        label=_("Address that only a live access token may read"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", **_PLAIN}),
        help_text=_(
            "Such as userinfo. It proves that a token is dead. Neither address: nothing can be proved at the provider."
        ),
    )
    steps = forms.CharField(
        label=_("What a person does instead"),
        required=False,
        max_length=500,
        help_text=_("In words, for whoever has to do it by hand."),
    )
    source = forms.CharField(
        label=_("Where that is documented"),
        max_length=500,
        help_text=_("An address, or who told you."),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse addresses that no record may have, beside their fields."""
        values = super().clean() or {}
        for name in ("revocation_url", "introspection_url", "check_url"):
            if values.get(name) and not sites.is_public_address(values[name]):
                words = gettext("This is no https address of a public host.")
                self.add_error(name, words)
        return values

    def plan(self, month: str) -> Plan:
        """Return what was answered."""
        values = self.cleaned_data
        host = values["revocation_url"].partition("://")[2].partition("/")[0]
        return Plan(
            key=key_for(host),
            name=values["name"],
            element_keys=_elements(values["elements"]),
            checked=month,
            revocation_url=values["revocation_url"],
            client_auth=values["client_auth"],
            hint=values["hint"],
            order=tuple(values["order"].split()),
            refresh_kills_access=values["refresh_kills_access"]
            and values["order"] != "access",
            introspection_url=values["introspection_url"],
            check_url=values["check_url"],
            steps=values["steps"],
            source=values["source"],
        )
