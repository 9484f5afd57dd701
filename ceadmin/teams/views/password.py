"""Changing one's own password."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from ceadmin.lib.client import client_address
from ceadmin.teams.known import confirm_door
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.recent import require_recent
from ceadmin.teams.signins import confirm_refused
from ceadmin.teams.throttle import TooMany, forgive, take_try
from ceadmin.teams.users import Hand, user_changed
from ceadmin.teams.views.ending import end_others
from ceadmin.teams.views.sign_in import too_many


class NewPasswordForm(AdminPasswordChangeForm):
    """The old password and the new one; guesses of the old one are counted."""

    def __init__(self, request: HttpRequest, user: User, *args: Any, **kw: Any) -> None:
        self._request = request
        super().__init__(user, *args, **kw)

    @sensitive_variables()
    def clean_old_password(self) -> str:
        """Refuse a wrong password, and any after too many."""
        door, user = confirm_door(self._request, self.user), self.user
        try:
            take_try(door, timezone.now())
        except TooMany as closed:
            confirm_refused(self._request, user, "too_many")
            raise too_many(closed) from closed
        if not user.check_password(self.cleaned_data["old_password"]):
            confirm_refused(self._request, user, "bad_answer")
        password: str = super().clean_old_password()
        forgive(door)
        return password


class PasswordChange(PasswordChangeView):
    """The page on which people change their password."""

    form_class = NewPasswordForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask for the second factor, too, where somebody signed in long ago."""
        require_recent(request)
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Let the form know from where tries come."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        """Change it, record it, and end the person's other sessions."""
        user: User = form.user
        actor = actor_of(user, None, client_address(self.request))
        hand = Hand(actor, timezone.now())
        with transaction.atomic():
            form.save()
            end_others(self.request, user, hand, why="password_changed")
            user_changed(user, ["password"], hand)
        return HttpResponseRedirect(reverse("admin:password_change_done"))
