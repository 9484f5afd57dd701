"""What people call a model and its columns: words for pages, no part of the schema.

    @named(_("member"), _("members"), user=_("user"))
    class Membership(models.Model):

Said beside the model, and not in its `Meta` and fields, words can be changed and translated
without a migration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from django.db import models

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

M = TypeVar("M", bound=models.Model)


def named(
    one: Words = "", many: Words = "", **columns: Words
) -> Callable[[type[M]], type[M]]:
    """Call a model's row `one`, several of them `many` (as its Meta has it where not given), and its columns as given."""

    def decorate(model: type[M]) -> type[M]:
        if one:
            model._meta.verbose_name, model._meta.verbose_name_plural = one, many
        for name, words in columns.items():
            field = model._meta.get_field(name)
            assert isinstance(field, models.Field)  # relations back have no words
            field.verbose_name = words
        return model

    return decorate
