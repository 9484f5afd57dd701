"""Keep every admin page inside the organizations of the person who looks at it.

Scoping the queryset alone still leaks names through filters and selects, and lets a POST
plant or move rows; so lists, filters, selects, autocompletes, permissions and saves all
go through here. A model's admin says by `organization_path` how its rows lead to their
organization, and by `act_…` what a person must be allowed to do.

    class ThingAdmin(ScopedAdmin):
        organization_path = "instance__organization"
        act_change = Act.OPERATE
        act_add = None  # nobody adds these by hand
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.filters import RelatedFieldListFilter, SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from ceadmin.lib.client import client_address
from ceadmin.teams.asked_list import AskedList
from ceadmin.teams.choices import Act
from ceadmin.teams.denials import denied_request, few, not_offered
from ceadmin.teams.lookups import is_row_number, may_ask
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import (
    NotAllowed,
    actor_of,
    acts_anywhere,
    organizations,
    require,
    sees_everything,
)
from ceadmin.teams.users import Hand

if TYPE_CHECKING:
    _Base = BaseModelAdmin[Any]
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _Base = BaseModelAdmin
    _ModelAdmin = admin.ModelAdmin

# The path of a model that is the organization itself.
ITSELF = "pk"

#: So much of a search is looked for; a thousand words would be a query of its own kind.
LONGEST_SEARCH = 200


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A list filter by a related row that offers only rows the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """Offer the rows of the person's organizations."""
        visible = related_rows(model_admin, request, field.related_model)
        return field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": visible.values("pk")},
        )


class Scoped(_Base):
    """What `ScopedAdmin` and scoped inlines share."""

    organization_path: str = "organization"
    act_view: Act | None = Act.VIEW
    act_add: Act | None = Act.OWN
    act_change: Act | None = Act.OWN
    act_delete: Act | None = Act.OWN

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the organizations in which the person may look."""
        return self.rows(request, self.act_view, super().get_queryset(request))

    def rows(
        self, request: HttpRequest, act: Act | None, queryset: QuerySet[Any]
    ) -> QuerySet[Any]:
        """Narrow rows to the organizations in which the person may do something."""
        user = user_of(request)
        if act is None:
            return queryset.none()
        if sees_everything(user):
            return queryset
        allowed = organizations(user, act).values("pk")
        return queryset.filter(**{f"{self.organization_path}__in": allowed})

    def organization_of(self, obj: Any) -> Organization | None:
        """Return the organization of a row of this model, or of an inline's parent."""
        owner = self
        if not isinstance(obj, self.model):
            owner = self.admin_site.get_model_admin(type(obj))  # type: ignore[assignment]
        return organization_at(obj, owner.organization_path)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer and accept only related rows that the person may use."""
        kwargs.setdefault("queryset", self._selectable(db_field, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer and accept only related rows that the person may use."""
        kwargs.setdefault("queryset", self._selectable(db_field, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _selectable(self, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        model = db_field.remote_field.model
        if issubclass(model, Organization) and self.act_add:
            return organizations(user_of(request), self.act_add)
        return related_rows(self, request, model)

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> Any:
        """Freeze the organization of a row that exists: nothing moves across."""
        fields = super().get_readonly_fields(request, obj)
        if obj is None or not self._has_organization_field:
            return fields
        return [*fields, self.organization_path]

    @property
    def _has_organization_field(self) -> bool:
        names = {field.name for field in self.model._meta.concrete_fields}
        return self.organization_path in names

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the model to whoever may see rows of it somewhere."""
        return self._allowed(request, self.act_view)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for `act_view`."""
        return self._allowed(request, self.act_view, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for `act_add`; an inline asks for its parent's organization."""
        return self._allowed(request, self.act_add, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for `act_change`."""
        return self._allowed(request, self.act_change, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for `act_delete`."""
        return self._allowed(request, self.act_delete, obj)

    # For `@admin.action(permissions=[…])`: whether the action is offered at all. The
    # action itself narrows its rows by `rows(request, act, queryset)`.

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Ask whether the person is an operator somewhere."""
        return self._allowed(request, Act.OPERATE)

    def has_drill_permission(self, request: HttpRequest) -> bool:
        """Ask whether the person may drill somewhere, if only on what is tagged as test."""
        return self._allowed(request, Act.DRILL_TEST)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Ask whether the person is a revoker somewhere."""
        return self._allowed(request, Act.REVOKE)

    def has_own_permission(self, request: HttpRequest) -> bool:
        """Ask whether the person is an owner somewhere."""
        return self._allowed(request, Act.OWN)

    def _allowed(self, request: HttpRequest, act: Act | None, obj: Any = None) -> bool:
        if act is None or act not in _acts_of(request):
            return False
        return obj is None or self._allowed_on(request, act, obj)

    def _allowed_on(self, request: HttpRequest, act: Act, obj: Any) -> bool:
        organization = self.organization_of(obj)
        allowed = organizations(user_of(request), act)
        return organization is not None and allowed.filter(pk=organization.pk).exists()


class ScopedAdmin(Scoped, _ModelAdmin):
    """A `ModelAdmin` that never leaves the person's organizations.

    Django's own log of changes is not written: the audit is the history.
    """

    #: Columns that addresses may ask for beside the list's filters: other pages link so.
    lookups: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Let an address ask what filters and links ask, and nothing else."""
        return may_ask(lookup, value, [*self._filter_names(request), *self.lookups])

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that shows all that its address asks."""
        return AskedList

    def lookup_words(
        self, request: HttpRequest, lookup: str, value: str
    ) -> tuple[str, str]:
        """Return what people read of a question of the address that no filter offers: of what, and what."""
        return lookup.partition("__")[0], value

    def _filter_names(self, request: HttpRequest) -> list[str]:
        entries = [
            entry[0] if isinstance(entry, tuple) else entry
            for entry in self.get_list_filter(request)
        ]
        return [_name_of(entry) for entry in entries]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for what a database can look for."""
        term = search_term.replace("\x00", "")[:LONGEST_SEARCH]
        return super().get_search_results(request, queryset, term)

    def response_action(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Act on ticked rows; raise `BadRequest` for ticks that no list has.

        Where one of them is not on this person's list nothing is done: it may be gone,
        or somebody else's, which is answered alike.
        """
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(is_row_number(one) for one in ticked):
            raise BadRequest(gettext("Not a row of this list."))
        if strange := self._strange(request, ticked):
            return self._refuse_ticks(request, strange)
        return super().response_action(request, *args, **kwargs)

    def _strange(self, request: HttpRequest, ticked: list[str]) -> set[str]:
        wanted = {int(one) for one in ticked}
        own = self.get_queryset(request).filter(pk__in=wanted)
        return {str(pk) for pk in wanted - set(own.values_list("pk", flat=True))}

    def _refuse_ticks(self, request: HttpRequest, strange: set[str]) -> HttpResponse:
        model, rows = self.opts.label, few(strange)
        denied_request(request, "not_on_the_list", model=model, rows=rows)
        messages.error(
            request,
            gettext(
                "Nothing was done: some of the rows that you ticked are not on this list "
                "any more. Look at the list as it is now, and tick again."
            ),
        )
        return HttpResponseRedirect(request.get_full_path())

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show a form again, or for the first time; record a choice that was not offered."""
        form = context["adminform"].form
        if request.method == "POST" and (names := not_offered(form)):
            label = self.opts.label
            denied_request(request, "not_offered", model=label, fields=names)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Replace plain filters by a relation with scoped ones."""
        return [
            self._scoped_filter(entry) for entry in super().get_list_filter(request)
        ]

    def _scoped_filter(self, entry: Any) -> Any:
        if isinstance(entry, str):
            if get_fields_from_path(self.model, entry)[-1].is_relation:
                return (entry, ScopedRelatedFilter)
        elif isinstance(entry, tuple) and entry[1] is RelatedFieldListFilter:
            return (entry[0], ScopedRelatedFilter)
        return entry

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Build the row and check once more where it belongs before anything is saved."""
        obj = super().save_form(request, form, change)
        self.check_scope(request, obj, self.act_change if change else self.act_add)
        return obj

    def check_scope(self, request: HttpRequest, obj: Any, act: Act | None) -> None:
        """Raise `PermissionDenied` unless a row and all it points to stay inside."""
        organization = self.organization_of(obj)
        if organization is None or act is None:
            raise PermissionDenied
        require(user_of(request), act, organization)
        for field in obj._meta.concrete_fields:
            if field.many_to_one and self._is_foreign(obj, field, organization):
                raise NotAllowed(act, organization)

    def _is_foreign(self, obj: Any, field: Any, organization: Organization) -> bool:
        registered = self.admin_site._registry.get(field.related_model)
        if not isinstance(registered, Scoped) or not registered.organization_path:
            return False
        related = getattr(obj, field.name) if getattr(obj, field.attname) else None
        if related is None:
            return False
        return organization_at(related, registered.organization_path) != organization

    def fetch(self, request: HttpRequest, object_id: str, act: Act) -> Any:
        """Return a row for a page of one's own.

        Raises `Http404` for a row the person may not see, exactly as for one that does
        not exist, and `NotAllowed` for one on which they may not act.
        """
        obj = self.get_object(request, unquote(object_id))
        organization = self.organization_of(obj) if obj else None
        if organization is None:
            raise Http404
        require(user_of(request), act, organization)
        return obj

    def hand(self, request: HttpRequest, organization: Organization | None) -> Hand:
        """Return who makes a change by this request, and when."""
        user = user_of(request)
        assert isinstance(user, User)  # the admin lets nobody else in
        actor = actor_of(user, organization, client_address(request))
        return Hand(actor, timezone.now())  # noqa: TID251 (where a request enters)

    def audit_uid(self, obj: Any) -> str:
        """Return the uid under which the audit knows a row."""
        return str(obj.uid)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show what the audit says about a row, to those who may read it."""
        obj = self.fetch(request, object_id, Act.AUDIT)
        address = reverse("admin:audit_event_changelist")
        return HttpResponseRedirect(f"{address}?q={self.audit_uid(obj)}")

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: whoever saved the row recorded it in the audit."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: whoever saved the row recorded it in the audit."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Write nothing: whoever removed the rows recorded it in the audit."""


def _name_of(entry: Any) -> str:
    if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
        return str(entry.parameter_name)
    return str(entry)


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return who sends a request."""
    return request.user


def organization_at(obj: Any, path: str) -> Organization | None:
    """Follow a path from a row to its organization; None while it leads nowhere yet."""
    if path == ITSELF:
        return obj if isinstance(obj, Organization) else None
    for name in path.split("__"):
        field = obj._meta.get_field(name)
        if getattr(obj, field.attname) is None:
            return None
        obj = getattr(obj, name)
    return obj if isinstance(obj, Organization) else None


def related_rows(
    model_admin: Any, request: HttpRequest, model: type[models.Model]
) -> QuerySet[Any]:
    """Return the rows of another model that the person may see; none when unsure."""
    registered = model_admin.admin_site._registry.get(model)
    if isinstance(registered, Scoped):
        return registered.get_queryset(request)
    user = user_of(request)
    if issubclass(model, Organization):
        return organizations(user)
    everything = model._default_manager.all()
    return everything if user.is_active and user.is_superuser else everything.none()


def _acts_of(request: HttpRequest) -> frozenset[Act]:
    """Return what the person may do anywhere, asked once a request."""
    known: frozenset[Act] | None = getattr(request, "_ceadmin_acts", None)
    if known is None:
        known = acts_anywhere(user_of(request))
        request._ceadmin_acts = known  # type: ignore[attr-defined]
    return known
