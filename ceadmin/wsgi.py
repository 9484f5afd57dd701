"""The door for web servers: `gunicorn ceadmin.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from ceadmin.checks import refuse_or_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ceadmin.settings")
refuse_or_start()

application = get_wsgi_application()
