"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes.

A factor is offered first and holds once its owner has typed a code of it. Each code is
taken once: `last_step` only grows, by a conditional UPDATE. The ten recovery codes are
shown once and kept as hashes; 80 random bits need no salt and no slow hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import unicodedata
from datetime import datetime, timedelta

import pyotp
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from pyotp.exceptions import OTPVerificationError

from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, record
from ceadmin.teams import browsers
from ceadmin.teams.models import RecoveryCode, SecondFactor, User
from ceadmin.teams.users import Hand, subject_of

#: An app's clock may be off by so many steps of 30 seconds.
_WINDOW = 1
RECOVERY_CODES = 10
_APP_CODE = re.compile(r"[0-9]{6}")
_RECOVERY_CODE = re.compile(r"[A-Z2-7]{16}")
_OFFER_LIVES = timedelta(minutes=30)
#: Longer than any code with its spaces and dashes.
LONGEST_CODE = 40


class FactorError(Exception):
    """A refusal, with a sentence that says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def is_set(user: User) -> bool:
    """Say whether somebody has a second factor."""
    return _factors(user).exists()


def factor_of(user: User) -> SecondFactor | None:
    """Return the second factor of somebody; None where there is none."""
    return _factors(user).first()


def _factors(user: User) -> QuerySet[SecondFactor]:
    rows = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False)
    return rows.order_by("pk")


def codes_left(user: User) -> int:
    """Return how many recovery codes somebody has."""
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


# Setting one up


def offer(user: User, now: datetime) -> SecondFactor:
    """Return a new secret for somebody's app. Raises `FactorError`."""
    factor = SecondFactor(user=user, made_at=now)
    factor.secret = pyotp.random_base32()
    try:
        with transaction.atomic():
            SecondFactor.objects.filter(user=user, confirmed_at__isnull=True).delete()
            factor.save()
    except IntegrityError as error:
        raise FactorError(
            gettext("You have a second factor. Remove it first.")
        ) from error
    return factor


def offered(user: User, uid: str, now: datetime) -> SecondFactor | None:
    """Return what was offered a short while ago and is not confirmed yet."""
    fresh = SecondFactor.objects.filter(
        user=user, confirmed_at__isnull=True, made_at__gt=now - _OFFER_LIVES
    )
    found = fresh.order_by("pk").first()
    return found if found and str(found.uid) == uid else None


def app_address(factor: SecondFactor) -> str:
    """Return what an app reads from the QR code; it holds the secret."""
    name = settings.ENVIRONMENT_NAME
    issuer = "ceadmin" if name == "production" else f"ceadmin {name}"
    totp = pyotp.TOTP(factor.secret.reveal())
    return totp.provisioning_uri(name=factor.user.email, issuer_name=issuer)


def to_type(factor: SecondFactor) -> str:
    """Return the secret in groups of four, for an app without a camera."""
    return " ".join(re.findall(".{1,4}", factor.secret.reveal()))


@sensitive_variables()
def confirm(factor: SecondFactor, typed: str, hand: Hand) -> list[str]:
    """Let an offered factor hold; return the recovery codes. Raises `FactorError`."""
    step = _step_of(factor, typed, hand.now)
    if step is None:
        raise FactorError(
            gettext(
                "That is not the code that the app shows now. Wait for the next one; "
                "where that fails too, set the clock of the phone."
            )
        )
    with transaction.atomic():
        waits = SecondFactor.objects.filter(pk=factor.pk, confirmed_at__isnull=True)
        if waits.update(confirmed_at=hand.now, last_step=step) != 1:
            raise FactorError(
                gettext("This was set up meanwhile. Go back to your account.")
            )
        codes = _make_codes(factor.user)
        _record(Action.FACTOR_SET, factor.user, hand)
    return codes


# Using it


@sensitive_variables()
def take_code(user: User, typed: str, hand: Hand) -> bool:
    """Take a code of the app, or a recovery code, once; say whether it was right."""
    factor = factor_of(user)
    if factor is None:
        return False
    if _RECOVERY_CODE.fullmatch(_plain(typed)):
        return _take_recovery_code(user, typed, hand)
    step = _step_of(factor, typed, hand.now)
    if step is None:
        return False
    later = _factors(user).filter(pk=factor.pk, last_step__lt=step)
    return later.update(last_step=step) == 1


@sensitive_variables()
def _step_of(factor: SecondFactor, typed: str, now: datetime) -> int | None:
    """Return the step whose code was typed; None for a wrong one."""
    code = _plain(typed)
    if not _APP_CODE.fullmatch(code):
        return None
    totp = pyotp.TOTP(factor.secret.reveal())
    try:
        return totp.verify_and_get_timecode(code, for_time=now, valid_window=_WINDOW)
    except OTPVerificationError:
        return None


@sensitive_variables()
def _take_recovery_code(user: User, typed: str, hand: Hand) -> bool:
    unused = RecoveryCode.objects.filter(
        user=user, used_at__isnull=True, code_hash=_hash(user, _plain(typed))
    )
    with transaction.atomic():
        browsers.lock(user)
        taken = unused.update(used_at=hand.now) == 1
        if taken:
            left = codes_left(user)
            _record(Action.RECOVERY_CODE_USED, user, hand, {"left": left})
    return taken


def _plain(typed: str) -> str:
    """Return a code without what people put between its letters."""
    digits = unicodedata.normalize("NFKC", typed[:LONGEST_CODE])
    return re.sub(r"[\s-]", "", digits).upper()


# Ending it


def remove(user: User, hand: Hand) -> None:
    """Remove one's own second factor. Raises `FactorError`."""
    _remove(Action.FACTOR_REMOVED, user, hand)


def reset(user: User, hand: Hand) -> None:
    """Take away the second factor of somebody who lost it, and end their sessions.

    Raises `FactorError`.
    """
    with transaction.atomic():
        browsers.lock(user)
        _remove(Action.FACTOR_RESET, user, hand)
        browsers.end_all(user, hand, why="factor_reset")


def _remove(action: Action, user: User, hand: Hand) -> None:
    with transaction.atomic():
        removed, _ = _factors(user).delete()
        if not removed:
            raise FactorError(gettext("There is no second factor any more."))
        RecoveryCode.objects.filter(user=user).delete()
        _record(action, user, hand)


def renew_codes(user: User, hand: Hand) -> list[str]:
    """Replace the recovery codes and return the new ones. Raises `FactorError`."""
    with transaction.atomic():
        if not _factors(user).select_for_update().exists():
            raise FactorError(gettext("Set up a second factor first."))
        codes = _make_codes(user)
        _record(Action.RECOVERY_CODES_MADE, user, hand)
    return codes


@sensitive_variables()
def _make_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    plain = [
        base64.b32encode(secrets.token_bytes(10)).decode()
        for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_hash(user, code)) for code in plain
    )
    return ["-".join(re.findall(".{4}", code)) for code in plain]


def _hash(user: User, code: str) -> str:
    return hashlib.sha256(f"{user.uid}|{code}".encode()).hexdigest()


def _record(
    action: Action, user: User, hand: Hand, facts: dict[str, int] | None = None
) -> None:
    record(
        action,
        chain=SYSTEM_CHAIN,
        actor=hand.actor,
        at=hand.now,
        subject=subject_of(user),
        facts=facts,
    )
