"""Moments by the database's clock, which all processes share."""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import Combinable
from django.db.models.functions import Now


def from_now(delta: timedelta) -> Combinable:
    """Return the moment `delta` from now by the database's clock."""
    return ExpressionWrapper(Now() + delta, output_field=DateTimeField())
