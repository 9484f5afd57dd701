"""Addresses of the team outside the admin: where an invited person arrives."""

from django.urls import path, re_path

from ceadmin.teams.views import invitation

app_name = "teams"

urlpatterns = [
    path("invitation/", invitation.kept, name="kept_invitation"),
    path("invitation/done/", invitation.done, name="joined"),
    # A token is 32 random bytes in URL-safe Base64; nothing else is looked up.
    re_path(
        r"^invitation/(?P<token>[A-Za-z0-9_-]{43})/$",
        invitation.by_address,
        name="invitation",
    ),
]
