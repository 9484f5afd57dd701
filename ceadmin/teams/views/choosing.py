"""What people choose for themselves: kept, recorded, and refused where it is not offered."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from ceadmin.lib.client import client_address
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand, user_changed


def keep(request: HttpRequest, column: str, validate: Callable[[str], None]) -> str:
    """Keep what was posted for a column of the person; return it, or "" after saying why not."""
    user, wanted = request.user, request.POST.get(column, "")
    assert isinstance(user, User)  # the admin lets nobody else in
    try:
        validate(wanted)
    except ValidationError as problem:
        messages.error(request, problem.messages[0])
        return ""
    hand = Hand(actor_of(user, None, client_address(request)), timezone.now())
    with transaction.atomic():
        other = User.objects.filter(pk=user.pk).exclude(**{column: wanted})
        if other.update(**{column: wanted}):  # the same again is no change
            setattr(user, column, wanted)
            user_changed(user, [column], hand)
    return wanted
