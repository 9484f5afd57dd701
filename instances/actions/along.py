"""One grant, several items of a run: one revokes, the others see themselves die with it.

The first to write its intent has the grant (`GrantClaim`): by the token's fingerprint, and
where the provider's revocation reaches further by account and client. Whoever comes second
waits until the first has ended, sends nothing, and looks:

    the first did not kill it    the second takes the grant over, and is the first now
    the same token               it ends as the first did: what the provider said holds for it
    another token, seen dead     it died along: verified dead
    another token, not seen      what was known of the account was wrong: it is revoked itself

So nobody is called dead who was not seen dead, and nobody who was chosen lives on because
somebody else was thought to take them along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.utils.translation import gettext_noop

from instances.actions import verdicts
from instances.actions.calls import Flow, Owner, Result, SameGrant, Wait
from instances.actions.trial import Trial, look_dead
from instances.choices import Outcome

#: Before it is asked again whether the first has ended: most have in a few seconds.
_PAUSES = (0.5, 1.0, 2.0)
#: A longer wait holds no place in the air; the item begins anew after so many seconds.
_BACK_SECONDS = 10.0
_ALONG = gettext_noop(
    "It shares its grant with another instance of this run: revoked once, and seen dead "
    "here too."
)


def once(trial: Trial, go: Callable[[], Flow[None]]) -> Flow[Result | None]:
    """Revoke by `go` unless another item of the run has the grant; come to what became of it with that.

    None where it was sent from here, so that what it came to is still to be judged.
    """
    pauses = iter(_PAUSES)
    while True:
        try:
            yield from go()
        except SameGrant as same:
            owner = same.owner
        else:
            return None
        if not owner.ended:
            pause = next(pauses, _BACK_SECONDS)
            yield Wait(pause, 0.0 if pause == _BACK_SECONDS else pause)
        elif not owner.killed:
            trial.instead_of = owner.item_id
        elif owner.same_token:
            return (yield from _as_the_first(trial, owner))
        else:
            yield from look_dead(trial)
            if trial.proven == "dead":
                before = owner.found_dead and trial.before != "alive"
                result = verdicts.died_along(trial, _ALONG, before=before)
                return _told(trial, owner, result)
            trial.reach = ""  # it is no grant of the first one's


def _as_the_first(trial: Trial, owner: Owner) -> Flow[Result]:
    """Look what became of a token that the first one sent."""
    trial.tokens = [kind for kind, _ in owner.taken]
    trial.said = [word for _, word in owner.taken]
    trial.taken, trial.lost = list(trial.tokens), owner.lost
    yield from look_dead(trial)
    result = verdicts.judge(trial)
    if result.outcome == Outcome.VERIFIED_DEAD and not result.cause:
        result = replace(result, cause="same_grant", explanation=_ALONG)
    return _told(trial, owner, result)


def _told(trial: Trial, owner: Owner, result: Result) -> Result:
    """Say with whom, and that nothing was sent from here."""
    own = {"tokens": [], "said": [], "same_as_item": owner.item_id}
    by_us = trial.proven == "dead" and result.outcome != Outcome.ALREADY_DEAD
    facts = {**result.facts, **own, "revoked": by_us}
    return replace(result, facts=facts)
