"""Addresses: the admin, what the apps add, and the two that monitoring asks."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
]
