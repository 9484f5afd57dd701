"""The records' `article` form is the article's three curl lines, to the letter."""

import shlex
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from providers import catalogue
from providers.revocation import plan
from tests.providers.support import grant

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = {
    "<client_id>": "client-1",
    "<client_secret>": "secret-1",
    "<token>": "access-1",
    "<instance>": "na54",
}


def curl(key):
    """Return method, address without query, query and form of a golden curl line."""
    line = (GOLDEN / f"{key}.txt").read_text(encoding="utf-8")
    for name, value in NAMES.items():
        line = line.replace(name, value)
    program, *words = shlex.split(line)
    assert program == "curl"
    options = {}
    while words[0] == "-X" or len(words) > 1:
        name = words.pop(0)
        if name.startswith("-"):
            options[name] = words.pop(0)
        else:
            words.append(name)
    return options["-X"], *split(words[0]), parse_qsl(options.get("-d", ""))


def split(url):
    parts = urlsplit(url)
    return parts._replace(query="").geturl(), parse_qsl(parts.query)


@pytest.mark.parametrize("key", sorted(path.stem for path in GOLDEN.glob("*.txt")))
def test_the_article_s_call_is_made_exactly(key):
    [step] = plan(catalogue.get(key), grant(key), form="article", only="access")
    request = step.request

    body = parse_qsl((request.body or b"").decode())

    assert (request.method, *split(request.url), body) == curl(key)


def test_every_article_form_has_its_golden():
    with_form = {r.key for r in catalogue.all() if "article" in r.revoke.alternates}

    assert with_form == {path.stem for path in GOLDEN.glob("*.txt")}
