"""What an event's text has to begin and to end with, going by its columns.

Between the two stand the facts, which no column copies. Comparing these letters costs a
fraction of reading the text as JSON. The end is put together by the database, which
writes values as they are: where one needs an escape it differs, and `ending` writes it.
"""

from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from uuid import UUID

#: Columns that the end copies, in its order.
_END = (
    *("instance_uid", "item_id", "outcome", "previous_hash", "provider_key", "reason"),
    *("run_uid", "sequence", "subject_name", "subject_type", "subject_uid", "ticket"),
)
_END_TEMPLATE = (
    ',"instance":"%s","item":%s,"outcome":"%s","previous":"%s","provider":"%s",'
    '"reason":"%s","run":"%s","sequence":%s,'
    '"subject":{"name":"%s","type":"%s","uid":"%s"},"ticket":"%s"}'
)
#: What `ending` takes, as SQL names it, and what `beginning` takes.
END_COLUMNS = ", ".join(_END)
_PLACES = END_COLUMNS.replace("item_id", "coalesce(CAST(item_id AS text), 'null')")
_TIME = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
#: `%%`, since these stand in statements that have parameters.
_ESCAPED = _END_TEMPLATE.replace("%", "%%")
SQLITE = (
    f"printf('{_ESCAPED}', {_PLACES})",
    "CAST(at AS text), action, actor_kind, actor_uid, origin_uid, role",
)
POSTGRESQL = (
    f"format('{_ESCAPED}', {_PLACES})",
    f"{_TIME}, action, actor_kind, actor_uid::text, origin_uid::text, role",
)


def beginning(chain: str, key: tuple[Any, ...]) -> str:
    """Return how the text begins, up to its facts; raise what odd values raise."""
    at, action, kind, actor, origin, role = key
    return (
        f'{{"action":{quoted(action)},"actor":{{"kind":{quoted(kind)},'
        f'"origin":"{UUID(origin) if origin else ""}","role":{quoted(role)},'
        f'"uid":"{UUID(actor)}"}},"at":"{_moment(at)}","chain":{quoted(chain)},"facts":{{'
    )


def ending(values: tuple[Any, ...]) -> str:
    """Return how the text ends, behind its facts; raise what odd values raise."""
    texts = [
        ("null" if value is None else str(int(value)))
        if name in ("item_id", "sequence")
        else quoted(value)[1:-1]
        for name, value in zip(_END, values, strict=True)
    ]
    return _END_TEMPLATE % tuple(texts)


def _moment(at: str) -> str:
    """Return a time as the text has it; SQLite keeps `2026-11-23 21:30:00[.000001]`."""
    if at.endswith("+00:00"):
        return at
    return f"{at.replace(' ', 'T')}.000000"[:26] + "+00:00"
