"""The table of roles, word for word, and every cell of it tried by every road there is."""

import pytest

from ceadmin.teams.choices import Role
from tests.security import (
    roads_of_operators,
    roads_of_others,
    roads_of_revokers,
    roads_of_second_people,
)
from tests.security.roads import ROADS, Road, place_for

__all__ = [
    "roads_of_operators",
    "roads_of_others",
    "roads_of_revokers",
    "roads_of_second_people",
]

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TABLE = """
| act | viewer | operator | revoker | approver | auditor | owner |
| see instances, runs, links | x | x | x | x | x | x |
| sync, probe, make and cancel reconnect links, drill on instances tagged as test | | x | | | | |
| draft, start, pause, stop revocations and drills | | | x | | | |
| approve or refuse runs and loosened policies | | | | x | | |
| read, export, verify the audit | | | | | x | |
| members, secrets, provider apps, policies, own providers | | | | | | x |
"""


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of a table."""
    lines = text.strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


HEAD, *ROWS = rows_of(TABLE)
ALLOWED = {
    act: {role for role, cell in zip(HEAD[1:], cells, strict=True) if cell == "x"}
    for act, *cells in ROWS
}


def row_of(word: str) -> str:
    """Return the act whose words begin so."""
    (act,) = [act for act in ALLOWED if act.startswith(word)]
    return act


#: Drills on tests stand in the row of operators, and among the drills of revokers.
WHO_MAY = {word: ALLOWED[row_of(word)] for word in ROADS if word != "drill"} | {
    "drill": ALLOWED[row_of("sync")] | ALLOWED[row_of("draft")]
}

CELLS = [
    pytest.param(road, role, role in WHO_MAY[word], id=f"{word}-{role}-{road.__name__}")
    for word, roads in ROADS.items()
    for role in HEAD[1:]
    for road in roads
]


def test_the_table_names_every_role_and_every_act_has_roads():
    assert HEAD[1:] == [role.value for role in Role]
    assert [len(row) for row in ROWS] == [7] * 6
    assert {row_of(word) for word in ROADS if word != "drill"} == set(ALLOWED)
    assert all(len(roads) >= 4 for roads in ROADS.values())


@pytest.mark.parametrize(("road", "role", "allowed"), CELLS)
def test_a_cell(road: Road, role: str, allowed: bool, emulator, team, tmp_path):
    place = place_for(emulator, team, tmp_path, role)

    assert road(place) is allowed
