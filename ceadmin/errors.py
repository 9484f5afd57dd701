"""What Django's error reports may show: nothing that opens a door."""

import re

from django.views.debug import SafeExceptionReporterFilter


class SecretsFilter(SafeExceptionReporterFilter):
    """Hide, beside Django's own list, addresses with passwords and OAuth values."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern
        + "|URL|PROXY|CODE|STATE|VERIFIER|COOKIE|AUTHORIZATION|DATABASES|ENV|VARIABLES"
        "|CALLBACK|GRANT",
        flags=re.IGNORECASE,
    )

    def is_active(self, request: object) -> bool:
        """Hide with DEBUG on as well: a demo's page is looked at over a shoulder."""
        return True
