"""Addresses outside the admin: reconnect links, the callbacks, and the members' paste page."""

from django.urls import path, re_path

from instances.views import brand, members, public

app_name = "instances"

urlpatterns = [
    path("reconnect/done/", public.done, name="done"),
    path("reconnect/failed/<slug:word>/", public.failed, name="failed"),
    # What the pages load of the organization's brand.
    path(
        "reconnect/brand/<uuid:uid>/<slug:version>/brand.css",
        brand.stylesheet,
        name="brand-css",
    ),
    path(
        "reconnect/brand/<uuid:uid>/<slug:version>/logo.png",
        brand.logo,
        name="brand-logo",
    ),
    # A token is 32 random bytes in URL-safe Base64; nothing else is looked up.
    re_path(
        r"^reconnect/(?P<token>[A-Za-z0-9_-]{43})/$", public.link_page, name="link"
    ),
    # One path per provider: the defence against mix-up.
    path("oauth/callback/<slug:provider_key>/", public.callback, name="callback"),
    path("reconnect-links/<uuid:uid>/paste/", members.paste_page, name="paste"),
]
