"""What a person does: starts, comes back from the provider, or pastes what came back elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import record_many
from ceadmin.lib import redact
from ceadmin.lib.sealed import seal
from ceadmin.teams.choices import Act
from ceadmin.teams.permissions import may, require
from instances.actions import consent_flow
from instances.actions.calls import Result
from instances.actions.causes import sentence
from instances.actions.consent_flow import Consent
from instances.actions.load import load_case
from instances.actions.perform import Trail, perform
from instances.actions.uses import note_apps, note_organization
from instances.choices import LINK_OPEN, AttemptState, LinkStatus, Outcome
from instances.cloud_elements import PlatformError
from instances.models import Attempt, Item, ReconnectLink
from instances.reconnect import refusals
from instances.reconnect.close import close, hand_over, item_of
from instances.reconnect.errors import CallbackRefused, LinkError
from instances.reconnect.links import callback_of, entry, provider_key_of, word_of
from instances.reconnect.state import (
    Visitor,
    consume,
    find,
    hashed,
    is_bound,
    new_secret,
    require_fresh,
    single,
)
from providers import oauth
from providers.book import book_of
from providers.errors import BadCallbackValue

_LONGEST_CODE = 4096
#: So often within an hour the platform is asked where one link leads.
MOST_STARTS = 30

_UNREADABLE = _("This is no address of a redirect. Copy it again, all of it.")
_CLOSED = {
    "expired": _("This link has expired."),
    "used": _("This link was used already."),
    "cancelled": _("This link was cancelled."),
    "wrong_account": _("This link was used with another account."),
    "in_progress": _("This link is being used just now."),
}


# Going


def start(link: ReconnectLink, *, browser: str, visitor: Visitor, now: datetime) -> str:
    """Return the provider's address for a person who pressed the button, whose browser holds `browser` from now on.

    Raises LinkError: the link is closed, or the platform makes no address.
    """
    word = word_of(link, now)
    if word != "usable":
        raise LinkError(word, str(_CLOSED[word]))
    item = item_of(link)
    _require_few(item, now)
    _count_try(link, item)
    actor = visitor.actor(link)
    state = new_secret()
    redact.learn(state, browser)
    consent = _consent(link, item, state, actor, now)
    with transaction.atomic():
        _open(link, consent, (state, browser), now)
        own = entry(Action.LINK_OPENED, link, actor)
        record_many(link.instance.organization.chain, [own], at=now)
    return consent.url


def _require_few(item: Item, now: datetime) -> None:
    """Raise LinkError where an item asked for many addresses: whoever found a link must not use the platform's limits up."""
    asked = Attempt.objects.filter(item=item, step=consent_flow.STEP_ADDRESS)
    if asked.filter(at__gt=now - timedelta(hours=1)).count() >= MOST_STARTS:
        raise LinkError(
            "too_often",
            gettext(
                "This link was started %(count)s times within an hour. Wait before you "
                "start again."
            )
            % {"count": MOST_STARTS},
        )


def _count_try(link: ReconnectLink, item: Item) -> None:
    """Keep the evidence of a second go apart from the first."""
    if link.opened_at is not None:
        Item.objects.filter(pk=item.pk).update(tries=F("tries") + 1)
        item.tries += 1


def _consent(
    link: ReconnectLink, item: Item, state: str, actor: Actor, now: datetime
) -> Consent:
    case = load_case(item, item.run)
    if isinstance(case, Result):
        raise _noted(link, case.cause, case.explanation)
    note_organization(item.run, now)
    if case.app:
        note_apps(item.run, [case.app.pk], now)
    flow = consent_flow.address(case, state, case.callback_url)
    try:
        return perform(flow, Trail(item, item.run, actor))
    except PlatformError as problem:
        raise _noted(link, problem.code, sentence(problem.code)) from problem


def _noted(link: ReconnectLink, code: str, words: str) -> LinkError:
    """Tell the sender beside the link why nobody could be sent to the provider.

    The link keeps the words in English: who reads them may speak another language.
    """
    ReconnectLink.objects.filter(pk=link.pk, status__in=sorted(LINK_OPEN)).update(
        problem=code[:64], problem_text=words[:500]
    )
    return LinkError(code, gettext(words))


def _open(
    link: ReconnectLink, consent: Consent, secrets: tuple[str, str], now: datetime
) -> None:
    state, browser = secrets
    token = consent.request_token
    usable = ReconnectLink.objects.usable(now).filter(pk=link.pk)
    opened = usable.update(
        status=LinkStatus.OPENED,
        state_hash=hashed(state),
        browser_hash=hashed(browser),
        request_token=token.token[:255] if token else "",
        request_token_secret=seal(
            "reconnect_link.request_token_secret", link.uid, token.secret
        )
        if token
        else "",
        opened_at=now,
        problem="",
        problem_text="",
    )
    if opened != 1:
        raise LinkError("used", str(_CLOSED["used"]))


# Coming back


def callback(
    provider_key: str,
    query: Mapping[str, Sequence[str]],
    *,
    visitor: Visitor,
    now: datetime,
) -> ReconnectLink:
    """Return the link, closed by what came of the consent.

    Raises CallbackRefused, which is audited: nothing was used up, unless the state was
    valid and this browser's.
    """
    link = None
    try:
        values = single(query)
        redact.learn(*(values[name] for name in ("code", "state") if name in values))
        link = find(values)
        visitor = visitor.seen_at(link)
        _require_own(link, visitor, provider_key)
        require_fresh(link, now)
        return _land(link, values, visitor.actor(link), now)
    except CallbackRefused as refused:
        refusals.note(refused.code, visitor, now, link, provider_key)
        raise


def _require_own(link: ReconnectLink, visitor: Visitor, provider_key: str) -> None:
    """Raise CallbackRefused when another browser, or another provider, sends the state.

    A member who lost the right to it since they began is refused, too.
    """
    if not is_bound(link, visitor):
        raise CallbackRefused("other_browser")
    if callback_of(link.instance) != provider_key:
        raise CallbackRefused("wrong_callback", link)
    place = link.instance.organization
    if visitor.user is not None and not may(visitor.user, Act.OPERATE, place):
        raise CallbackRefused("not_allowed", link)


def _land(
    link: ReconnectLink, values: Mapping[str, str], actor: Actor, now: datetime
) -> ReconnectLink:
    """Use the state up and act on what the provider sent back."""
    refusal = _refusal(link, values)
    if refusal is not None:
        return close(link, refusal, actor, now)
    data = _provider_data(link, values)
    if isinstance(data, Result):
        return close(link, data, actor, now)
    with transaction.atomic():
        consume(link, LinkStatus.CONSENTED, now)
        own = entry(Action.LINK_CONSENTED, link, actor)
        record_many(link.instance.organization.chain, [own], at=now)
        _note_consent(link, now)
    return hand_over(link, data, actor, now)


def _note_consent(link: ReconnectLink, now: datetime) -> None:
    """Keep step 6 as evidence: a person's consent makes no call of ours."""
    item = item_of(link)
    if item.run.options.get("self_consent"):
        return
    Attempt.objects.create(
        item=item,
        number=max(item.tries, 1),
        step=consent_flow.STEP_CONSENT,
        purpose="consent",
        method="GET",
        url=f"/oauth/callback/{callback_of(link.instance)}/",
        state=AttemptState.ANSWERED,
        code="code_received",
        at=now,
    )


def _refusal(link: ReconnectLink, values: Mapping[str, str]) -> Result | None:
    """Return the end of a consent that brought an error, None when it did not."""
    error = values.get("error", "")
    if values.get("denied") or error == "access_denied":
        return Result(Outcome.DENIED.value, cause="access_denied")
    if error:
        told = {"error": redact.excerpt(error, limit=64)}
        words = values.get("error_description", "")
        if words:
            told["description"] = redact.excerpt(words, limit=200)
        return Result(
            Outcome.STILL_DEAD.value,
            cause="provider_error",
            explanation=gettext_noop(
                "The provider ended the consent with an error. Try again."
            ),
            facts=told,
        )
    return None


def _provider_data(
    link: ReconnectLink, values: Mapping[str, str]
) -> dict[str, str] | Result:
    """Return what the platform is given, or why there is nothing to give."""
    if link.request_token and not values.get("state"):
        return _oauth1_data(link, values)
    code = values.get("code", "")
    if not code:
        return _unusable("missing_code")
    if not _is_code(code):
        return _unusable("malformed_code")
    key = provider_key_of(link.instance)
    try:
        known = book_of(link.instance.organization).find(key)
        beside = oauth.provider_data(known, values) if known else {}
    except BadCallbackValue as problem:
        return _unusable("bad_callback_value", name=problem.name)
    return {"code": code, **beside}


def _oauth1_data(
    link: ReconnectLink, values: Mapping[str, str]
) -> dict[str, str] | Result:
    verifier = values.get("oauth_verifier", "")
    if not _is_code(verifier):
        return _unusable("missing_code")
    return {
        "oauth_token": link.request_token,
        "oauth_verifier": verifier,
        "secret": link.request_token_secret.reveal(),
    }


def _is_code(text: str) -> bool:
    """Tell whether a value can be a code: printable ASCII (RFC 6749, appendix A.11)."""
    return 0 < len(text) <= _LONGEST_CODE and text.isascii() and text.isprintable()


def _unusable(cause: str, **facts: str) -> Result:
    return Result(
        Outcome.STILL_DEAD.value,
        cause=cause,
        explanation=gettext_noop(
            "What the provider sent back cannot be used. Try again."
        ),
        facts=facts,
    )


# Pasting


def paste(
    link: ReconnectLink, text: str, *, visitor: Visitor, now: datetime
) -> ReconnectLink:
    """Return the link, closed by what a member pasted: a code, or the whole redirected address.

    The member must have started in the session they paste in, so that nobody can slip
    them a foreign code. Raises LinkError, CallbackRefused and NotAllowed.
    """
    if visitor.user is None:
        raise LinkError("sign_in", gettext("Sign in to paste a code."))
    require(visitor.user, Act.OPERATE, link.instance.organization)
    if not is_bound(link, visitor):
        raise LinkError(
            "start_first",
            gettext(
                "Start here, in this session, before you paste what came back. What "
                "another browser was sent on with is not taken."
            ),
        )
    require_fresh(link, now)
    values = single(pasted(text))
    redact.learn(*(values[name] for name in ("code", "state") if name in values))
    state = values.get("state", "")
    if state and hashed(state) != link.state_hash:
        refusals.note("foreign_state", visitor, now, link)
        raise LinkError(
            "foreign_state",
            gettext(
                "This address belongs to another start. Start again and paste the new one."
            ),
        )
    return _land(link, values, visitor.actor(link), now)


def pasted(text: str) -> dict[str, list[str]]:
    """Return the parameters of a pasted address, or the text as a bare code; raise LinkError."""
    text = text.strip()
    bare = text.lstrip("?")
    if "://" not in text and not bare.startswith(("code=", "state=", "error=")):
        return {"code": [text]} if text else {}
    try:
        parts = urlsplit(text)
        query = (parts.query or parts.fragment) if "://" in text else bare
        return parse_qs(query, keep_blank_values=True, max_num_fields=50)
    except ValueError as error:
        raise LinkError("unreadable", str(_UNREADABLE)) from error
