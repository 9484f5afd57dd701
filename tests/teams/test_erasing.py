"""A person is forgotten; what they did, the chain and every count stay."""

import uuid
from datetime import UTC, datetime

import pytest
from django.db import transaction

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Head, Origin, Person
from ceadmin.audit.record import record
from ceadmin.audit.verify import verify
from ceadmin.teams.erasing import (
    ERASED,
    LastSuperuser,
    Unknown,
    erase_pseudonym,
    erase_user,
)
from ceadmin.teams.members import LastOwner
from ceadmin.teams.models import Membership, User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from instances import runs, selection
from instances.models import Run

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, tzinfo=UTC)
HAND = Hand(SYSTEM, AT)


@pytest.fixture
def rita(team) -> User:
    """Rita, who did something from two addresses and drafted a run."""
    team.rita.name = "Rita Rivers"
    team.rita.save()
    with transaction.atomic():
        for address in ("192.0.2.7", "192.0.2.8"):
            actor = actor_of(team.rita, team.acme, address)
            record(Action.RUN_STARTED, chain=team.acme.chain, actor=actor, at=AT)
    chosen = selection.everything()
    runs.create("probe", team.acme, chosen, user=team.rita, now=AT, reason="x")
    return team.rita


def everything() -> list[tuple]:
    """Return all events as they stand."""
    return list(Event.objects.order_by("pk").values_list())


def test_chain_and_counts_stay_whole(team, rita):
    before, heads = everything(), dict(Head.objects.values_list("chain", "sequence"))

    erase_user(rita, HAND)

    assert everything()[: len(before)] == before
    assert verify() == []
    added = Event.objects.filter(at=AT, actor_kind="system").values_list("action")
    assert {one for (one,) in added} == {"member_removed", "person_erased"}
    after = dict(Head.objects.values_list("chain", "sequence"))
    assert after == {
        team.acme.chain: heads[team.acme.chain] + 1,
        "": heads.get("", 0) + 1,
    }


def test_nothing_anywhere_tells_who_it_was(rita):
    uid = rita.uid

    erase_user(rita, HAND)

    person = Person.objects.get(uid=uid)
    assert (person.name, person.mail, person.user_id) == ("", "", None)
    assert not Origin.objects.filter(actor_uid=uid).exists()
    assert Run.objects.get().requested_by_name == ERASED
    account = User.objects.get(uid=uid)
    assert "rita" not in f"{account.email}{account.name}".lower()
    assert (account.is_active, account.has_usable_password()) == (False, False)
    assert not Membership.objects.filter(user=account).exists()
    for row in Event.objects.all():
        assert "rita" not in f"{row.text}{row.reason}{row.subject_name}".lower()


def test_what_goes_on_in_their_name_keeps_the_pseudonym_and_no_name(team, rita):
    erase_user(rita, HAND)
    account = User.objects.get(uid=rita.uid)

    with transaction.atomic():
        actor = actor_of(account, team.acme)
        event = record(Action.RUN_FINISHED, chain=team.acme.chain, actor=actor, at=AT)

    assert event.actor_uid == rita.uid
    assert Person.objects.get(uid=rita.uid).name == ""


def test_whoever_is_needed_is_not_erased(team):
    root = User.objects.create_superuser("root@example.com", name="Root")

    with pytest.raises(LastOwner):
        erase_user(team.otto, HAND)
    with pytest.raises(LastSuperuser):
        erase_user(root, HAND)

    assert Membership.objects.filter(user=team.otto).exists()
    assert not Event.objects.filter(action=Action.PERSON_ERASED).exists()


def test_a_person_whose_account_is_gone_is_erased_by_the_pseudonym(rita):
    uid = rita.uid
    rita.delete()

    erase_pseudonym(uid, HAND)

    assert Person.objects.get(uid=uid).erased_at == AT
    assert verify() == []
    with pytest.raises(Unknown):
        erase_pseudonym(uid, HAND)
    with pytest.raises(Unknown):
        erase_pseudonym(uuid.uuid4(), HAND)
