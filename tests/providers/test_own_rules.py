"""What an own record may say: the schema of every record, and what only owners vouch for."""

import re

import pytest

from providers import catalogue, own_rules
from providers.errors import SpecError
from tests.providers.own_records import HOST, text


def refused(whole: str) -> str:
    """Return what is wrong with a text: key and sentence."""
    with pytest.raises(SpecError) as problem:
        own_rules.read(whole)
    return str(problem.value)


def test_a_record_from_plain_answers_keeps_every_rule():
    record = own_rules.read(text(introspection_url=f"https://{HOST}/oauth/look"))

    assert (record.key, record.name) == ("own_acme_login", "Acme Login")
    assert own_rules.hosts_of(record) == (HOST,)
    assert record.revoke.call.url == f"https://{HOST}/oauth/revoke"
    assert record.introspection.call.url == f"https://{HOST}/oauth/look"


@pytest.mark.parametrize("order", [("refresh",), ("access",), ("refresh", "access")])
@pytest.mark.parametrize("auth", ["basic", "body", "public"])
@pytest.mark.parametrize("kills", [True, False])
def test_every_shape_of_the_standard_is_a_record(order, auth, kills):
    record = own_rules.read(
        text(order=order, client_auth=auth, refresh_kills_access=kills, hint=False)
    )

    assert tuple(record.revoke.order) == order
    assert record.revoke.call.client_auth == auth


def test_words_with_quotes_and_foreign_letters_stay_what_they_are():
    name = 'Bücher "Ölçü" \\ 図書館'

    assert own_rules.read(text(name=name, steps=name)).name == name


MALFORMED = {
    "no TOML": ("key", "toml"),
    "a list of lists": ("x = " + "[" * 3000, "toml"),
    "a number without end": ("x = " + "9" * 5000, "toml"),
    "a list": ('"a"', "toml"),
    "nothing": ("", "key: is missing"),
    "too long": ("# " + "x" * 64_000, "toml: is longer than 64000 bytes"),
    "too long in other letters": ("# " + "ß" * 32_001, "toml: is longer than 64000"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_no_record_is_refused_with_its_reason(case):
    whole, words = MALFORMED[case]

    assert words in refused(whole)


REPLACED = {
    "an unknown key": (
        'name = "Acme',
        'nam = "x"\nname = "Acme',
        "nam: is not a known",
    ),
    "a key of the catalogue": (
        "own_acme_login",
        "box",
        "key: is not a lower-case word",
    ),
    "a key in capitals": (
        "own_acme_login",
        "own_Acme",
        "key: is not a lower-case word",
    ),
    "an element of the catalogue": ('["generic"]', '["box"]', "'box' belongs to Box"),
    "no element's key": ('["generic"]', '["a b"]', "'a b' is no element's key"),
    "a switch": ("enabled_by_default = true", "enabled_by_default = false", "must be"),
    "a bell": ("Acme Login", "Acme \\u0007", "name: has a line break or a control"),
    "a turned-round name": ("Acme Login", "Acme \\u202E", "name: has a line break"),
    "a name too long": ("Acme Login", "A" * 151, "name: is longer than 150"),
    "a word too long": ("Acme Login", "A" * 2001, "name: is longer than 2000"),
    "http": (
        f"https://{HOST}/oauth/revoke",
        f"http://{HOST}/revoke",
        "no https address",
    ),
    "an address": (f"{HOST}/oauth/revoke", "10.0.0.1/revoke", "host"),
    "an address in one number": (f"{HOST}/oauth/revoke", "2130706433/", "host"),
    "this machine": (f"{HOST}/oauth/revoke", "login.localhost/revoke", "host"),
    "a private name": (f"{HOST}/oauth/revoke", "login.corp/revoke", "host"),
    "a user": (f"https://{HOST}/oauth/revoke", f"https://a@{HOST}/", "has a user"),
    "foreign letters": (f"{HOST}/oauth/revoke", "bücher.example.com/", "host"),
    "a foreign path": (f"{HOST}/oauth/revoke", f"{HOST}/ö", "belongs into no address"),
    "a space": (f"{HOST}/oauth/revoke", f"{HOST}/a b", "belongs into no address"),
    "for ever": ('kills = "', 'propagation_seconds = inf\nkills = "', "propagation"),
    "no number": ('kills = "', 'access_lives_seconds = nan\nkills = "', "access_lives"),
    "two meanings": ('means = "already"', 'means = "refused"', "revoke.answers"),
    "a client's error": ('["invalid_token"]', '["invalid_client"]', "revoke.answers.1"),
}
SECOND_YES = '[[revoke.answers]]\nstatus = [200]\nmeans = "revoked"\n'


@pytest.mark.parametrize("case", REPLACED)
def test_what_no_record_may_say_is_refused_by_key_and_sentence(case):
    old, new, words = REPLACED[case]
    if case == "two meanings":
        whole = text().replace("[verification]", f"{SECOND_YES}\n[verification]", 1)
        words = "revoke.answers.3: 200 is claimed twice"
    else:
        whole = text((old, new))

    assert words in refused(whole)


def test_a_status_is_no_yes_with_a_body_and_without_one():
    empty = SECOND_YES + "match = [{ empty = true }]\n"
    whole = text().replace("[verification]", f"{empty}\n[verification]", 1)

    assert "claims a second shape of success" in refused(whole)


# Hosts


def placed(url: str, pattern: str, *, kind: str = "host", sources: str = "") -> str:
    """Return a record whose revoke address has a placeholder."""
    place = f'[placeholders.part]\nmeaning = "a part"\nkind = "{kind}"\n'
    place += f"pattern = '{pattern}'\n{sources}\n[[sources]]"
    whole = text((f"https://{HOST}/oauth/revoke", url))
    return whole.replace("[[sources]]", place, 1)


READ = "sources = [{ key = \"base.url\", pattern = '([a-z.]+)' }]"


def test_a_part_of_a_host_differs_under_a_domain_that_is_spelled_out():
    record = own_rules.read(
        placed("https://{part}.example.com/r", "[a-z]+", sources=READ)
    )

    assert own_rules.hosts_of(record) == (HOST, "{part}.example.com")


def test_a_whole_host_is_set_by_an_owner_alone():
    record = own_rules.read(placed("https://{part}/r", "[a-z.]+"))

    assert own_rules.hosts_of(record) == (HOST, "{part}")
    told = refused(placed("https://{part}/r", "[a-z.]+", sources=READ))
    assert "placeholders.part.sources: cannot be there" in told


def test_a_whole_address_is_set_by_an_owner_alone():
    record = own_rules.read(placed("{part}", "https://.+", kind="url"))

    assert own_rules.hosts_of(record) == (HOST, "{part}")


def test_a_few_hosts_that_a_pattern_spells_out_may_come_from_an_instance():
    closed = r"login\.example\.(com|eu)"

    assert own_rules.read(placed("https://{part}/r", closed, sources=READ))


@pytest.mark.parametrize(
    "url", ["https://{part}.com/r", "https://{part}example.com/r", "https://x.{part}/r"]
)
def test_a_part_that_could_be_any_domain_comes_from_no_instance(url):
    assert "cannot be there" in refused(placed(url, "[a-z.]+", sources=READ))


# Patterns


CATASTROPHES = [
    "(a+)+",
    "(a|aa)+$",
    "([a-z]+)*x",
    "(?:a*){2,}",
    "(a)\\1",
    "(?=a)a",
    "(?P<n>a)",
    "a*a*a*",
    "a?" * 30 + "a" * 30,
    "|".join("ab" * 1 for _ in range(40)),
    "a{1,2000}b{1,2000}c{1,2000}",
    "x" * 201,
]


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_a_pattern_that_could_hold_a_worker_up_is_refused(pattern):
    told = refused(placed("https://{part}.example.com/r", pattern))

    assert "placeholders.part.pattern" in told


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z0-9-]+",
        r"[a-z]{2,63}\.[a-z]+",
        "us|eu|ap",
        "v[0-9]{1,2}",
        "(?:www-)?[a-z]+",
    ],
)
def test_usual_patterns_are_taken(pattern):
    assert own_rules.read(placed("https://{part}.example.com/r", pattern))


def test_what_is_taken_cannot_be_tried_for_long():
    slowest = ".*.*!"  # as much as is taken
    assert own_rules.ways_of(slowest) <= own_rules.ways_of("a+b+") < 10**7

    assert re.fullmatch(slowest, "a" * 2000) is None


# The namespace


def test_no_record_of_the_catalogue_has_an_own_key(tmp_path):
    assert not [one.key for one in catalogue.all() if catalogue.is_own(one.key)]

    (tmp_path / "own_acme_login.toml").write_text(text())
    [problem] = catalogue.problems(tmp_path)
    assert str(problem).startswith("own_acme_login.toml: key: begins as")
