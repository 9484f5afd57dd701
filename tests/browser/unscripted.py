"""What of a page does nothing where no script runs."""

from html.parser import HTMLParser

EMPTY = frozenset({"input", "img", "br", "meta", "link", "hr", "use", "wbr", "col"})


class Controls(HTMLParser):
    """Collect a page's dead controls: buttons without a form, links to nowhere, choosers that a script fills."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.forms: set[str] = set()
        self.named: list[tuple[str, str]] = []
        self.dead: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        named = dict(attrs)
        if tag not in EMPTY:
            self.open.append((tag, named))
        if tag == "form":
            self.forms.add(named.get("id", ""))
            if named.get("method") == "post" and "action" not in named:
                named["action"] = ""  # to the page itself
        if not self._is_hidden(named):
            self._look(tag, named)

    def handle_endtag(self, tag) -> None:
        while self.open and tag not in EMPTY:
            if self.open.pop()[0] == tag:
                return

    def _is_hidden(self, named: dict) -> bool:
        """Tell whether only a script would show this."""
        every = [one for _, one in self.open] + [named]
        return any(
            "hidden" in one or "hidden" in one.get("class", "").split() for one in every
        )

    def _look(self, tag: str, named: dict) -> None:
        said = f"{tag} {named.get('class', '')} {named.get('name', '')} {named.get('href', '')}"
        sends = tag == "button" or (tag == "input" and named.get("type") == "submit")
        inside = any(open_ == "form" for open_, _ in self.open)
        if sends and (named.get("type") == "button" or "disabled" in named):
            self.dead.append(said)
        elif sends and "form" in named:
            self.named.append((named["form"], said))
        elif (sends and not inside) or (
            tag == "a" and named.get("href", "").startswith(("#!", "javascript:"))
        ):
            self.dead.append(said)
        if tag == "a" and (named.get("href") == "#" or named.get("role") == "button"):
            self.dead.append(said)
        if tag == "select" and "admin-autocomplete" in named.get("class", ""):
            self.dead.append(said)


def dead_controls(html: str) -> list[str]:
    """Return what a page offers that does nothing without a script."""
    read = Controls()
    read.feed(html)
    return read.dead + [said for form, said in read.named if form not in read.forms]
