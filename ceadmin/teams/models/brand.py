"""How an organization appears to the people whom it asks to reconnect."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.teams.models.organization import Organization

#: A colour as it is stored: three pairs of hexadecimal digits.
COLOUR = r"#[0-9a-f]{6}"


@named(_("brand"), _("brands"))
class Brand(models.Model):
    """Name, colour, logo and reply address of the public pages; without a row the organization's name stands alone."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="brand"
    )
    name = models.CharField(max_length=80, blank=True)
    colour = models.CharField(
        max_length=7, blank=True, validators=[RegexValidator(rf"^{COLOUR}\Z")]
    )
    reply_to = models.EmailField(blank=True)
    logo = models.BinaryField(blank=True, default=bytes)  # PNG that was written here
    # Of logo and colour; it stands in their addresses, so no cache shows an old one.
    version = models.CharField(max_length=16)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(colour="") | Q(colour__regex=rf"^{COLOUR}$"),
                name="brand_colour_known",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.organization.name
