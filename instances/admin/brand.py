"""The page of an organization's brand: how its reconnect pages look to the people it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from ceadmin.teams import brands
from ceadmin.teams.brands import Look
from ceadmin.teams.choices import Act
from ceadmin.teams.logos import LARGEST_FILE, BadLogo, logo_of
from ceadmin.teams.models import Brand, Organization
from ceadmin.teams.models.brand import COLOUR
from ceadmin.teams.permissions import may
from ceadmin.teams.validators import validate_deliverable

if TYPE_CHECKING:
    from ceadmin.teams.scoping import ScopedAdmin as _Base
else:
    _Base = ModelAdmin

_COLOUR_WANTED = _(
    "Write a colour as # and six digits or letters a to f, such as #2b50c4."
)


class BrandForm(forms.Form):
    """A brand as an owner wants it; what is left out stays away, but for the logo."""

    name = forms.CharField(
        label=_("Name on the pages"),
        required=False,
        max_length=80,
        help_text=_("What your customers know you by. Empty: the organization's name."),
    )
    colour = forms.CharField(
        label=_("Colour of the button"),
        required=False,
        max_length=7,
        validators=[RegexValidator(rf"(?i)^{COLOUR}\Z", _COLOUR_WANTED)],
        widget=forms.TextInput(attrs={"placeholder": "#2b50c4", "spellcheck": "false"}),
        help_text=_(
            "# and six digits. Its text becomes black or white, whichever is read better."
        ),
    )
    reply_to = forms.EmailField(
        label=_("Address for questions"),
        required=False,
        max_length=Brand._meta.get_field("reply_to").max_length,
        validators=[validate_deliverable],
        help_text=_("Shown on every page, and where answers to mails go."),
    )
    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=_(
            "PNG, JPEG or WebP, 512 KB at most. Shown 48 pixels high on white."
        ),
    )
    without_logo = forms.BooleanField(label=_("Take the logo away"), required=False)

    def __init__(
        self, brand: Brand | None, data: Any = None, files: Any = None
    ) -> None:
        self.brand = brand
        kept = {
            name: getattr(brand, name, "") for name in ("name", "colour", "reply_to")
        }
        super().__init__(data, files, initial=kept)
        if not (brand and brand.logo):
            del self.fields["without_logo"]

    def clean_colour(self) -> str:
        """Write it as it is stored."""
        colour: str = self.cleaned_data["colour"]
        return colour.lower()

    def clean_logo(self) -> bytes:
        """Return the new logo as it is stored, b"" where none was chosen."""
        file = self.cleaned_data["logo"]
        if not file:
            return b""
        try:
            # One byte more than allowed tells that it is too large.
            return logo_of(file.read(LARGEST_FILE + 1))
        except BadLogo as error:
            raise forms.ValidationError(error.sentence) from None

    def look(self) -> Look:
        """Return the whole brand that was asked for."""
        values = self.cleaned_data
        kept = bytes(self.brand.logo) if self.brand else b""
        kept = b"" if values.get("without_logo") else kept
        logo = values["logo"] or kept
        return Look(values["name"], values["colour"], values["reply_to"], logo)


class BrandPages(_Base):
    """The brand's page, beside those of an organization's admin."""

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        view = require_http_methods(["GET", "HEAD", "POST"])(self.brand)
        own = path(
            "<path:object_id>/brand/",
            self.admin_site.admin_view(view),
            name="teams_organization_brand",
        )
        return [own, *super().get_urls()]

    def brand(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show how the reconnect pages look; an owner's POST changes it."""
        act = Act.OWN if request.method == "POST" else Act.VIEW
        organization: Organization = self.fetch(request, object_id, act)
        brand = brands.brand_of(organization)
        if request.method != "POST":
            return self._brand_page(request, organization, BrandForm(brand))
        form = BrandForm(brand, request.POST, request.FILES)
        if not form.is_valid():
            return self._brand_page(request, organization, form, status=422)
        brands.save(organization, form.look(), self.hand(request, organization))
        messages.success(
            request, gettext("The reconnect pages look like this from now on.")
        )
        address = reverse("admin:teams_organization_brand", args=[organization.pk])
        return HttpResponseRedirect(address)

    def _brand_page(
        self,
        request: HttpRequest,
        organization: Organization,
        form: BrandForm,
        status: int = 200,
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Reconnect pages"),
            "organization_shown": organization,
            "form": form,
            "brand": form.brand,
            "who": (form.brand and form.brand.name) or organization.name,
            "may_own": may(request.user, Act.OWN, organization),
        }
        page = "instances/organization/brand.html"
        return TemplateResponse(request, page, context, status=status)
