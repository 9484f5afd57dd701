"""The project's own files, for the tests that judge them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("ceadmin", "providers", "instances")


def python_files(*folders: str, migrations: bool = False) -> list[Path]:
    """Return the Python files under `folders`, or the whole project's."""
    files = [
        file
        for folder in folders or (*PRODUCT, "tests")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in file.parts
    ]
    return [file for file in files if migrations or "migrations" not in file.parts]


def name_of(file: Path) -> str:
    """Return the file's path inside the project."""
    return file.relative_to(ROOT).as_posix()


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Yield each function's name and how many lines its code takes."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def strings(file: Path) -> Iterator[str]:
    """Yield every text constant of a file that is not a docstring."""
    tree = ast.parse(file.read_text())
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, DOCUMENTED)]
    docstrings = {
        id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in docstrings:
            yield text


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
