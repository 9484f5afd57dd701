"""Pictures of every page, light and dark, wide and narrow, for people to look at.

    make screenshots    writes var/screenshots/<scheme>-<width>/<number>-<page>.png

No part of `make test`: nothing is judged here but that every picture was taken.
"""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.browser.everything import world
from tests.browser.test_walk import walk

__all__ = ["world"]

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = Path("var/screenshots")


def name_of(number: int, address: str) -> str:
    """Return the file's name of a page, without what is secret in its address."""
    path = re.sub(r"[A-Za-z0-9_-]{43}", "link", address.strip("/"))
    return f"{number:03}-{re.sub(r'[^a-z0-9]+', '-', path.lower())[:80]}.png"


LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]


def test_every_page_has_a_picture(world, site_url, page):
    shutil.rmtree(FOLDER, ignore_errors=True)

    taken: Counter[str] = Counter()
    for address, look in walk(page, site_url, LOOKS):
        page.screenshot(
            path=FOLDER / look / name_of(taken[look], address), full_page=True
        )
        taken[look] += 1

    assert len(taken) == len(LOOKS)
    for look, count in taken.items():
        assert len(list((FOLDER / look).iterdir())) == count > 100
