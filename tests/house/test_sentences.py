"""Every sentence of the product is marked for translators, and stands in their file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

from tests.house.sources import DOCUMENTED, PRODUCT, ROOT, name_of, python_files

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES" / "django.po"

#: Functions that take a sentence, and which arguments are sentences.
MARKS = {
    **dict.fromkeys(("gettext", "gettext_lazy", "gettext_noop", "_"), (0,)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (0, 1)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (1,)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (1, 2)),
    "things": (1, 2),
}
#: Read by whoever installs, runs or writes the product, not by whoever uses its pages.
ENGLISH = {
    *("management", "checks.py", "data_checks.py"),
    *("settings.py", "environment.py", "gunicorn.py"),
    "report.py",  # printed by verify_audit, of an audit that is English
    *("reference.py", "writing.py"),  # docs/providers.md, and the text of a record
}
#: What is raised with these is a mistake in the code, and no page shows it.
MISTAKES = {
    *("AssertionError", "RuntimeError", "TypeError", "ImproperlyConfigured"),
    "LookupError",
    *("AppendOnly", "NotInTransaction"),
    *("FieldError", "Error"),  # of models, and of `manage.py check`
}
PATTERNS = {"compile"}
LOGS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
SENTENCE = re.compile(r"^\W*[A-Z][\w’']*\W+\w|\w \w.*[.?!:…]$", re.DOTALL)
STATEMENT = re.compile(
    r"\W*(AS|ANY|SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|BEGIN|PRAGMA|SET|LOCK|UNION|UPPER|"
    r"ANALYZE|VACUUM|FROM|WHERE|GRANT|REVOKE|EXPLAIN|AND|OR|ON|FOR|EXISTS|CASE|NOT|COALESCE|CAST|BEFORE)\b"
)
HEADER = re.compile(r"[A-Z][A-Za-z]*(-[A-Za-z0-9]+)+:?")  # as HTTP and mail name theirs
#: Calls as an API's reference names them, and regular expressions.
CALL = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /\S*|.*\[\^?A-Z.*", re.DOTALL)


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def logs(node: ast.Call) -> bool:
    """Tell whether a call writes into a log."""
    whose = getattr(node.func, "value", None)
    name = getattr(whose, "id", getattr(whose, "attr", ""))
    return called(node) in LOGS and "logg" in name


def spoken(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield every text of a module but docstrings, logs, mistakes and what is marked."""
    if isinstance(tree, ast.Constant | ast.JoinedStr):
        yield tree
        return
    children = list(ast.iter_child_nodes(tree))
    if isinstance(tree, DOCUMENTED) and ast.get_docstring(tree) is not None:
        children.remove(tree.body[0])
    if isinstance(tree, ast.Assert):
        children = [tree.test]
    if isinstance(tree, ast.Call):
        marked = MARKS.get(called(tree), ())
        children = [one for n, one in enumerate(tree.args) if n not in marked]
        children += [tree.func, *(word.value for word in tree.keywords)]
        if logs(tree) or called(tree) in MISTAKES | PATTERNS:
            return
    for child in children:
        yield from spoken(child)


def text_of(node: ast.Constant | ast.JoinedStr) -> str:
    """Return a text, with {} for each hole."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            one.value if isinstance(one, ast.Constant) else "{}" for one in node.values
        )
    return node.value if isinstance(node.value, str) else ""


def is_sentence(text: str) -> bool:
    """Tell whether a person would read this text as words."""
    return bool(
        re.search(r"[a-z]{2}", text)
        and SENTENCE.search(text)
        and not STATEMENT.match(text)
        and not HEADER.fullmatch(text)
        and not CALL.fullmatch(text)
    )


def unmarked(file: Path) -> Iterator[str]:
    """Yield each sentence of a file that translators never see."""
    for node in spoken(ast.parse(file.read_text())):
        text = text_of(node)
        if is_sentence(text):
            yield f"{name_of(file)}:{node.lineno}: {text[:90]}"


def of_pages() -> list[Path]:
    """Return the product's Python files whose words stand on its pages."""
    return [file for file in python_files(*PRODUCT) if not ENGLISH & set(file.parts)]


def marked() -> Iterator[tuple[str, str]]:
    """Yield file and text of every marked sentence, of Python and of templates."""
    for file in python_files(*PRODUCT):
        yield from in_module(file)
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".html", ".txt") and "templates" in file.parts:
                yield from in_template(file)


def in_module(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what is marked in a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        places = MARKS.get(called(node), ()) if isinstance(node, ast.Call) else ()
        for place in places[:1]:
            if place < len(node.args):
                yield from texts(file, node.args[place])


def texts(file: Path, node: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield a literal; what is no literal was marked where it is written down."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield name_of(file), node.value


QUOTED = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
MARKED = re.compile(rf"(?:n?(p?)gettext|\b_)\(((?:{QUOTED}(?:, ?)?)+)", re.DOTALL)


def in_template(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what Django's own extraction finds in a template."""
    code = templatize(file.read_text(), origin=str(file))
    for context, words in MARKED.findall(code):
        yield name_of(file), ast.literal_eval(f"[{words}]")[1 if context else 0]


@pytest.mark.parametrize("file", of_pages(), ids=name_of)
def test_every_sentence_is_marked(file):
    assert list(unmarked(file)) == []


def test_every_marked_sentence_has_its_translation_and_none_is_left_from_before():
    known = {entry.msgid for entry in polib.pofile(str(CATALOGUE))}
    said = {text for _, text in marked() if text}

    assert said - known == set(), "write them into the file: make messages"
    assert known - said == set(), "nobody says these any more: make messages"


def test_what_is_told_anew_is_still_said_where_it_is_made():
    said = list(marked())
    again = {text for file, text in said if file == "instances/kept_elsewhere.py"}
    made = {text for file, text in said if file != "instances/kept_elsewhere.py"}

    assert len(again) > 10
    assert again - made == set()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('"""Doc of it."""\nx = "Nothing was changed."', ["Nothing was changed."]),
        ('f(f"{count} runs wait for you.")', ["{} runs wait for you."]),
        ('gettext("Nothing was changed.")', []),
        ('gettext("A %s stays.") % "Lost word"', ["Lost word"]),
        ('things(2, "run", "runs")', []),
        ('logger.info("Nothing was changed.")', []),
        ('raise RuntimeError("Nothing was changed.")', []),
        ('raise Refused("Nothing was changed.")', ["Nothing was changed."]),
        ('x = "SELECT pk FROM runs."', []),
        ('x = "pill pill-warn"', []),
    ],
)
def test_a_sentence_is_told_from_what_is_none(code, found):
    said = [text_of(node) for node in spoken(ast.parse(code))]

    assert [text for text in said if is_sentence(text)] == found
