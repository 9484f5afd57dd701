"""Which provider apps there are."""

from datetime import date
from typing import TYPE_CHECKING

from django.db.models import QuerySet

if TYPE_CHECKING:
    from ceadmin.teams.models import Organization
    from providers.models import ProviderApp  # noqa: F401 (named in a base class)


class ProviderAppQuerySet(QuerySet["ProviderApp"]):
    """Provider apps, of one organization or for one element."""

    def of(self, organization: "Organization") -> "ProviderAppQuerySet":
        """Return those of one organization."""
        return self.filter(organization=organization)

    def for_element(self, element_key: str) -> "ProviderAppQuerySet":
        """Return those that an element's instances may belong to."""
        return self.filter(element_key=element_key)

    def expiring(self, until: date) -> "ProviderAppQuerySet":
        """Return those whose client secret expires up to a day, or has expired."""
        return self.filter(secret_expires_on__lte=until)
