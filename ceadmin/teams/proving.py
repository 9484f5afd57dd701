"""Proving who one is: the password once more, and the second factor where one is set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from ceadmin.lib.client import client_address
from ceadmin.teams import factors
from ceadmin.teams.factors import LONGEST_CODE, take_code
from ceadmin.teams.known import confirm_door
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.signins import confirm_refused
from ceadmin.teams.throttle import TooMany, take_try
from ceadmin.teams.users import Hand

WRONG = _("That is not right. Nothing was done; try again.")


class ProvingForm(forms.Form):
    """What a person types to prove that it is still them."""

    confirm_password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "autofocus": True}
        ),
    )

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        assert isinstance(request.user, User)
        self._request, self._user = request, request.user
        if factors.is_set(self._user):
            self.fields["confirm_code"] = _code_field()

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Refuse a wrong answer, and any after too many; each try is counted first."""
        values = super().clean() or self.cleaned_data
        if self.errors:
            return values
        door, now = confirm_door(self._request, self._user), timezone.now()  # noqa: TID251 (where a request enters)
        try:
            take_try(door, now)
        except TooMany as closed:
            confirm_refused(self._request, self._user, "too_many")
            raise ValidationError(closed.sentence, code="too_many") from closed
        if not self._is_right(values, now):
            confirm_refused(self._request, self._user, "bad_answer")
            raise ValidationError(WRONG, code="wrong")
        return values

    @sensitive_variables()
    def _is_right(self, values: dict[str, Any], now: datetime) -> bool:
        """Look at the password first: a code is used up by being looked at."""
        if not self._user.check_password(values["confirm_password"]):
            return False
        if "confirm_code" not in self.fields:
            return True
        actor = actor_of(self._user, None, client_address(self._request))
        return take_code(self._user, values["confirm_code"], Hand(actor, now))


def _code_field() -> forms.CharField:
    return forms.CharField(
        label=_("Code"),
        max_length=LONGEST_CODE,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        help_text=_(
            "The six digits that your app shows now, or a recovery code. "
            "Each is taken once."
        ),
    )
