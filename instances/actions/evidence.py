"""What is kept of an outbound call: an attempt row without a secret, and audit entries for revocations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject
from ceadmin.lib import http, redact
from ceadmin.lib.outline import outline
from ceadmin.lib.rows import Rows
from instances.actions.calls import Call
from instances.choices import AttemptState
from instances.models import Attempt, Item, Run

#: Machine words that providers and the platform put into error bodies.
_CODE = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{1,63}")
_EXCERPT, _SHAPE = 200, 160


@dataclass(slots=True)
class Sent:
    """The attempt row of one call that is being made; `pk` is None until it is written."""

    item_id: int
    number: int
    step: int
    purpose: str
    method: str
    url: str
    at: datetime
    state: str = AttemptState.INTENDED.value
    status_code: int | None = None
    code: str = ""
    excerpt: str = ""
    duration_ms: int | None = None
    pk: int | None = None


#: What an answer adds to the row of its intent.
_ANSWER = ("state", "status_code", "code", "excerpt", "duration_ms")
_COLUMNS = ("item_id", "number", "step", "purpose", "method", "url", "at", *_ANSWER)
_row = attrgetter(*_COLUMNS)
_ATTEMPTS = Rows(Attempt, *_COLUMNS)
_ANSWERS = Rows(Attempt, "id", *_ANSWER)


def write(calls: Sequence[Sent]) -> None:
    """Insert the rows of calls that were made."""
    _ATTEMPTS.insert([_row(call) for call in calls])


def write_intents(calls: Sequence[Sent]) -> None:
    """Insert the rows of calls to be made, at most one of an item, and note their primary keys."""
    rows = [_row(call) for call in calls]
    pks = {item: pk for pk, item in _ATTEMPTS.insert_returning(rows, "id", "item_id")}
    for call in calls:
        call.pk = pks[call.item_id]


def write_answers(calls: Sequence[Sent]) -> None:
    """Complete the rows of intents with what became of them."""
    _ANSWERS.update([(call.pk, *_row(call)[-len(_ANSWER) :]) for call in calls])


def intended(item: Item, call: Call, at: datetime) -> Sent:
    """Return the unwritten attempt row of `call`, which has not been sent yet."""
    return Sent(
        item_id=item.pk,
        number=max(item.tries, 1),
        step=call.step,
        purpose=call.purpose,
        method=call.request.method,
        url=redact.url(call.request.url, *call.secrets)[:500],
        at=at,
    )


def answered(attempt: Sent, call: Call, answer: http.Answer) -> Sent:
    """Fill in what the server said; bodies of good answers hold tokens and are not kept.

    A drill, which shows what happens, keeps their shape: keys without values.
    """
    attempt.state = AttemptState.ANSWERED.value
    attempt.status_code = answer.status
    attempt.duration_ms = round(answer.elapsed * 1000)
    if answer.status >= 400:
        attempt.code = error_code(answer)
        attempt.excerpt = redact.excerpt(answer.body, *call.secrets, limit=_EXCERPT)
    elif call.step:
        shape = outline(answer.body, _SHAPE)
        attempt.excerpt = redact.excerpt(shape, *call.secrets, limit=_EXCERPT)
    return attempt


def failed(attempt: Sent, error: http.HttpError) -> Sent:
    """Fill in that no answer came: certain (`not_sent`) or not (`lost`)."""
    certain = isinstance(error, http.NotSent)
    state = AttemptState.NOT_SENT if certain else AttemptState.LOST
    attempt.state, attempt.code = state.value, error.code[:64]
    return attempt


def error_code(answer: http.Answer) -> str:
    """Return the machine word of an error body (`error` of RFC 6749 §5.2 and its relatives), or ""."""
    try:
        body = answer.json()
    except http.BadBody:
        return ""
    first = body[0] if isinstance(body, list) and body else body
    for key in ("error", "errorCode", "code"):
        word = first.get(key) if isinstance(first, dict) else None
        if isinstance(word, str) and _CODE.fullmatch(word):
            return word
    return ""


def subject_of(item: Item) -> Subject:
    """Return the instance of `item` as an audit event names it."""
    return Subject("instance", str(item.instance_uid), item.instance_name)


def about(item: Item, run: Run) -> dict[str, Any]:
    """Return the audit fields that every event about `item` carries."""
    return {
        "subject": subject_of(item),
        "run_uid": str(run.uid),
        "item_id": item.pk,
        "instance_uid": str(item.instance_uid),
        "provider_key": item.provider_key,
        "reason": run.reason,
        "ticket": run.ticket,
    }


def intent_entry(
    item: Item, run: Run, actor: Actor, call: Call, attempt: Sent
) -> Entry:
    """Return the audit entry of a revocation that is about to be sent."""
    facts = {
        "purpose": attempt.purpose,
        "method": attempt.method,
        "to": attempt.url,
        "try": item.tries,
        "grant": call.grant,
    }
    if call.record_version:
        facts["record_version"] = call.record_version
    return Entry(Action.REVOKE_INTENDED, actor=actor, facts=facts, **about(item, run))


def answer_entry(item: Item, run: Run, actor: Actor, attempt: Attempt | Sent) -> Entry:
    """Return the audit entry of what became of a revocation."""
    facts = {
        "purpose": attempt.purpose,
        "state": attempt.state,
        "status": attempt.status_code,
        "code": attempt.code,
        "excerpt": attempt.excerpt,
        "duration_ms": attempt.duration_ms,
        "try": attempt.number,
    }
    return Entry(Action.REVOKE_ANSWERED, actor=actor, facts=facts, **about(item, run))


def is_revocation(call: Call) -> bool:
    """Tell whether `call` kills something at a provider."""
    return call.purpose.startswith("revoke")


#: Of the calls of one drill step, the one that the article names.
_MAIN = (
    "alive",
    "read",
    "revoke",
    "verify_platform",
    "address",
    "consent",
    "reauthenticate",
)


def main_attempt(attempts: Iterable[Attempt]) -> Attempt:
    """Return the call that stands for its step: the last one of the article's own kind, else the last."""
    rows = sorted(attempts, key=lambda one: (one.at, one.pk))
    named = [one for one in rows if one.purpose.startswith(_MAIN)]
    return (named or rows)[-1]
