"""Addresses: the admin, what the apps add, and the two that monitoring asks."""

from django.contrib import admin
from django.urls import include, path

from ceadmin import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include("instances.urls")),
]

handler403 = "ceadmin.problems.not_allowed"
handler404 = "ceadmin.problems.not_found"
