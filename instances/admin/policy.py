"""The page of an organization's policy: what one person may do alone, and what waits for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from ceadmin.lib.client import client_address
from ceadmin.teams import policies
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, PolicyChange, User
from ceadmin.teams.models.policy import LARGEST_NUMBER, LONGEST_APPROVAL_HOURS
from ceadmin.teams.permissions import NotAllowed, may
from ceadmin.teams.policies import Asker, PolicyError
from ceadmin.teams.recent import require_recent
from ceadmin.teams.terms import (
    LONGEST_TAG,
    MOST_TAGS,
    Terms,
    differences,
    tags_of,
    terms_from,
    terms_of,
)

if TYPE_CHECKING:
    from ceadmin.teams.scoping import ScopedAdmin as _Base
else:
    _Base = ModelAdmin


#: All the tags that a policy may name, and what stands between them.
_LONGEST_LIST = MOST_TAGS * (LONGEST_TAG + 2)


def no_long_tag(words: str) -> None:
    """Refuse a tag that is longer than any of the platform: cut, it would match nothing."""
    for word in words.split(","):
        if len(word.strip()) > LONGEST_TAG:
            raise forms.ValidationError(
                gettext("A tag has at most %(most)s characters. Shorten “%(begin)s…”.")
                % {"most": LONGEST_TAG, "begin": word.strip()[:20]}
            )


class PolicyForm(forms.Form):
    """A policy as an owner wants it."""

    most_alone = forms.IntegerField(
        label=_("Instances that one person may revoke alone"),
        required=False,
        min_value=0,
        max_value=LARGEST_NUMBER,
        help_text=_(
            "More need an approver. 0: every one does. Empty: the number does not matter."
        ),
    )
    production_tags = forms.CharField(
        label=_("Tags that mean production"),
        required=False,
        max_length=_LONGEST_LIST,
        validators=[no_long_tag],
        help_text=_(
            "Separated by commas. Instances with one of them always need an approver."
        ),
    )
    test_tags = forms.CharField(
        label=_("Tags that mean test"),
        required=False,
        max_length=_LONGEST_LIST,
        validators=[no_long_tag],
        help_text=_(
            "Separated by commas. Operators may drill on instances with one of them."
        ),
    )
    approval_hours = forms.IntegerField(
        label=_("An approval lives for (hours)"),
        min_value=1,
        max_value=LONGEST_APPROVAL_HOURS,
    )
    second_factor = forms.BooleanField(
        label=_("Every member needs a second factor"),
        required=False,
        help_text=_(
            "Who has none can do nothing here, not even look, until they set one up."
        ),
    )
    why = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Needed where the policy becomes looser. The audit keeps it."),
    )

    def __init__(self, now: Terms, data: Any = None) -> None:
        initial = {
            "most_alone": now.most_alone,
            "production_tags": ", ".join(sorted(now.production_tags)),
            "test_tags": ", ".join(sorted(now.test_tags)),
            "approval_hours": now.approval_hours,
            "second_factor": now.second_factor,
        }
        super().__init__(data, initial=initial)

    def wanted(self) -> Terms:
        """Return the policy that was typed."""
        values = self.cleaned_data
        return Terms(
            values["most_alone"],
            tags_of(values["production_tags"].split(",")),
            tags_of(values["test_tags"].split(",")),
            values["approval_hours"],
            values["second_factor"],
        )


class PolicyPages(_Base):
    """The policy's page and its buttons, beside those of an organization's admin."""

    def get_urls(self) -> list[URLPattern]:
        """Add the page and its buttons."""
        wrap, pk = self.admin_site.admin_view, "<path:object_id>"
        own = [
            path(
                f"{pk}/policy/",
                wrap(require_GET(self.policy)),
                name="teams_organization_policy",
            ),
            path(
                f"{pk}/policy/<slug:act>/",
                wrap(require_POST(self.policy_do)),
                name="teams_organization_policy_do",
            ),
        ]
        return [*own, *super().get_urls()]

    def policy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what holds and what waits."""
        organization: Organization = self.fetch(request, object_id, Act.VIEW)
        form = PolicyForm(terms_of(organization))
        return self._policy_page(request, organization, form)

    def policy_do(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Change the policy, or answer what waits; say why when it can't be done."""
        organization: Organization = self.fetch(request, object_id, Act.VIEW)
        user = request.user
        if not isinstance(user, User):
            raise NotAllowed(Act.OWN, organization)
        if act in _CONFIRMED:
            require_recent(request)
        by = Asker(user, timezone.now(), client_address(request))
        if act == "change":
            return self._change_policy(request, organization, by)
        try:
            _answer(organization, act, request.POST.dict(), by)
        except PolicyError as error:
            messages.error(request, error.sentence)
        return HttpResponseRedirect(_address(organization))

    def _change_policy(
        self, request: HttpRequest, organization: Organization, by: Asker
    ) -> HttpResponse:
        form = PolicyForm(terms_of(organization), request.POST)
        if form.is_valid():
            try:
                why = form.cleaned_data["why"]
                asked = policies.change(organization, form.wanted(), why=why, by=by)
            except PolicyError as error:
                form.add_error(None, error.sentence)
            else:
                _tell(request, asked)
                return HttpResponseRedirect(_address(organization))
        return self._policy_page(request, organization, form, status=422)

    def _policy_page(
        self,
        request: HttpRequest,
        organization: Organization,
        form: PolicyForm,
        status: int = 200,
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Approval policy"),
            "organization_shown": organization,
            "form": form,
            **_facts(organization, request.user),
        }
        page = "instances/organization/policy.html"
        return TemplateResponse(request, page, context, status=status)


#: What only a person does who confirmed not long ago that it is them.
_CONFIRMED = frozenset({"change", "approve"})


def _facts(organization: Organization, user: Any) -> dict[str, Any]:
    asked = policies.waiting(organization)
    mine = asked is not None and asked.asked_by_id == user.pk
    return {
        "terms": terms_of(organization).as_json(),
        "asked": asked,
        "says": _says(asked),
        "mine": mine,
        "may_own": may(user, Act.OWN, organization),
        "may_answer": may(user, Act.APPROVE, organization) and not mine,
        "past": PolicyChange.objects.filter(organization=organization)
        .exclude(status="waiting")
        .order_by("-pk")[:5],
    }


def _says(asked: PolicyChange | None) -> list[str]:
    if asked is None:
        return []
    return list(differences(terms_from(asked.before), terms_from(asked.after)))


def _tell(request: HttpRequest, asked: PolicyChange | None) -> None:
    if asked is None:
        messages.success(request, gettext("The policy holds now."))
        return
    messages.info(
        request,
        gettext(
            "What is looser waits for an approver other than you; what is tighter holds now."
        ),
    )


def _answer(
    organization: Organization, act: str, data: dict[str, str], by: Asker
) -> None:
    asked = policies.waiting(organization)
    if asked is None:
        raise PolicyError(
            "not_asked", gettext("Nothing waits any more. Reload the page.")
        )
    if act == "approve":
        policies.approve(asked, digest=data.get("digest", ""), by=by)
    elif act == "refuse":
        policies.refuse(asked, why=data.get("why", ""), by=by)
    elif act == "withdraw":
        policies.withdraw(asked, by=by)
    else:
        raise PolicyError(
            "unknown_act", gettext("There is no such button. Reload the page.")
        )


def _address(organization: Organization) -> str:
    return reverse("admin:teams_organization_policy", args=[organization.pk])
