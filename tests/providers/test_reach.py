"""Which other grants each record's revocation takes along."""

from dataclasses import replace

import pytest

from providers import catalogue, prose, rules
from providers.choices import REACH_OF, Effect, Reach
from providers.errors import SpecError

#: All others take along no more than whoever holds the very token.
WIDE = {
    Reach.GRANT: {
        *("auth0", "canva", "discord", "facebook", "github", "google", "pipedrive"),
        *("sap_cloud_identity", "sap_concur", "sharefile", "square", "strava"),
        *("tiktok", "webex", "xero"),
    },
    Reach.ACCOUNT: {"intercom", "quickbooks", "shopify", "stripe"},
    Reach.USER: {"dynamics365", "microsoft_graph", "onedrive", "sharepoint"},
}


def test_every_effect_has_a_reach():
    assert set(REACH_OF) == set(Effect)


def test_each_record_reaches_as_far_as_its_source_says():
    found = {
        reach: {one.key for one in catalogue.all() if one.reach == reach}
        for reach in WIDE
    }

    assert found == WIDE


def test_whole_accounts_are_told_apart_by_a_value_of_the_account_s_own():
    vague = {one.key for one in catalogue.all() if not one.names_accounts}

    assert vague == {"intercom"}  # the platform names the admin, not the workspace


def test_where_all_sessions_end_the_records_of_one_call_are_one_family():
    families = catalogue.families_of(catalogue.all())

    assert len({families[key] for key in WIDE[Reach.USER]}) == 1
    assert families["google"] == "google"
    assert "box" not in families


def test_a_reach_that_the_effect_says_anyway_is_refused():
    google = catalogue.get("google")
    twice = replace(google, revoke=replace(google.revoke, reach=Reach.GRANT))

    with pytest.raises(SpecError, match=r"revoke\.reach"):
        rules.check(twice)


def test_the_warning_goes_as_far_as_the_record():
    told = {
        key: " ".join(prose.warnings(catalogue.get(key)))
        for key in ("pipedrive", "plaid")
    }

    assert "connected with the same app die too" in told["pipedrive"]
    assert "whole connection" not in told["plaid"]
