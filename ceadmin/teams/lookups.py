"""What the address of a list may ask: its filters' questions, and the links' of other pages.

Django lets an address compare any column of a row in any way. Patterns and parts of text
guess at columns that no page shows, such as hashes, and keep the server busy; so only
what a list declares is compared, and only as filters do.
"""

import re
from collections.abc import Iterable

COMPARISONS = frozenset({"exact", "in", "isnull", "gt", "gte", "lt", "lte"})

#: NUL, which PostgreSQL does not take, and whole numbers that no column holds.
_UNFIT = re.compile(r"\x00|\d{19}")


def may_ask(lookup: str, value: str, names: Iterable[str]) -> bool:
    """Say whether an address may ask `lookup=value` of a list with filters on `names`."""
    asked = any(_compares(lookup, name) for name in names)
    return asked and not _UNFIT.search(str(value))


def is_row_number(value: str) -> bool:
    """Say whether a ticked row can be one: a whole number that fits its column."""
    return value.isascii() and value.isdecimal() and len(value) < 19


def _compares(lookup: str, name: str) -> bool:
    if lookup == name:
        return True
    rest = lookup.removeprefix(f"{name}__").removeprefix("id__")
    return lookup.startswith(f"{name}__") and rest in COMPARISONS
