"""Fixtures of all tests: settings of a demo, real services, real people."""

import os

DEMO_SETTINGS = {
    "CEADMIN_ENV_FILE": os.devnull,
    "DEMO": "1",
    "ENVIRONMENT_NAME": "test",
    "SECRET_KEY": "demo-" + "tests" * 10,
    "FIELD_KEYS": "demo2:dGVzdHMtZmllbGQta2V5LTIuMDEyMzQ1Njc4OTAxMjM=,"
    "demo1:dGVzdHMtZmllbGQta2V5LTEuMDEyMzQ1Njc4OTAxMjM=",
    "FINGERPRINT_KEYS": "demo1:dGVzdHMtZmluZ2VycHJpbnQuMDEyMzQ1Njc4OTAxMjM=",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    # Playwright's loop makes Django think that tests run asynchronously.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
os.environ |= DEMO_SETTINGS
