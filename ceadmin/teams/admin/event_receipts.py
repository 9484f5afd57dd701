"""The receipt of one revocation: everything that the audit holds of one instance in one run."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet, Value
from django.db.models.functions import Concat
from django.http import Http404
from django.utils.formats import number_format
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.teams.admin.event_proofs import Proof, proofs_of
from ceadmin.teams.admin.event_words import in_words

#: What a revocation leaves of one instance in one run; more has no item.
_MOST = 200
_CALLS = (Action.REVOKE_INTENDED, Action.REVOKE_ANSWERED)
_DECISIONS = (
    *(Action.RUN_DRAFTED, Action.APPROVAL_ASKED, Action.RUN_APPROVED),
    *(Action.GLASS_BROKEN, Action.RUN_STARTED, Action.GLASS_REVIEWED),
)
_APPROVALS = (Action.RUN_APPROVED, Action.GLASS_BROKEN, Action.GLASS_REVIEWED)
#: The kind of run of which every item is worth a receipt, even where nothing was sent.
_REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done to one instance by one run, and what proves it."""

    settled: Proof | None
    calls: list[Proof]
    decisions: list[Proof]
    proofs: list[Proof]

    @property
    def first(self) -> Proof:
        """Return the event that says what it is all about."""
        return self.settled or self.calls[0]

    @property
    def asked(self) -> Proof:
        """Return who set it going; of a run whose start is not here, who asked for it."""
        started = [
            one for one in self.decisions if one.event.action == Action.RUN_STARTED
        ]
        return (started or self.decisions or [self.first])[-1]

    @property
    def approvals(self) -> list[Proof]:
        """Return who approved it, or that it was started without."""
        return [one for one in self.decisions if one.event.action in _APPROVALS]

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint of the grant that was to die, "" where none was seen."""
        found = [one.facts.get("grant") for one in self.calls]
        settled = self.settled.facts.get("fingerprint") if self.settled else ""
        return str(next(filter(None, [*found, settled]), ""))

    @property
    def outcome(self) -> str:
        """Return what it came to; it runs until it is settled."""
        return self.settled.event.outcome if self.settled else "running"

    @property
    def verification(self) -> list[tuple[str, str]]:
        """Return what was looked at afterwards, and what was seen."""
        facts = self.settled.facts if self.settled else {}
        left_out = ("kind", "fingerprint")
        return list(in_words({k: v for k, v in facts.items() if k not in left_out}))

    @property
    def problems(self) -> list[Proof]:
        """Return the events that are no longer what was hashed."""
        return [one for one in self.proofs if one.problem]

    @property
    def took(self) -> str:
        """Return how long it took, from the first event to the last."""
        ended = [self.settled] if self.settled else []
        times = [one.event.at for one in (*self.calls, *ended)]
        seconds = (max(times) - min(times)).total_seconds()
        if seconds >= 60:
            return ui.roughly(max(times) - min(times))
        return gettext("%(number)s s") % {"number": number_format(round(seconds, 1), 1)}

    @property
    def hash(self) -> str:
        """Return the hash of the hashes of its events, each on a line of its own."""
        lines = "".join(f"{one.event.hash}\n" for one in self.proofs)
        return hashlib.sha256(lines.encode()).hexdigest()


def has_receipt(proof: Proof) -> bool:
    """Tell whether an event is part of a revocation of one instance."""
    if proof.event.action in _CALLS:
        return True
    settled = proof.event.action == Action.ITEM_SETTLED
    return settled and proof.facts.get("kind") == _REVOKE


def receipt_of(rows: QuerySet[Event], instance_uid: UUID, run_uid: UUID) -> Receipt:
    """Return the receipt of one instance in one run, as far as `rows` hold it.

    Raises `Http404` where nothing was, or was to be, revoked.
    """
    events = _told(rows, instance_uid, run_uid)
    decided = rows.filter(subject_uid=str(run_uid), action__in=_DECISIONS)
    decisions = list(decided.order_by("id")[:_MOST])
    proofs = proofs_of([*decisions, *events])
    of = {one.event.pk: one for one in proofs}
    calls = [of[one.pk] for one in events if one.action in _CALLS]
    settled = [of[one.pk] for one in events if one.action == Action.ITEM_SETTLED]
    if not any(map(has_receipt, [*calls, *settled])):
        raise Http404
    return Receipt(
        settled=settled[-1] if settled else None,
        calls=calls,
        decisions=[of[one.pk] for one in decisions],
        proofs=sorted(proofs, key=lambda one: one.event.sequence),
    )


def _told(rows: QuerySet[Event], instance_uid: UUID, run_uid: UUID) -> list[Event]:
    """Return what is told of an instance in a run: by the instance's index, not the run's.

    A run may have a million events, an instance has few.
    """
    told = rows.filter(instance_uid=str(instance_uid))
    told = told.annotate(of_run=Concat("run_uid", Value("")))
    told = told.filter(of_run=str(run_uid))
    told = told.exclude(action=Action.AUDIT_READ)  # that somebody looked is no part
    return list(told.order_by("id")[:_MOST])
