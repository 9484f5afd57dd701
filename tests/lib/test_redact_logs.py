"""No secret passes the log filter, and no record is lost in it."""

import io
import json
import logging

import pytest

from ceadmin.lib import redact
from ceadmin.lib.logs import JsonFormatter

CANARY = "canary-of-the-logs/1"


@pytest.fixture
def logger():
    """A logger as the settings make them; `.lines()` returns what it wrote."""
    redact.learn(CANARY)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(redact.RedactingFilter())
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("tests.lib.redact")
    logger.propagate, logger.handlers, logger.written = (
        False,
        [handler],
        stream.getvalue,
    )
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers = []
    redact.forget()


def only(logger):
    """Return the one line that was written."""
    assert "canary-of-the-logs" not in logger.written()
    [line] = logger.written().splitlines()
    return json.loads(line)


class Unreadable:
    """Raises whatever one asks of it."""

    def __str__(self):
        raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (f"with {CANARY}", ()),
        ("with %s", (CANARY,)),
        ("with %r", ([{"deep": CANARY}],)),
        ("with %(name)s", ({"name": CANARY},)),
        ("with %s", (ValueError(CANARY),)),
        (ValueError(f"with {CANARY}"), ()),
        ("with %s", (CANARY.encode(),)),
    ],
)
def test_message_and_arguments_are_masked(logger, message, arguments):
    logger.warning(message, *arguments)

    assert "********" in only(logger)["message"]


def test_a_traceback_is_written_and_masked(logger):
    try:
        raise ValueError(f"said {CANARY}") from KeyError(CANARY)
    except ValueError:
        logger.exception("It failed with %s", "code 7")

    line = only(logger)

    assert line["message"] == "It failed with code 7"
    assert "ValueError: said ********" in line["error"]
    assert "KeyError: '********'" in line["error"]


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("two %s %s", ("one",)),
        ("none", ("one", "two")),
        ("number %d", ("word",)),
        ("%(missing)s", ({"other": 1},)),
        ("%c", (1 << 40,)),
        ("%s", (Unreadable(),)),
        (Unreadable(), ()),
        (None, ()),
        ("lone \ud800 surrogate and \x00", ()),
        (b"bytes", ()),
    ],
)
def test_a_record_that_cannot_be_formatted_is_still_written(logger, message, arguments):
    logger.error(message, *arguments)

    assert only(logger)["level"] == "error"


def test_extra_fields_are_masked(logger):
    seen = []
    logger.handlers[0].addFilter(lambda record: seen.append(record) or True)
    request = object()

    logger.info(
        "x",
        extra={
            "note": f"has {CANARY}",
            "client_secret": "short",
            "nested": {"list": [CANARY, {"token": 5}], "count": 2},
            "raw": CANARY.encode(),
            "error": ValueError(CANARY),
            "unreadable": RuntimeError(Unreadable()),
            "request": request,
        },
    )

    [record] = seen
    assert record.note == "has ********"
    assert record.client_secret == record.raw == "********"
    assert record.nested == {"list": ["********", {"token": "********"}], "count": 2}
    assert record.error == "ValueError: ********"
    assert record.unreadable.startswith("RuntimeError")
    assert record.request is request


def test_a_stack_is_masked(logger):
    seen = []
    logger.handlers[0].addFilter(lambda record: seen.append(record) or True)

    logger.info("x", stack_info=True)  # canary-of-the-logs/1

    assert "********" in seen[0].stack_info
    assert CANARY not in seen[0].stack_info
