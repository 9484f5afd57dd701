"""`{% load ui %}`: status pills, icons, relative times, numbers, action buttons, table cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django import template
from django.contrib.admin.views.main import ChangeList
from django.forms import BoundField, Form
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from ceadmin import charts, ui

register = template.Library()


@register.simple_tag
def pill(value: object, label: str = "") -> SafeString:
    """Draw the pill of a status or outcome: `{% pill instance.status %}`."""
    return ui.pill(value, label)


@register.simple_tag
def icon(name: str, css: str = "icon") -> SafeString:
    """Draw an icon of the sprite: `{% icon "copy" %}`."""
    return ui.icon(name, css)


@register.simple_tag
def ago(moment: datetime | None) -> SafeString:
    """Draw a moment relatively: `{% ago run.started_at %}` gives "2 h ago"."""
    return ui.when(moment, timezone.now())


@register.simple_tag
def since(moment: datetime | None) -> SafeString:
    """Draw how long ago a moment was, without "ago": "2 h"."""
    return ui.when(moment, timezone.now(), bare=True)


@register.filter
def absolute(moment: datetime | None) -> str:
    """Write a moment in full, with the time zone."""
    return ui.absolute(moment) if moment else ""


@register.simple_tag
def number(value: float | None) -> str:
    """Write a number with separators: `{% number 12431 %}`."""
    return "–" if value is None else ui.number(value)


@register.filter
def tone(value: object) -> str:
    """Return the tone of a status or outcome, for class names."""
    return ui.look(value).tone.value


@register.filter
def icon_of(value: object) -> str:
    """Return the icon's name of a status or outcome."""
    return ui.look(value).icon


@register.inclusion_tag("ceadmin/stacked_bar.html")
def stacked_bar(segments: Iterable[ui.Segment], title: str) -> dict[str, Any]:
    """Draw counts beside each other, each a link to the rows it counts."""
    bars = list(ui.stack(segments))
    return {"bars": bars, "title": title}


@register.inclusion_tag("ceadmin/column_chart.html")
def column_chart(chart: charts.Chart, id: str) -> dict[str, Any]:
    """Draw columns of counts, each part a link to its rows; `id` is the table's on the page."""
    return {"chart": chart, "blocks": list(charts.blocks(chart)), "id": id}


class ActionButton(NamedTuple):
    """One bulk action as a button of the action bar."""

    name: str
    label: str
    danger: bool


@register.simple_tag
def action_buttons(cl: ChangeList, action_form: Form) -> list[ActionButton]:
    """List the bulk actions that this person may start, dangerous ones last."""
    dangerous = getattr(cl.model_admin, "danger_actions", ("delete_selected",))
    choices: Any = getattr(action_form.fields["action"], "choices", ())
    buttons = [
        ActionButton(name, str(label), name in dangerous)
        for name, label in choices
        if name
    ]
    return sorted(buttons, key=lambda button: button.danger)


@register.filter
def yes_or_no(drawn: SafeString) -> SafeString:
    """Say Yes and No beside Django's icons of a boolean, which say True and False."""
    words = {"True": gettext("Yes"), "False": gettext("No"), "None": gettext("Unknown")}
    for plain, said in words.items():
        drawn = SafeString(drawn.replace(f' alt="{plain}"', f' alt="{escape(said)}"'))
    return drawn


@register.simple_tag
def cells(
    row: Iterable[str], headers: Iterable[dict[str, Any]]
) -> Iterator[SafeString]:
    """Give every cell its column's name, which the phone's cards show before the value."""
    for cell, header in zip(row, headers, strict=False):
        # Django has escaped the cell's content; only the opening tag is split off here.
        tag, rest = SafeString(str(cell)[:3]), yes_or_no(SafeString(str(cell)[3:]))
        label = capfirst(strip_tags(str(header["text"])))
        empty = "" if "<svg" in cell or "<input" in cell else strip_tags(str(cell))
        mark = SafeString(" data-empty") if empty.strip() in ("-", "–") else ""
        yield format_html('{} data-label="{}"{}{}', tag, label, mark, rest)


_ADDRESS = re.compile(r"(https://[^\s<>]*[^\s<>.,;:)])")


@register.filter
def linked(text: str) -> SafeString:
    """Write a text whose https addresses are links; they tell the other side nothing of us."""
    pieces = (
        format_html('<a href="{0}" rel="noreferrer noopener">{0}</a>', piece)
        if at % 2
        else format_html("{}", piece)
        for at, piece in enumerate(_ADDRESS.split(text))
    )
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.filter
def initials(name: str) -> str:
    """Return the one or two letters that stand for a person."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word]
    return "".join(word[0] for word in words[:2]).upper()


@register.simple_tag
def field_label(field: Any) -> SafeString:
    """Draw the label of a field of an admin form; what is only shown gets no <label>."""
    if field.is_readonly:
        label = capfirst(str(field.field["label"]))
        return format_html('<span class="label">{}</span>', label)
    bound: BoundField = field.field
    attrs: dict[str, str | bool] = {"class": "required"} if bound.field.required else {}
    return bound.label_tag(capfirst(str(bound.label)), attrs=attrs, label_suffix="")
