"""Read pages as a browser does: which forms they hold and what would be posted."""

from html.parser import HTMLParser


class Fields(HTMLParser):
    """Collect what a page's forms would post if nothing were changed."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take inputs and the chosen options of selects."""
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name:
            self._take_input(given, name, value)
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given and self._select:
            self.values[self._select] = value
        elif tag == "textarea":
            self._area = name
            self.values[name] = ""

    def _take_input(self, given: dict[str, str | None], name: str, value: str) -> None:
        kind = given.get("type")
        if kind in ("checkbox", "radio") and "checked" not in given:
            return
        if kind not in ("submit", "button", "file"):
            self.values[name] = value or ("on" if kind == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        """Leave a select or a text area."""
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        """Take the text of a text area."""
        if self._area:
            self.values[self._area] += data


def fields_of(html: str) -> dict[str, str]:
    """Return what the forms of a page would post."""
    fields = Fields()
    fields.feed(html)
    return fields.values
