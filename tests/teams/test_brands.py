"""An organization's brand: what owners may set, what strangers are served, what a file may not smuggle in."""

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ceadmin.audit.models import Event
from ceadmin.teams import brands
from ceadmin.teams.brands import Look
from ceadmin.teams.logos import LARGEST_FILE, BadLogo, logo_of
from ceadmin.teams.models import Brand
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from tests.teams.inviting import browser
from tests.teams.policing import facts_of

COLOURS = st.binary(min_size=3, max_size=3).map(lambda raw: f"#{raw.hex()}")


def picture(kind="PNG", size=(900, 300), colour=(200, 30, 90), **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def page_of(organization) -> str:
    return reverse("admin:teams_organization_brand", args=[organization.pk])


def send(user, organization, logo: bytes = b"", **fields):
    typed = {"name": "", "colour": "", "reply_to": "", **fields}
    if logo:
        typed["logo"] = SimpleUploadedFile("logo.png", logo, content_type="image/png")
    return browser(user).post(page_of(organization), typed)


# Colours


@given(COLOURS)
def test_text_on_any_colour_can_be_read(colour):
    rules = brands.stylesheet(colour)
    text = rules.partition("--on-brand: ")[2][:7]
    hover = rules.partition("--brand-hover: ")[2][:7]

    assert brands.contrast(colour, text) >= 4.5
    assert brands.contrast(hover, text) >= 4.5


def test_contrast_is_that_of_the_guidelines():
    assert brands.contrast("#000000", "#ffffff") == 21
    assert round(brands.contrast("#777777", "#ffffff"), 2) == 4.48
    assert brands.contrast("#2b50c4", "#2b50c4") == 1


# Logos


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_written_anew_and_small(kind):
    kept = logo_of(picture(kind) + b"<script>alert(1)</script>")

    with Image.open(io.BytesIO(kept)) as shown:
        assert (shown.format, shown.size) == ("PNG", (360, 120))
    assert b"script" not in kept


def test_nothing_that_a_file_says_beside_its_pixels_is_kept():
    exif = Image.Exif()
    exif[0x010E] = "taken at home"

    kept = logo_of(picture("JPEG", exif=exif))

    assert b"taken at home" not in kept
    assert b"eXIf" not in kept


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_profile_of_colours_that_a_file_brings_is_not_kept(kind):
    kept = logo_of(picture(kind, icc_profile=b"somebody's monitor" * 20))

    assert b"iCCP" not in kept
    with Image.open(io.BytesIO(kept)) as shown:
        assert shown.info == {}


def test_a_logo_that_a_camera_turned_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it

    kept = logo_of(picture("JPEG", size=(100, 40), exif=exif))

    with Image.open(io.BytesIO(kept)) as shown:
        assert shown.size == (40, 100)


@pytest.mark.parametrize("kind", range(1, 14))
def test_what_a_camera_says_in_a_broken_way_is_not_minded(kind):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    broken = exif.tobytes().replace(
        b"\x01\x0e\x00\x02", b"\x01\x0e\x00" + bytes([kind])
    )

    kept = logo_of(picture("JPEG", size=(100, 40), exif=broken))

    with Image.open(io.BytesIO(kept)) as shown:
        assert sorted(shown.size) == [40, 100]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no PNG, JPEG or WebP"),
        (picture("GIF"), "no PNG, JPEG or WebP"),
        (b"<html></html>", "no PNG, JPEG or WebP"),
        (picture()[:200], "damaged"),
        (picture(size=(5000, 10)), "4096 pixels"),
        (b"\x89PNG" + b"0" * LARGEST_FILE, "512 KB"),
        (b"", "no PNG, JPEG or WebP"),
    ],
    ids=["svg", "gif", "html", "cut", "wide", "heavy", "empty"],
)
def test_what_is_no_logo_is_refused_with_the_reason(data, words):
    with pytest.raises(BadLogo, match=words):
        logo_of(data)


# The page


@pytest.mark.django_db
def test_an_owner_sets_a_brand_and_the_audit_says_which_parts(team):
    answer = send(
        team.otto,
        team.acme,
        picture(),
        name="Acme Files",
        colour="#FFCC00",
        reply_to="help@acme.example",
    )

    brand = Brand.objects.get(organization=team.acme)
    assert answer.status_code == 302
    assert (brand.name, brand.colour) == ("Acme Files", "#ffcc00")
    event = Event.objects.get(action="organization_changed")
    assert facts_of(event) == {"brand": ["name", "colour", "reply_to", "logo"]}


@pytest.mark.django_db
def test_a_logo_stays_until_it_is_taken_away(team):
    send(team.otto, team.acme, picture(), colour="#112233")
    first = Brand.objects.get(organization=team.acme)

    send(team.otto, team.acme, colour="#445566")
    second = Brand.objects.get(organization=team.acme)
    send(team.otto, team.acme, colour="#445566", without_logo="on")
    third = Brand.objects.get(organization=team.acme)

    assert bytes(second.logo) == bytes(first.logo) != b""
    assert bytes(third.logo) == b""
    assert len({first.version, second.version, third.version}) == 3


@pytest.mark.django_db(transaction=True)
def test_owners_who_make_the_first_look_at_once_fail_nobody(team):
    door, hand = Barrier(4), Hand(actor_of(team.otto, team.acme), timezone.now())

    def save(number: int) -> None:
        try:
            door.wait()
            brands.save(team.acme, Look(f"Look {number}", "", "", b""), hand)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as people:
        list(people.map(save, range(4)))

    told = Event.objects.filter(action="organization_changed").order_by("sequence")
    assert [facts_of(event) for event in told] == [{"brand": ["name"]}] * 4
    assert Brand.objects.get().name.startswith("Look ")


@pytest.mark.django_db
def test_what_changes_nothing_leaves_no_trace(team):
    send(team.otto, team.acme, colour="#112233")
    send(team.otto, team.acme, colour="#112233")

    assert Event.objects.filter(action="organization_changed").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"colour": "red"}, "# and six digits"),
        ({"colour": "#12345g"}, "# and six digits"),
        ({"colour": "#000};"}, "# and six digits"),
        ({"reply_to": "nobody"}, "valid email address"),
        ({"reply_to": f"{'a' * 250}@acme.example"}, "at most 254 characters"),
        ({"reply_to": f"a@{'ü' * 60}.example"}, "No mail can be sent"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"logo": b"<svg/>"}, "no PNG, JPEG or WebP"),
    ],
)
def test_a_bad_value_is_named_and_what_was_typed_stays(team, fields, words):
    answer = send(team.otto, team.acme, **{"name": "Kept", **fields})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert fields.get("name", "Kept") in page
    assert not Brand.objects.exists()


@pytest.mark.django_db
def test_only_owners_change_it_and_strangers_see_nothing(team):
    assert send(team.vic, team.acme, colour="#112233").status_code == 403
    assert send(team.eve, team.acme, colour="#112233").status_code == 404
    assert browser(team.eve).get(page_of(team.acme)).status_code == 404
    seen = browser(team.vic).get(page_of(team.acme)).content.decode()
    assert "Use this look" not in seen
    assert not Brand.objects.exists()


# What strangers are served


@pytest.mark.django_db
def test_colour_and_logo_are_served_under_the_version_that_is_current(team):
    send(team.otto, team.acme, picture(), colour="#ffcc00")
    brand = Brand.objects.get(organization=team.acme)
    at = [team.acme.uid, brand.version]
    css = reverse("instances:brand-css", args=at)
    png = reverse("instances:brand-logo", args=at)

    rules, logo = browser().get(css), browser().get(png)

    assert rules["Content-Type"] == "text/css; charset=utf-8"
    assert "--brand: #ffcc00; --on-brand: #000000" in rules.content.decode()
    assert logo["Content-Type"] == "image/png"
    assert logo["X-Content-Type-Options"] == "nosniff"
    assert logo.content == bytes(brand.logo)
    assert "immutable" in logo["Cache-Control"]
    old = reverse("instances:brand-css", args=[team.acme.uid, "0" * 16])
    other = reverse("instances:brand-css", args=[team.other.uid, brand.version])
    assert [browser().get(one).status_code for one in (old, other)] == [404, 404]


@pytest.mark.django_db
def test_what_caches_may_keep_carries_nobody_s_session(team):
    send(team.otto, team.acme, colour="#ffcc00")
    brand = Brand.objects.get(organization=team.acme)
    css = reverse("instances:brand-css", args=[team.acme.uid, brand.version])

    rules = browser(team.otto).get(css)

    assert "public" in rules["Cache-Control"]
    assert not rules.cookies


@pytest.mark.django_db
def test_without_a_logo_there_is_none(team):
    send(team.otto, team.acme, colour="#ffcc00")
    brand = Brand.objects.get(organization=team.acme)

    at = [team.acme.uid, brand.version]

    assert browser().get(reverse("instances:brand-logo", args=at)).status_code == 404
