"""ceadmin's settings: the only module that reads the environment.

Every setting and its default is explained in docs/settings.md. A value comes from a
variable, from `.env` beside manage.py, or, for secrets, from the file that
`<NAME>_FILE` names. `CEADMIN_ENV_FILE` names another file than `.env`, and what stands
in that file wins over variables, so that one world (the demo's, say) is never mixed
with another. Nothing raises here: `ceadmin.checks` says what is wrong.
"""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ceadmin.environment import Environment, words_of

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)
ENV_FILE = env.text("CEADMIN_ENV_FILE")
if ENV_FILE:
    env.read_file(Path(ENV_FILE), wins=True)
elif (BASE_DIR / ".env").exists():
    env.read_file(BASE_DIR / ".env", wins=False)

# What a child process of `manage.py up --demo` may know of the shell it came from: the
# rest, a DATABASE_URL for instance, belongs to a real installation.
HARMLESS_VARIABLES = {
    name: os.environ[name]
    for name in (
        *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TERM", "VIRTUAL_ENV"),
        *("WEB_PORT", "EMULATOR_PORT", "CEADMIN_DEMO_DIR", "DEMO_FAULT"),
    )
    if name in os.environ
}

# Which world this is
ENVIRONMENT_NAME = env.text("ENVIRONMENT_NAME", "production")
DEBUG = env.flag("DEBUG")
DEMO = env.flag("DEMO")
EMULATOR_URL = env.text("EMULATOR_URL").rstrip("/")
DEMO_FAULT = env.text("DEMO_FAULT")

# Where it keeps things and is reached
STATE_DIR = BASE_DIR / env.text("CEADMIN_STATE_DIR", "var")
DEMO_DIR = BASE_DIR / env.text("CEADMIN_DEMO_DIR", "var/demo")
WEB_BIND = env.text("WEB_BIND", "127.0.0.1")
WEB_PORT = env.number("WEB_PORT", 8000)
WEB_PROCESSES = env.number("WEB_PROCESSES", 2, least=1)
WORKER_PROCESSES = env.number("WORKER_PROCESSES", min(os.cpu_count() or 1, 4), least=1)
LEASE_SECONDS = env.number("LEASE_SECONDS", 30, least=2)
RUN_CONNECTIONS = env.number("RUN_CONNECTIONS", 50, least=1, most=1000)

# How long rows are kept that pile up; None is for ever. Runs and the audit always are.
RETAIN_ATTEMPTS_DAYS = env.days("RETAIN_ATTEMPTS_DAYS", 90)
RETAIN_ITEMS_DAYS = env.days("RETAIN_ITEMS_DAYS", 365)
RETAIN_LINKS_DAYS = env.days("RETAIN_LINKS_DAYS", 365)
RETAIN_FLIPS_DAYS = env.days("RETAIN_FLIPS_DAYS", 365)
DRAFT_DAYS = env.days("DRAFT_DAYS", 7)

# Calls to Cloud Elements with one organization's secrets, unless it has limits of its own.
PLATFORM_RATE = env.limit("PLATFORM_RATE")
_platform_slots = env.limit("PLATFORM_CONCURRENCY", whole=True)
PLATFORM_CONCURRENCY = int(_platform_slots) if _platform_slots else None

EMULATOR_PORT = env.number("EMULATOR_PORT", 9900)
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{WEB_PORT}").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
OUTBOUND_PROXY = env.text("OUTBOUND_PROXY")
OUTBOUND_CA_FILE = env.text("OUTBOUND_CA_FILE")

LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
_public_host = re.sub(r"^https?://|[:/][^\]]*$", "", PUBLIC_URL)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or (
    LOOPBACK_HOSTS if _public_host in LOOPBACK_HOSTS else [_public_host]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Keys. SECRET_KEY signs sessions; FIELD_KEYS seal what the database keeps secret;
# FINGERPRINT_KEYS make tokens recognisable without keeping them; CHECKPOINT_KEYS sign how
# far the audit has come. Newest first.
SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = words_of(env.secret("SECRET_KEY_FALLBACKS"))
FIELD_KEYS = env.secret("FIELD_KEYS")
FINGERPRINT_KEYS = env.secret("FINGERPRINT_KEYS")
CHECKPOINT_KEYS = env.secret("CHECKPOINT_KEYS")

# Where signed checkpoints of the audit go, beside the log, and how often
CHECKPOINT_FILE = BASE_DIR / (
    env.text("CHECKPOINT_FILE") or STATE_DIR / "audit-checkpoints.jsonl"
)
CHECKPOINT_MINUTES = env.number("CHECKPOINT_MINUTES", 10, least=1, most=1440)

# Applications
INSTALLED_APPS = [
    "ceadmin.apps.CeadminConfig",  # before the admin: its templates win
    "instances",
    "providers",
    "ceadmin.teams",
    "ceadmin.audit",
    "ceadmin.apps.CeadminAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
AUTH_USER_MODEL = "teams.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "ceadmin.urls"
WSGI_APPLICATION = "ceadmin.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

MIDDLEWARE = [
    "ceadmin.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ceadmin.middleware.security_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Every view asks for a login unless it says login_not_required.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "ceadmin.middleware.session_life",
    "ceadmin.middleware.time_zone",
    "ceadmin.middleware.language",
    "ceadmin.confirming.ConfirmFirst",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: SQLite with writers that queue up instead of failing, or PostgreSQL
DATABASES = {
    "default": env.database("DATABASE_URL", STATE_DIR / "ceadmin.sqlite3", BASE_DIR)
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A bare clone has no folder for it yet. Where none can be made, SQLite says so.
    with suppress(OSError):
        Path(DATABASES["default"]["NAME"]).parent.mkdir(
            0o700, parents=True, exist_ok=True
        )
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=10000;",
    }
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    # A network that swallows everything is noticed within half a minute, and who freezes
    # in the middle of a transaction loses its locks. The address may say otherwise.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,
        "options": "-c idle_in_transaction_session_timeout=60s",
        **DATABASES["default"].get("OPTIONS", {}),
    }

# Mail: without EMAIL_URL nothing is sent, and addresses are copied
_mail = env.mail("EMAIL_URL")
MAIL_WORKS = bool(_mail)
EMAIL_BACKEND = _mail.get(
    "EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend"
)
EMAIL_HOST, EMAIL_PORT = _mail.get("EMAIL_HOST", ""), _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_mail.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_mail.get("EMAIL_USE_SSL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM")
if MAIL_WORKS and "@" not in DEFAULT_FROM_EMAIL:
    env.problems.append(("EMAIL_FROM", "is no address, and EMAIL_URL needs one"))

# Broker: REDIS_URL, or the embedded one that `manage.py up` starts on a unix socket. The
# address of a socket may not be longer than about 100 bytes: then it stands in /tmp.
BROKER_SOCKET = STATE_DIR / "broker" / "broker.sock"
if len(os.fsencode(BROKER_SOCKET)) > 90:
    _short = hashlib.sha256(os.fsencode(STATE_DIR)).hexdigest()[:16]
    BROKER_SOCKET = Path(f"/tmp/ceadmin-{os.getuid()}-{_short}/broker.sock")  # noqa: S108 (owned and 0700, or `up` refuses)
_redis_url = env.secret("REDIS_URL")
EMBEDDED_BROKER = not _redis_url
if EMBEDDED_BROKER:
    _redis_url = f"unix://{quote(str(BROKER_SOCKET))}"
# The same address for redis-py (unix://) and for Celery (redis+socket://).
REDIS_URL = _redis_url.replace("redis+socket://", "unix://", 1).replace(
    "?virtual_host=", "?db=", 1
)
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host=", 1
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Workers outlive their broker: one that is away for hours, and one without memory, whose
# refusals would end a worker ("Unrecoverable error").
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # longer than any task may run, or it would run twice
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,  # unset, a hung broker would hold a request for ever
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    # A page that enqueues does not wait for a broker that is away: the sweep will do it.
    # Without these a send takes 6 s to give up. The worker has its own patience.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
    "max_connections": 100,  # kombu's default of 10 is less than a busy worker takes
}
CELERY_TASK_DEFAULT_QUEUE = "ceadmin"
CELERY_TASK_IGNORE_RESULT = True  # the rows in the database are the results
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # a task that kills its process would loop
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_PROCESSES
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "instances.sweep", "schedule": 5.0},
    "thin_out": {
        "task": "instances.thin_out",
        "schedule": 60.0,
        "options": {"expires": 55},  # a worker that was away does it once
    },
    "sign_ins": {
        "task": "teams.sweep",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "checkpoint": {
        "task": "audit.checkpoint",
        "schedule": CHECKPOINT_MINUTES * 60.0,
        "options": {"expires": 55},
    },
}

# Words and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "ceadmin" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["ceadmin.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# Static files
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Sessions: a cookie that belongs to this host only, and ends when nobody used it for a
# while (`ceadmin.middleware.session_life` moves the end) or it is too old. The demo's has
# another name, since browsers do not tell ports apart.
_cookie = f"{'__Host-' if HTTPS else ''}ceadmin-{'demo-' if DEMO else ''}"
SESSION_COOKIE_NAME = f"{_cookie}session"
SESSION_COOKIE_AGE = env.number("SESSION_IDLE_MINUTES", 480, least=10, most=10080) * 60
SESSION_COOKIE_SECURE = HTTPS
SESSION_HOURS = env.number("SESSION_HOURS", 24, least=1, most=720)
SESSIONS_MOST = env.number("SESSIONS_MOST", 10, least=1, most=1000)

# So often one may try to prove who one is, in so many minutes.
SIGN_IN_TRIES = env.number("SIGN_IN_TRIES", 5, least=1, most=100)
SIGN_IN_MINUTES = env.number("SIGN_IN_MINUTES", 15, least=1, most=1440)
# Tells a browser in which somebody signed in before from a stranger's; opens nothing.
KNOWN_BROWSER_COOKIE_NAME = f"{_cookie}known"
# How long a person who proved who they are may do dangerous things.
CONFIRM_MINUTES = env.number("CONFIRM_MINUTES", 15, least=1, most=480)
CSRF_COOKIE_NAME = f"{_cookie}csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "ceadmin.problems.stale_form"

# Transport
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked on the inner port
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
TRUSTED_PROXY = env.flag("TRUSTED_PROXY")
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
]

# Commands on a terminal: https://no-color.org
NO_COLOR = env.text("NO_COLOR")

# Logs: one JSON object a line on standard error, everything redacted
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
DEFAULT_EXCEPTION_REPORTER_FILTER = "ceadmin.errors.SecretsFilter"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "route": {"()": "ceadmin.lib.logs.RouteFilter"},
        "redact": {"()": "ceadmin.lib.redact.RedactingFilter"},
    },
    "formatters": {"json": {"()": "ceadmin.lib.logs.JsonFormatter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["route", "redact"],
            "formatter": "json",
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # These print secrets, codes and tokens below WARNING.
        "oauthlib": {"level": "WARNING"},
        "requests_oauthlib": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "environ": {"level": "ERROR"},
    },
}

# What could not be read, as (setting, what is wrong); told by `ceadmin.checks`.
CONFIG_PROBLEMS = tuple(env.problems)
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    CONFIG_PROBLEMS += (("LOG_LEVEL", "is none of DEBUG, INFO, WARNING, ERROR"),)
    LOGGING["root"] = {"handlers": ["stderr"], "level": "INFO"}
