"""Listing all instances, page by page."""

import pytest

from ceadmin.lib import http
from instances.actions.calls import drive
from instances.actions.sync import pages
from instances.cloud_elements import Code, Refused, Unreachable
from tests.instances.canned import BAD_SECRETS, CREDENTIALS, Script, answer, instance

EMPTY = answer(404, {"message": "No instances found"})


def page(*ids, cursor="", total=None, **changed):
    headers = {"Elements_Next_Page_Token": cursor} if cursor else {}
    headers |= {"Elements_Total_Count": str(total)} if total is not None else {}
    return answer(200, [instance(id=number, **changed) for number in ids], **headers)


def listed(script, **options):
    delivered = []
    result = drive(
        pages(CREDENTIALS, delivered.append, **options),
        send=script.send,
        sleep=script.slept.append,
    )
    return result, [[one.remote_id for one in each.instances] for each in delivered]


def test_pages_are_delivered_as_they_come():
    script = Script(page(1, 2, cursor="c2", total=3), page(3, total=3))

    result, delivered = listed(script)

    assert delivered == [["1", "2"], ["3"]]
    assert (result.complete, result.total) == (True, 3)
    assert "nextPage=c2" in script.paths[1]


def test_nothing_listed_is_complete():
    result, delivered = listed(Script(EMPTY))

    assert (result.complete, delivered) == (True, [[]])


def test_a_row_seen_twice_is_delivered_once():
    _, delivered = listed(Script(page(1, 2, 1, cursor="c2"), page(2, 3)))

    assert delivered == [["1", "2"], ["3"]]


@pytest.mark.parametrize(
    "answers",
    [
        [page(1, total=5)],
        [answer(200, [instance(), {"name": "no id"}])],
        [page(1, cursor="c2"), EMPTY],
        [page(1, cursor="c2", total=5), EMPTY],
    ],
)
def test_a_list_with_holes_proves_nobody_vanished(answers):
    result, _ = listed(Script(*answers))

    assert result.complete is False


def test_an_empty_last_page_ends_a_counted_list():
    result, _ = listed(Script(page(1, 2, cursor="c2", total=2), EMPTY))

    assert result.complete is True


def test_missing_configurations_are_read_by_id_at_a_pace():
    script = Script(
        page(1, 2, configuration=None),
        answer(200, instance(id=1)),
        answer(200, instance(id=2)),
    )

    listed(script, pace=0.25)

    assert script.paths[1:] == ["GET /instances/1", "GET /instances/2"]
    assert script.slept == [0.25, 0.25]


def test_only_wanted_details_are_read():
    script = Script(page(1, 2, configuration=None), answer(200, instance(id=2)))

    _, delivered = listed(script, wants_detail=lambda one: one.remote_id == "2")

    assert delivered == [["1", "2"]]


def test_an_instance_deleted_between_list_and_look_is_left_out():
    script = Script(
        page(1, 2, configuration=None, total=2),
        answer(404, {"message": "gone"}),
        answer(200, instance(id=2)),
    )

    result, delivered = listed(script)

    assert delivered == [["2"]]
    assert (result.gone, result.complete) == (1, True)


def test_an_instance_that_may_not_be_read_is_delivered_as_listed():
    _, delivered = listed(
        Script(page(1, configuration=None), answer(403, {"message": "no"}))
    )

    assert delivered == [["1"]]


def test_a_cursor_that_comes_back_ends_in_an_error():
    script = Script(page(1, cursor="c2"), page(2, cursor="c3"), page(3, cursor="c2"))

    with pytest.raises(Refused) as caught:
        listed(script)

    assert caught.value.code == Code.PAGING_LOOP


def test_a_rate_limit_in_the_middle_is_waited_for():
    script = Script(page(1, cursor="c2"), answer(429, {}, Retry_After="60"), page(2))

    _, delivered = listed(script)

    assert delivered == [["1"], ["2"]]
    assert script.slept == [60.0]


def test_what_was_delivered_before_an_outage_stays():
    delivered = []
    script = Script(page(1, cursor="c2"), *[answer(503, b"")] * 5)

    with pytest.raises(Unreachable):
        drive(
            pages(CREDENTIALS, delivered.append),
            send=script.send,
            sleep=script.slept.append,
        )

    assert [one.remote_id for one in delivered[0].instances] == ["1"]


def test_wrong_secrets_are_refused_at_once():
    with pytest.raises(Refused) as caught:
        listed(Script(answer(401, BAD_SECRETS)))

    assert caught.value.code == Code.UNAUTHORIZED


def too_large(request):
    return http.Lost(request, "too_large")


def test_a_page_larger_than_is_read_is_asked_for_in_shorter_ones():
    script = Script(page(1, cursor="c2"), too_large, page(2, cursor="c3"), page(3))

    _, delivered = listed(script)

    assert delivered == [["1"], ["2"], ["3"]]
    sizes = [path.split("pageSize=")[1].split("&")[0] for path in script.paths]
    assert sizes == ["200", "200", "40", "40"]


def test_a_row_larger_than_is_read_ends_in_an_error():
    with pytest.raises(Refused) as caught:
        listed(Script(too_large, too_large, too_large))

    assert caught.value.code == Code.TOO_LARGE
