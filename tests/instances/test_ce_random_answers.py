"""Whatever a server sends, a reader gives a value or a PlatformError with a known code."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import cloud_elements as ce
from tests.instances.canned import answer, instance

READERS = [
    ce.read_instance,
    ce.read_reauthenticated,
    ce.read_page,
    ce.read_oauth_url,
    ce.read_request_token,
    ce.read_enabled,
    ce.read_pong,
    ce.read_organization,
    ce.read_login,
    ce.read_secrets,
]
NAMES = st.sampled_from(
    [*instance(), "oauthUrl", "secret", "userSecret", "organizationSecret", "message"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(), inner, max_size=6)
    ),
    max_leaves=20,
)
STATUSES = st.sampled_from(
    [200, 201, 204, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503]
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Retry_After",
            "Date",
            "Elements_Next_Page_Token",
            "Elements_Total_Count",
            "Elements_Request_Id",
        ]
    ),
    st.text(alphabet=string.printable),
)


def read_or_refuse(reader, given_answer):
    try:
        return reader(given_answer)
    except ce.PlatformError as problem:
        assert problem.code in set(ce.Code)
        return problem


@pytest.mark.parametrize("reader", READERS)
@settings(deadline=None)
@given(status=STATUSES, value=VALUES, headers=HEADERS)
def test_any_json_is_read_or_refused(reader, status, value, headers):
    read_or_refuse(reader, answer(status, value, **headers))


@pytest.mark.parametrize("reader", READERS)
@settings(deadline=None)
@given(status=STATUSES, body=st.binary())
def test_any_bytes_are_read_or_refused(reader, status, body):
    read_or_refuse(reader, answer(status, body))


@settings(deadline=None)
@given(changed=st.dictionaries(st.sampled_from(list(instance())), VALUES))
def test_what_is_read_from_a_spoiled_instance_can_be_stored(changed):
    read = read_or_refuse(ce.read_instance, answer(200, instance(**changed)))

    shown = [
        getattr(read, name, "")
        for name in ("remote_id", "name", "element_key", "hub", "token", "created_at")
    ]
    assert "".join(shown).encode() is not None
    assert not any(char < " " for text in shown for char in text)


@settings(deadline=None)
@given(cut=st.integers(min_value=1))
def test_an_instance_cut_anywhere_is_refused(cut):
    whole = json.dumps(instance()).encode()

    with pytest.raises(ce.Unreachable):
        ce.read_instance(answer(200, whole[: cut % len(whole)]))
