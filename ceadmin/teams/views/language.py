"""The language in which a person reads the admin."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from ceadmin.lib.client import client_address
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand, user_changed
from ceadmin.teams.validators import validate_language


def languages() -> list[tuple[str, str]]:
    """Return code and own name of every language that the product speaks."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


def set_language(request: HttpRequest) -> HttpResponse:
    """Take the language that somebody chose for themselves; refuse what is not spoken."""
    user, wanted = request.user, request.POST.get("language", "")
    assert isinstance(user, User)  # the admin lets nobody else in
    try:
        validate_language(wanted)
    except ValidationError as problem:
        messages.error(request, problem.messages[0])
    else:
        _save(request, user, wanted)
        with translation.override(wanted):
            messages.success(request, gettext("The admin speaks English now."))
    return HttpResponseRedirect(reverse("admin:account"))


def _save(request: HttpRequest, user: User, wanted: str) -> None:
    hand = Hand(actor_of(user, None, client_address(request)), timezone.now())
    with transaction.atomic():
        other = User.objects.filter(pk=user.pk).exclude(language=wanted)
        if other.update(language=wanted):
            user.language = wanted
            user_changed(user, ["language"], hand)
