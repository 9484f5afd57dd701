"""Lists of instances: pages, filters, nothing found, and the instance of an Element token."""

import pytest

from tests.test_emulator.tenant import Tenant, encoded


def pages(acme, query):
    """Follow the cursor to the end."""
    answer = acme.platform("GET", f"/instances?{query}")
    yield answer
    while token := answer.headers.get("elements-next-page-token"):
        answer = acme.platform("GET", f"/instances?nextPage={encoded(token)}")
        yield answer


def test_a_cursor_leads_through_all_pages(acme):
    made = acme.instances(450)

    answers = list(pages(acme, "pageSize=200"))

    assert [len(answer.json()) for answer in answers] == [200, 200, 50]
    assert [row["id"] for a in answers for row in a.json()] == [
        row["id"] for row in made
    ]
    assert {a.headers["elements-total-count"] for a in answers} == {"450"}
    returned = [answer.headers["elements-returned-count"] for answer in answers]
    assert returned == ["200", "200", "50"]
    assert all(len(a.headers["elements-request-id"]) == 24 for a in answers)


def test_a_page_that_ends_exactly_has_no_cursor(acme):
    acme.instances(4)

    assert [len(answer.json()) for answer in pages(acme, "pageSize=2")] == [2, 2]


def test_a_page_holds_200_at_most(acme):
    acme.instances(210)

    assert len(acme.platform("GET", "/instances").json()) == 200
    assert len(acme.platform("GET", "/instances?pageSize=5000").json()) == 200
    acme.switch(page_size_over_max="refuse")
    assert acme.platform("GET", "/instances?pageSize=5000").status == 400


@pytest.mark.parametrize("query", ["nextPage=nonsense", "pageSize=0", "pageSize=x"])
def test_nonsense_in_the_query_is_refused(acme, query):
    acme.instances(1)

    assert acme.platform("GET", f"/instances?{query}").status == 400


def test_filters_combine(acme):
    acme.instance(name="Acme Box", tags=["finance", "emea"])
    acme.instance(name="Acme Drive", tags=["finance"])
    acme.instance(name="Globex Box", tags=["emea"])

    def names(query):
        rows = acme.platform("GET", f"/instances?{query}").json()
        return [row["name"] for row in rows]

    assert names("tags[]=finance") == ["Acme Box", "Acme Drive"]
    assert names("tags[]=finance&tags[]=emea") == ["Acme Box"]
    assert names("searchText=box") == ["Acme Box", "Globex Box"]
    assert names("searchText=Acme&tags[]=emea") == ["Acme Box"]


def test_an_empty_list_is_a_404(acme):
    answer = acme.platform("GET", "/instances")

    assert (answer.status, answer.json()["message"]) == (404, "No instances found")
    acme.switch(empty_list_is_404=False)
    assert acme.platform("GET", "/instances").json() == []


def test_only_the_own_organizations_instances_are_listed(acme):
    other = Tenant(acme.emulator, "Other").instance()
    mine = acme.instance()

    rows = acme.platform("GET", "/instances").json()

    assert [row["id"] for row in rows] == [mine["id"]]
    assert acme.platform("GET", f"/instances/{other['id']}").status == 404


def test_hydrate_false_leaves_the_configuration_out(acme):
    instance = acme.instance()

    assert "configuration" in acme.platform("GET", "/instances").json()[0]
    light = acme.platform("GET", "/instances?hydrate=false").json()[0]
    assert "configuration" not in light
    acme.switch(list_hydrated=False)
    assert "configuration" not in acme.platform("GET", "/instances").json()[0]
    whole = acme.platform("GET", f"/instances/{instance['id']}").json()
    assert whole["configuration"]


def test_an_element_token_narrows_to_one_object(acme):
    instance = acme.instances(2)[1]

    one = acme.platform("GET", "/instances", instance=instance).json()

    assert one["id"] == instance["id"]
    filtered = acme.platform("GET", "/instances?searchText=x", instance=instance).json()
    assert [row["id"] for row in filtered] == [instance["id"]]
    acme.switch(element_scoped_get="array")
    several = acme.platform("GET", "/instances", instance=instance).json()
    assert [row["id"] for row in several] == [instance["id"]]


def test_instances_are_counted_and_listed_by_element(acme):
    acme.instances(2)
    salesforce = acme.instance("salesforce")

    count = acme.platform("GET", "/instances/count").json()
    rows = acme.platform("GET", "/elements/sfdc/instances").json()

    assert count["totalInstances"] == 3
    assert [row["id"] for row in rows] == [salesforce["id"]]
    assert acme.platform("GET", "/elements/quickbooks/instances").status == 404
