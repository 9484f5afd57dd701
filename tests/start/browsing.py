"""Go through the pages of a running ceadmin as a signed-in person, without a browser."""

import re
import urllib.error
import urllib.request
from collections import Counter
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit

LEAVING = re.compile(r"/(logout|password_change|jsi18n)/")
OF_A_KIND = 3  # pages that differ in a number only


class Links(HTMLParser):
    """The addresses that a page links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Note the address of a link."""
        address = dict(attributes).get("href")
        if tag == "a" and address:
            self.found.append(address)


class Visitor:
    """Somebody with a cookie jar."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def get(self, address: str, form: dict[str, str] | None = None) -> bytes:
        """Return a page's content, an error page's too."""
        data = urlencode(form).encode() if form else None
        request = urllib.request.Request(address, data, {"Referer": self.site})
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.read()

    def sign_in(self, mail: str, password: str) -> None:
        """Sign in at the admin's page."""
        door = f"{self.site}/admin/login/?next=/admin/"
        page = self.get(door).decode()
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
        form = {"username": mail, "password": password, "next": "/admin/"}
        page = self.get(door, {**form, "csrfmiddlewaretoken": token[1]}).decode()
        assert "/logout/" in page, page[:2000]

    def walk(self) -> dict[str, bytes]:
        """Return the content of all pages that links lead to, a few of each kind."""
        pages: dict[str, bytes] = {}
        kinds: Counter[str] = Counter()
        waiting = [f"{self.site}/admin/"]
        while waiting:
            address = waiting.pop(0)
            kind = re.sub(r"\?.*|[0-9a-f-]{8,}|\d+", "#", address)
            if address in pages or kinds[kind] >= OF_A_KIND:
                continue
            kinds[kind] += 1
            pages[address] = self.get(address)
            waiting += self._links(address, pages[address])
        return pages

    def _links(self, address: str, page: bytes) -> list[str]:
        links = Links(page.decode("utf-8", "replace")).found
        whole = [urljoin(address, link).partition("#")[0] for link in links]
        return [
            one
            for one in whole
            if one.startswith(f"{self.site}/")
            and not LEAVING.search(urlsplit(one).path)
        ]
