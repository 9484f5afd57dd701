"""Pictures of every page, light and dark, wide and narrow, for people to look at.

    make screenshots    writes var/screenshots/<scheme>-<width>/<number>-<page>.png

No part of `make test`: nothing is judged here but that every picture was taken.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.browser.test_walk import walk, world

__all__ = ["world"]

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path("var/screenshots")


def name_of(number: int, address: str) -> str:
    """Return the file's name of a page, without what is secret in its address."""
    path = re.sub(r"[A-Za-z0-9_-]{43}", "link", address.strip("/"))
    return f"{number:03}-{re.sub(r'[^a-z0-9]+', '-', path.lower())[:80]}.png"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_has_a_picture(world, site_url, page, scheme, width):
    folder = FOLDER / f"{scheme}-{width}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    taken = 0
    for address in walk(page, site_url, scheme, width):
        page.screenshot(path=folder / name_of(taken, address), full_page=True)
        taken += 1

    assert len(list(folder.iterdir())) == taken > 100
