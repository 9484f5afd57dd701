"""Neither an error page nor a log line says what opens a door."""

import json
import logging

from django.conf import settings
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, get_exception_reporter_filter

from ceadmin.lib import trace
from ceadmin.lib.logs import JsonFormatter, RouteFilter

KEYS = ("SECRET_KEY", "FIELD_KEYS", "FINGERPRINT_KEYS", "CHECKPOINT_KEYS")


def test_an_error_page_hides_settings_that_hold_secrets(settings):
    settings.DEBUG = True
    request = RequestFactory().get("/x", {"code": "canary-code"})
    hidden = get_exception_reporter_filter(request).get_safe_settings()
    secret = {name for name in hidden if hidden[name] == "********************"}

    wanted = {*KEYS, "REDIS_URL"}
    assert {*wanted, "CELERY_BROKER_URL", "DATABASES", "OUTBOUND_PROXY"} <= secret


def test_no_key_is_on_an_error_page(settings):
    request = RequestFactory().get("/x")
    try:
        raise RuntimeError
    except RuntimeError as error:
        report = ExceptionReporter(request, type(error), error, error.__traceback__)
        page = report.get_traceback_html() + report.get_traceback_text()

    for name in KEYS:
        keys = getattr(settings, name).split(",")
        assert all(key not in page for key in keys)


def test_a_log_line_is_json_with_the_ids_that_tie_it():
    record = logging.LogRecord("a.b", logging.INFO, "f", 1, "took %d s", (3,), None)
    token = trace.run_uid.set("run-7")

    line = json.loads(JsonFormatter().format(record))
    trace.run_uid.reset(token)

    assert line["message"] == "took 3 s"
    assert (line["level"], line["logger"], line["run"]) == ("info", "a.b", "run-7")
    assert "request" not in line and line["at"].endswith("+00:00")


def test_loggers_that_print_tokens_stay_above_info():
    for name in ("oauthlib", "requests_oauthlib", "urllib3"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def test_django_s_own_lines_have_the_route_and_never_the_address(client, caplog):
    handler = logging.getLogger().handlers[0]
    caplog.handler.addFilter(RouteFilter())

    client.get("/nowhere/canary-link/?code=canary-code")

    assert "Not Found: (no route)" in caplog.text
    assert "canary" not in caplog.text
    assert any(isinstance(one, RouteFilter) for one in handler.filters)


def test_every_handler_redacts():
    handlers = settings.LOGGING["handlers"].values()

    assert all("redact" in handler["filters"] for handler in handlers)
