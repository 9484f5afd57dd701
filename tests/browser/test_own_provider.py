"""The live preview of an own record: what is typed is shown as the call it would make."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from providers.models import OwnProvider
from tests.browsers import sign_in
from tests.providers.own_records import HOST, text

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_typed_is_shown_as_the_call_it_would_make(
    site_url, team, page: Page, heard
):
    sign_in(page, site_url, team.otto)
    page.goto(site_url + reverse("admin:providers_ownprovider_add"))
    shown = page.locator("[data-preview-region]")
    record = page.get_by_role("textbox", name="Record")

    record.fill(text())
    expect(shown).to_contain_text(f"https://{HOST}/oauth/revoke")
    page.get_by_label(HOST).check()
    record.fill(text(hint=False))
    expect(shown).not_to_contain_text("token_type_hint")
    expect(page.get_by_label(HOST)).to_be_checked()
    record.fill(text(("basic", "magic")))
    expect(shown).to_contain_text("revoke.call.client_auth: is none of")

    assert not OwnProvider.objects.exists()
    assert heard == []
