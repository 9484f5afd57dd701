"""What a record reads in the answers that a provider publishes, and which of its rules none shows."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from ceadmin.lib import http
from providers import answers
from providers.choices import Life, Proof, Verdict
from providers.spec import LifeAnswer, RevokeAnswer
from tests.emulator.recording import Check, Recording, Reply, replies

TOKEN, HOLDER = "access-1", "holder-1"
CLIENT = {"client_id": "client-1", "client_secret": "secret-1"}
#: What each part of a recording has to be read as.
MEANINGS = {
    "done": Verdict.REVOKED,
    "gone": Verdict.ALREADY,
    "wrong_client": Verdict.REFUSED,
    "refused": Verdict.REFUSED,
    "throttled": Verdict.THROTTLED,
    "unclear": Verdict.UNCLEAR,
}
_NO_PROOF = {Verdict.REFUSED, Verdict.UNCLEAR}

Fields = Iterator[tuple[str, Any, Any]]
Rules = tuple[RevokeAnswer, ...]


def answer_of(recording: Recording, reply: Reply) -> http.Answer:
    """Return a published answer as the seam would hand it in."""
    values = {**recording.site, **CLIENT, "token": TOKEN, "holder": HOLDER}
    made = reply.answer(values)
    return http.Answer(made.status, http.AnswerHeaders(made.headers), made.body, 0.01)


def revoke_answers(ours: Rules, recording: Recording) -> Fields:
    """Compare what each published answer to a revocation is read as."""
    shown: list[http.Answer] = []
    for part in MEANINGS:
        for at, reply in enumerate(replies(recording.revoke, part)):
            place = f"revoke.{part}.{at} ({reply.status})"
            shown.append(answer_of(recording, reply))
            yield from _reading(ours, recording, (part, reply), shown[-1], place)
    yield "revoke.answers", list(_unshown(ours, shown)), []


def _reading(
    ours: Rules,
    recording: Recording,
    published: tuple[str, Reply],
    answer: http.Answer,
    place: str,
) -> Fields:
    part, reply = published
    judged, allowed = answers.judge(ours, answer), _allowed(recording, part, reply)
    if judged.verdict not in allowed:
        yield place, judged.verdict.value, " or ".join(sorted(allowed))
    elif part == "gone" and judged.verdict == Verdict.ALREADY:
        yield f"{place}.assumed", not _documented(ours, answer), reply.assumed
        proved = judged.proof != Proof.VERIFY
        yield f"{place}.proof", proved and reply.doubtful, False
    elif judged.verdict == Verdict.ALREADY:
        yield f"{place}.proof", judged.proof, Proof.VERIFY


def _allowed(recording: Recording, part: str, reply: Reply) -> set[Verdict]:
    """Return what an answer may be read as: only what says it clearly has one reading."""
    allowed = {MEANINGS[part]}
    if part == "gone" and any(_alike(reply, one) for one in recording.revoke.done):
        allowed = {Verdict.REVOKED}  # RFC 7009 §2.2: the same yes
    elif part == "gone" and reply.ambiguous:
        allowed = _NO_PROOF
    elif reply.ambiguous or (part == "refused" and reply.assumed):
        allowed = {*_NO_PROOF, Verdict.ALREADY}  # nobody knows the words
    elif part in ("wrong_client", "refused") and reply.text:
        allowed = _NO_PROOF  # words, and no code
    return allowed


def _alike(one: Reply, other: Reply) -> bool:
    return replace(one, assumed=False, why="") == replace(other, assumed=False, why="")


def _documented(ours: Rules, answer: http.Answer) -> bool:
    """Say whether a rule that reads this answer as already gone calls it documented."""
    return any(
        rule.documented
        for rule in ours
        if rule.means == Verdict.ALREADY and _fires(rule, answer)
    )


def _unshown(ours: Rules, shown: list[http.Answer]) -> Iterator[str]:
    for rule in _singly(ours):
        if not any(_fires(rule, answer) for answer in shown):
            yield _told(rule)


def _fires(rule: RevokeAnswer, answer: http.Answer) -> bool:
    """Say whether a rule reads an answer: nothing but a rule makes a 4xx throttled."""
    marked = replace(rule, means=Verdict.THROTTLED)
    return answers.judge([marked], answer).verdict == Verdict.THROTTLED


def life_answers(
    ours: tuple[LifeAnswer, ...], recording: Recording, name: str
) -> Fields:
    """Compare what each published answer to a check is read as."""
    published: Check = getattr(recording, name)
    shown: list[http.Answer] = []
    for part, meaning in (("alive", Life.ALIVE), ("dead", Life.DEAD)):
        for at, reply in enumerate(getattr(published, part)):
            shown.append(answer_of(recording, reply))
            read = answers.life(ours, shown[-1])
            yield (
                f"{name}.{part}.{at} ({reply.status})",
                read,
                (meaning, reply.doubtful),
            )
    unseen = [
        _told(rule)
        for rule in _singly(ours)
        if not any(answers.life([rule], one)[0] == rule.means for one in shown)
    ]
    yield f"{name}.answers", unseen, []


def _singly(ours: Iterable[Any]) -> Iterator[Any]:
    """Yield each rule once for each status and each value that it names."""
    for rule in ours:
        wide = next((one for one in rule.match if len(one.equals) > 1), None)
        for status in rule.status:
            if wide is None:
                yield replace(rule, status=(status,))
                continue
            rest = tuple(one for one in rule.match if one is not wide)
            for value in wide.equals:
                match = (*rest, replace(wide, equals=(value,)))
                yield replace(rule, status=(status,), match=match)


def _told(rule: Any) -> str:
    words = [one.equals or one.starts_with or one.text for one in rule.match]
    return f"{rule.means.value} {rule.status[0]} {words}"
