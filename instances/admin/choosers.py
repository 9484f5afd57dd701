"""Fields that choose among rows, without Django's four icons beside them: these rows have pages of their own."""

from __future__ import annotations

from typing import Any


def without_shortcuts(form: Any, name: str) -> Any:
    """Return a form class whose field `name` offers its rows and nothing else."""
    field = form.base_fields.get(name)
    for act in ("add", "change", "delete", "view"):
        if field is not None:
            setattr(field.widget, f"can_{act}_related", False)
    return form


#: A form with one way to save it.
ONE_BUTTON = {"show_save_and_continue": False, "show_save_and_add_another": False}
