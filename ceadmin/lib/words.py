"""A column that holds one of a few words, checked by the database."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q


def one_of(name: str, words: Iterable[str]) -> Q:
    """Return the condition that column `name` holds one of the words.

    Compared one by one: for `IN` SQLite makes a table of the words anew for every row
    that is written, which costs more than the row.
    """
    return reduce(or_, (Q((name, word)) for word in words))
