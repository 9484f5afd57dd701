"""Ending the sessions of the person who asks, but for the one they ask from."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from ceadmin.teams import browsers
from ceadmin.teams.models import User
from ceadmin.teams.users import Hand


def end_others(request: HttpRequest, user: User, hand: Hand, *, why: str) -> int:
    """End a person's other sessions and bind this one anew; return how many ended."""
    before = request.session.session_key
    ended = browsers.end_all(user, hand, why=why, but=before)
    update_session_auth_hash(request, user)  # gives the session another key
    browsers.moved(before, request.session.session_key)
    return ended
