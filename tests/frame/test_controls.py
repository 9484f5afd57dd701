"""Every page there is, without a browser: what somebody can press works where no script runs."""

import pytest

from ceadmin.teams.models import User
from instances.models import ReconnectLink, Run
from tests.browser.everything import every_page, world
from tests.browser.unscripted import dead_controls

__all__ = ["world"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.any_database
def test_the_walk_goes_everywhere_and_every_control_works_without_scripts(
    world, client
):
    pages = every_page()

    assert len(pages) > 100
    assert {link.status for link in ReconnectLink.objects.all()} >= {"made", "denied"}
    assert {run.status for run in Run.objects.all()} >= {
        *("draft", "running", "paused", "finished", "expired")
    }
    client.force_login(User.objects.get(email="otto@example.com"))
    dead: dict[str, list[str]] = {}
    for address in pages:
        for control in dead_controls(client.get(address).content.decode()):
            dead.setdefault(control, []).append(address)
    assert dead == {}


@pytest.mark.parametrize(
    ("html", "dead"),
    [
        ("<form><button>Go</button></form>", 0),
        ("<button>Go</button>", 1),
        ('<form id="a"></form><button form="a">Go</button>', 0),
        ('<button form="b">Go</button>', 1),
        ('<form><button type="button">Go</button></form>', 1),
        ('<form><button type="button" hidden>Go</button></form>', 0),
        ("<form><button disabled>Go</button></form>", 1),
        ('<p hidden><a href="#">Go</a></p><a href="#">Go</a>', 1),
        ('<form><select class="admin-autocomplete"></select></form>', 1),
    ],
)
def test_a_control_that_needs_a_script_is_found(html, dead):
    assert len(dead_controls(html)) == dead
