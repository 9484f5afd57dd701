"""The columns of the list of instances: what each shows, and which of them a person wants."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.teams.models import User
from instances.actions.causes import sentence
from instances.admin.choosers import provider_of
from instances.models import Instance, ListChoice

#: Columns in the order in which they stand → what they are called. The name is always there.
COLUMNS = {
    "provider": _("Provider"),
    "state": _("Status"),
    "since": _("Since"),
    "tag_names": _("Tags"),
    "account": _("Account"),
    "probed": _("Last probe"),
    "revoked": _("Last revocation"),
    "reconnected": _("Last reconnection"),
    "dependents": _("Dependents"),
    "app": _("Provider app"),
    "organization_name": _("Organization"),
    "remote_id": _("Remote id"),
    "element_key": _("Element"),
    "synced": _("Last sync"),
}
USUAL = (
    *("provider", "state", "since", "tag_names"),
    *("probed", "revoked", "dependents"),
)
#: More siblings than this are "99+".
MOST_SIBLINGS = 99
#: A name or a list of tags that is longer is cut; all of it stands on the instance's page.
_LONGEST = 80


def columns_of(request: HttpRequest) -> tuple[str, ...]:
    """Return the columns that a person chose, in their order here; the usual ones for who did not."""
    kept = vars(request)  # asked several times while a page is made
    if "columns" not in kept:
        mine = ListChoice.objects.filter(user_id=request.user.pk or 0).order_by("pk")
        chosen = mine.values_list("columns", flat=True).first()
        kept["columns"] = known(chosen or USUAL) or USUAL
    columns: tuple[str, ...] = kept["columns"]
    return columns


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Return those names that are columns, in their order here."""
    wanted = set(names)
    return tuple(name for name in COLUMNS if name in wanted)


def choose(user: User, names: Iterable[str]) -> None:
    """Keep the columns that a person wants; none stands for the usual ones."""
    wanted = known(names)
    columns = [] if wanted == USUAL else list(wanted)
    ListChoice.objects.update_or_create(user=user, defaults={"columns": columns})


class InstanceColumns:
    """Display methods, to be mixed into the admin of instances."""

    @admin.display(description=_("name"))
    def title(self, instance: Instance) -> SafeString:
        """Name it; a name in another direction of writing keeps to itself."""
        name = str(instance)
        cut = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
        return format_html('<bdi translate="no" title="{}">{}</bdi>', name, cut)

    @admin.display(description=_("provider"))
    def provider(self, instance: Instance) -> SafeString:
        """Name the provider, or the element the catalogue does not know, beside its letter."""
        name = provider_of(instance) or instance.element_key
        return format_html(
            '<span class="of-provider"><span class="monogram hue-{}" aria-hidden="true">{}</span>'
            "<span>{}</span></span>",
            *(_hue(instance.provider_key or name), name[:1].upper(), name),
        )

    @admin.display(description=_("status"))
    def state(self, instance: Instance) -> SafeString:
        """Draw the status, and why it is so."""
        reason = gettext(sentence(instance.status_reason))
        if not reason:
            return ui.pill(instance.status)
        first = f"{reason.partition('. ')[0].rstrip('.')}."
        return format_html(
            '{}<span class="why" title="{}">{}</span>',
            *(ui.pill(instance.status), reason, first),
        )

    @admin.display(description=_("since"))
    def since(self, instance: Instance) -> SafeString:
        """Say since when."""
        return ui.when(instance.status_since, timezone.now(), bare=True)

    @admin.display(description=_("tags"))
    def tag_names(self, instance: Instance) -> SafeString | str:
        """List the tags."""
        names = ", ".join(sorted(tag.name for tag in instance.tags.all()))
        if len(names) <= _LONGEST:
            return names or "–"
        return format_html('<span title="{}">{}…</span>', names, names[:_LONGEST])

    @admin.display(description=_("probed"))
    def probed(self, instance: Instance) -> SafeString:
        """Say when it was last probed."""
        return ui.when(instance.probed_at, timezone.now(), bare=True)

    @admin.display(description=_("revoked"))
    def revoked(self, instance: Instance) -> SafeString:
        """Say when it was last revoked here."""
        return ui.when(instance.revoked_at, timezone.now(), bare=True)

    @admin.display(description=_("reconnected"))
    def reconnected(self, instance: Instance) -> SafeString:
        """Say when it was last reconnected here."""
        return ui.when(instance.reconnected_at, timezone.now())

    @admin.display(description=_("synced"))
    def synced(self, instance: Instance) -> SafeString:
        """Say when the platform listed it last."""
        return ui.when(instance.synced_at, timezone.now())

    @admin.display(description=_("dependents"))
    def dependents(self, instance: Instance) -> SafeString | str:
        """Count the others that die with its grant."""
        found: int = vars(instance).get("siblings_found", 0)
        if not found:
            return "–"
        shown = f"{MOST_SIBLINGS}+" if found > MOST_SIBLINGS else str(found)
        told = ngettext(
            "%(count)s shares its grant", "%(count)s share its grant", found
        )
        return format_html('<span title="{}">{}</span>', told % {"count": shown}, shown)

    @admin.display(description=_("provider app"))
    def app(self, instance: Instance) -> str:
        """Name its provider app."""
        return str(instance.provider_app or "–")

    @admin.display(description=_("organization"))
    def organization_name(self, instance: Instance) -> str:
        """Name its organization."""
        return str(instance.organization)


def _hue(key: str) -> int:
    """Return the same one of six colours for the same provider, always."""
    return sum(key.encode("utf-8", "replace")) % 6
