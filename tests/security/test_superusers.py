"""Superusers act everywhere, and each act says that it was one, where they don't belong, too."""

import pytest

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, User
from tests.instances.fleet import Fleet
from tests.people import allow_alone
from tests.security import (
    roads_of_operators,
    roads_of_others,
    roads_of_revokers,
    roads_of_second_people,
)
from tests.security.roads import ROADS, Place, Road

__all__ = [
    "roads_of_operators",
    "roads_of_others",
    "roads_of_revokers",
    "roads_of_second_people",
]

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: Roads that change nothing, and those of jobs, which begin with a membership.
QUIET = {road for word in ("see", "read") for road in ROADS[word]}
LOUD = [
    road
    for roads in ROADS.values()
    for road in roads
    if road not in QUIET and not road.__name__.startswith("the_job")
]
#: Reading addresses of links changes nothing either.
LOUD = [road for road in LOUD if road.__name__ != "addresses_of_links"]


@pytest.mark.parametrize("road", LOUD, ids=lambda road: road.__name__)
def test_an_act_of_a_superuser_is_told_as_one(road: Road, emulator, team, tmp_path):
    root = User.objects.create_superuser("root@example.com", name="Root")
    fleet = Fleet(emulator, team.acme, team.rita)
    allow_alone(team.acme)
    place = Place(fleet, team, root, tmp_path)

    done = road(place)

    told = Event.objects.filter(actor_uid=root.uid).exclude(chain="")
    assert done
    assert not Membership.objects.filter(user=root).exists()
    assert set(told.values_list("chain", "role")) == {(team.acme.chain, "superuser")}
