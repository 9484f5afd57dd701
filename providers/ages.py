"""How old the facts of a record are, in months: days would claim more than is known."""

from datetime import date

from providers.spec import Provider

#: Facts that were not looked at for longer than this are stale.
STALE_AFTER = 12


def month_of(day: date) -> str:
    """Return the month of a day as records write it: 2026-11."""
    return f"{day.year:04d}-{day.month:02d}"


def age(provider: Provider, month: str) -> int:
    """Return how many months before `month` the facts were checked; below 0 in the future."""
    return _count(month) - _count(provider.checked)


def stale_since(provider: Provider, after: int) -> str:
    """Return the first month in which facts that may be `after` months old are stale."""
    year, month = divmod(_count(provider.checked) + after + 1, 12)
    return f"{year:04d}-{month + 1:02d}"


def _count(month: str) -> int:
    year, number = month.split("-")
    return 12 * int(year) + int(number) - 1
