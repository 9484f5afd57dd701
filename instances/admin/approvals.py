"""What the pages of a run say of its second person: what is asked, who answered, what is bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.choices import Act, Answer
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may, members_who_may
from instances import runs
from instances.admin.second_person import to_answer
from instances.admin.words import listed
from instances.choices import RunStatus
from instances.models import Approval, BrokenGlass, Run
from instances.spoken import spoken

_OPTIONS = {
    ("only", "access"): gettext_noop("only the access token"),
    ("only", "refresh"): gettext_noop("only the refresh token"),
    ("form", "article"): gettext_noop("the request as the vendor's article writes it"),
    ("form", "default"): gettext_noop("the usual request"),
    ("self_consent", True): gettext_noop(
        "the demo plays the person at the consent page"
    ),
}


class ApprovalFilter(admin.SimpleListFilter):
    """Runs by their second person."""

    title = _("approval")
    parameter_name = "approval"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer what somebody has to do first; no query."""
        return [
            ("mine", gettext("Waiting for my approval")),
            ("waiting", gettext("Waiting for approval")),
            ("nobody", gettext("Waiting for nobody's approval")),
            ("approved", gettext("Approved by a second person")),
            ("unreviewed", gettext("Without approval, not reviewed")),
            ("without", gettext("Without approval")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """Narrow to the chosen ones."""
        chosen, user = self.value(), request.user
        if chosen is None:
            return queryset
        if chosen == "mine":
            mine = to_answer(user) if isinstance(user, User) else Run.objects.none()
            return queryset.filter(pk__in=mine.values("pk"))
        return _narrowed(queryset, chosen)


def _narrowed(rows: QuerySet[Run], chosen: str) -> QuerySet[Run]:
    runs_of = Run.objects.all()
    waiting, unreviewed = runs_of.awaiting_approval(), runs_of.unreviewed()
    asked = Approval.objects.filter(status__in=[Answer.APPROVED, Answer.USED])
    keys = {
        "waiting": waiting.values("pk"),
        "approved": asked.values("run"),
        "unreviewed": unreviewed.values("pk"),
        "without": BrokenGlass.objects.values("run"),
    }
    if chosen == "nobody":
        return rows.exclude(pk__in=keys["waiting"])
    return rows.filter(pk__in=keys[chosen]) if chosen in keys else rows.none()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a draft stands with its approvers, and what this reader may do about it."""

    stage: str = ""  # "" where none is needed; needed, waiting, approved, refused, over
    reasons: list[str] = field(default_factory=list)
    asked: Approval | None = None
    options: str = ""
    own: bool = False  # the reader asked for it or drafted it
    may_answer: bool = False
    may_start: bool = False
    may_break: bool = False

    @property
    def asks(self) -> bool:
        """Tell whether the next step is to ask, for the first time or again."""
        return self.stage in ("needed", "refused", "over")


def standing(
    run: Run, user: User | AnonymousUser, kin: runs.Kin | None = None
) -> Standing:
    """Return how a draft stands with its approvers; `kin` where it was read already."""
    reasons = [spoken(reason) for reason in runs.needed(run, kin)]
    if not reasons or not isinstance(user, User):
        return Standing()
    asked = runs.latest(run)
    people = {run.requested_by_id, *_askers(asked)}
    organization = run.organization
    return Standing(
        stage=_stage(asked),
        reasons=reasons,
        asked=asked,
        options=options_of(run),
        own=user.pk in people,
        may_answer=may(user, Act.APPROVE, organization) and user.pk not in people,
        may_start=asked is None or asked.decided_by_id != user.pk,
        may_break=may(user, Act.OWN, organization),
    )


@dataclass(frozen=True, slots=True)
class Around:
    """Who else has a part in a draft: who can answer for it, and whom to ask for a role."""

    able: str = ""  # names, "" for nobody
    count: int = 0
    owners: str = ""
    team: str = ""  # where owners give roles, "" to whoever is none


def around(run: Run, user: User | AnonymousUser, stands: Standing) -> Around:
    """Return who can answer for a draft beside its asker, and who may change that."""
    able = _able(run, user, stands) if stands.asks or stands.stage == "waiting" else []
    owners = members_who_may(Act.OWN, run.organization)
    return Around(
        able=listed(able),
        count=len(able),
        owners=listed([str(one) for one in owners]),
        team=_team_of(run) if may(user, Act.OWN, run.organization) else "",
    )


def _able(run: Run, user: User | AnonymousUser, stands: Standing) -> list[str]:
    own = {run.requested_by_id, *_askers(stands.asked)}
    if stands.asks and may(user, runs.act_of(run), run.organization):
        own.add(user.pk)  # whoever reads the question is about to put it
    people = members_who_may(Act.APPROVE, run.organization)
    return [str(one) for one in people if one.pk not in own]


def _team_of(run: Run) -> str:
    query = urlencode({"organization__id__exact": run.organization_id})
    return f"{reverse('admin:teams_membership_changelist')}?{query}"


def _askers(asked: Approval | None) -> set[int | None]:
    if asked is None or not asked.is_open:
        return set()
    return {asked.asked_by_id, asked.drafted_by_id}


def _stage(asked: Approval | None) -> str:
    if asked is None or asked.status in (Answer.WITHDRAWN, Answer.VOID):
        return "needed"
    if asked.is_open and asked.expires_at <= timezone.now():
        return "over"
    stages = {Answer.EXPIRED: "over", Answer.USED: "needed"}
    return stages.get(Answer(asked.status), str(asked.status))


def options_of(run: Run) -> str:
    """Return the options of a run in words, "" for the usual ones."""
    told = [
        gettext(_OPTIONS[pair]) if pair in _OPTIONS else f"{pair[0]}: {pair[1]}"
        for pair in run.options.items()
    ]
    return ", ".join(sorted(told))


def second_person(run: Run, user: User | AnonymousUser) -> dict[str, Any]:
    """Return what the page of a started run says of who approved it, or of who did without."""
    used = (
        Approval.objects.filter(run=run, status=Answer.USED)
        .select_related("decided_by")
        .first()
    )
    glass = BrokenGlass.objects.filter(run=run).first()
    may_review = (
        glass is not None
        and glass.reviewed_at is None
        and isinstance(user, User)
        and may(user, Act.APPROVE, run.organization)
        and user.pk not in (glass.broken_by_id, run.requested_by_id)
    )
    return {
        "approval": used,
        "glass": glass,
        "glass_reasons": [spoken(one) for one in glass.why_needed] if glass else [],
        "may_review": may_review,
    }


def pill_word(run: Run, status: str | None, unreviewed: bool | None) -> str:
    """Return which pill a run has in lists, given its newest question's status."""
    if unreviewed is not None:
        return "without_approval" if unreviewed else "reviewed_later"
    open_words = {Answer.WAITING, Answer.APPROVED, Answer.REFUSED, Answer.EXPIRED}
    if run.status == RunStatus.DRAFT and status in open_words:
        return f"approval_{status}"
    return ""
