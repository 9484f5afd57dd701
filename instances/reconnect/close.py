"""The end of a consent: the code is handed over, and link, item and instance follow in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext

from ceadmin.audit.actors import SCHEDULE, Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import record_many
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of, require
from instances.actions import reconnect_flow
from instances.actions.calls import Flow, Result
from instances.actions.case import Case
from instances.actions.load import load_case
from instances.actions.perform import Trail, perform
from instances.actions.reconnect_flow import Before
from instances.actions.settle import Settlement, settle_many
from instances.choices import (
    AttemptState,
    LinkStatus,
    Outcome,
    RunKind,
)
from instances.models import Item, ReconnectLink
from instances.reconnect.errors import LinkError
from instances.reconnect.links import entry
from instances.reconnect.state import IN_HAND, from_now
from instances.reconnect.verdict import after_drill, link_after

#: Each look may take a minute, and a sweep has nine.
_PER_SWEEP = 5


def item_of(link: ReconnectLink) -> Item:
    """Return the item a link belongs to; raise LinkError when it is gone."""
    if link.item is None:
        raise LinkError(
            "gone", gettext("What this link was made for is gone. Make a new link.")
        )
    return link.item


def hand_over(
    link: ReconnectLink, provider_data: Mapping[str, str], actor: Actor, now: datetime
) -> ReconnectLink:
    """Give the platform the code of a consumed state, and close the link by what came of it."""
    case = load_case(item_of(link), item_of(link).run)
    if isinstance(case, Result):
        return close(link, case, actor, now)
    flow = reconnect_flow.finish(case, provider_data, _before(link, case))
    return close(link, _performed(flow, link, actor), actor, now)


def _performed(flow: Flow[Result], link: ReconnectLink, actor: Actor) -> Result:
    item = item_of(link)
    return perform(flow, Trail(item, item.run, actor))


def _before(link: ReconnectLink, case: Case) -> Before:
    return reconnect_flow.before_of(
        case,
        dead=item_of(link).run.kind == RunKind.DRILL,
        account=link.expected_account or link.instance.account,
        callback_url=link.instance.callback_url,
    )


def close(
    link: ReconnectLink, result: Result, actor: Actor, now: datetime
) -> ReconnectLink:
    """Write what a consent came to; what somebody else wrote first stays."""
    item, status = item_of(link), link_after(result.outcome)
    ended = after_drill(result, item)
    with transaction.atomic():
        mine = ReconnectLink.objects.filter(
            pk=link.pk, status=link.status, state_hash=link.state_hash
        )
        if mine.update(**_fields(status, result, now)) == 1:
            settled = settle_many(
                item.run, [Settlement(item, ended)], actor=actor, now=now
            )
            action = _action(status)
            own = entry(
                action,
                link,
                actor,
                outcome=result.outcome,
                facts={"cause": result.cause},
            )
            record_many(link.instance.organization.chain, [own, *settled], at=now)
    return ReconnectLink.objects.detailed().get(pk=link.pk)


def _action(status: LinkStatus) -> Action:
    done = status == LinkStatus.FINISHED
    return Action.LINK_FINISHED if done else Action.LINK_REFUSED


def _fields(status: LinkStatus, result: Result, now: datetime) -> dict[str, object]:
    fields: dict[str, object] = {
        "status": status,
        "problem": result.cause[:64],
        "problem_text": result.explanation[:500],
        "found_account": str(result.facts.get("account", ""))[:255],
        "held_until": None,
        "request_token_secret": "",
    }
    if status in (LinkStatus.FINISHED, LinkStatus.WRONG_ACCOUNT):
        fields |= {"token": "", "sent_to": "", "finished_at": now}
    return fields


# A deliberate yes


def accept_account(
    link: ReconnectLink, *, user: User, now: datetime, address: str = ""
) -> None:
    """Take the other account for the instance's own; raise LinkError and NotAllowed.

    What was seen alive is believed only while nothing happened to the instance since.
    """
    organization = link.instance.organization
    require(user, Act.OPERATE, organization)
    item = item_of(link)
    actor = actor_of(user, organization, address)
    facts = {
        "account": link.found_account,
        "account_before": link.expected_account,
        "accepted": True,
    }
    result = Result(
        Outcome.RECONNECTED.value,
        cause="account_accepted",
        facts=facts,
        changes={"account": link.found_account},
    )
    with transaction.atomic():
        waiting = ReconnectLink.objects.filter(
            pk=link.pk, status=LinkStatus.WRONG_ACCOUNT
        )
        if waiting.update(status=LinkStatus.FINISHED, problem=result.cause) != 1:
            raise LinkError(
                "not_waiting", gettext("Nothing waits for a yes. Reload the page.")
            )
        _require_current(link)
        settled = settle_many(
            item.run, [Settlement(item, result)], actor=actor, now=now
        )
        own = entry(
            Action.LINK_FINISHED, link, actor, outcome=result.outcome, facts=facts
        )
        record_many(organization.chain, [own, *settled], at=now)


def _require_current(link: ReconnectLink) -> None:
    """Raise LinkError where the account that came is not the instance's any more."""
    if ReconnectLink.objects.filter(pk=link.pk).overtaken().exists():
        raise LinkError(
            "overtaken",
            gettext(
                "The instance was revoked, found dead or reconnected since, so this "
                "account is not the one it has now. Make a new link."
            ),
        )


# A process that died with the code in hand


def recover(*, now: datetime) -> None:
    """Look what became of codes whose fate nobody wrote down; the code itself is gone and never sent again."""
    lost = ReconnectLink.objects.detailed().filter(
        status=LinkStatus.CONSENTED, held_until__lt=Now()
    )
    for link in lost.order_by("pk")[:_PER_SWEEP]:
        mine = ReconnectLink.objects.filter(
            pk=link.pk, status=LinkStatus.CONSENTED, held_until__lt=Now()
        )
        if mine.update(held_until=from_now(IN_HAND)) == 1:
            _recover(link, now)


def _recover(link: ReconnectLink, now: datetime) -> None:
    item = link.item
    if item is None:
        ReconnectLink.objects.filter(pk=link.pk).update(
            status=LinkStatus.FAILED, held_until=None
        )
        return
    item.attempts.filter(state=AttemptState.INTENDED).update(
        state=AttemptState.LOST, code="worker_lost"
    )
    case = load_case(item, item.run)
    if isinstance(case, Result):
        close(link, case, SCHEDULE, now)
        return
    flow = reconnect_flow.look(case, _before(link, case), lost="worker_lost")
    close(link, _performed(flow, link, SCHEDULE), SCHEDULE, now)
