"""What the bench says: a table on the terminal, docs/performance.md, and the raw rows as JSON."""

import datetime
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pycurl

from tests.bench import scaling
from tests.bench.judge import Figure, best_ceiling
from tests.bench.world import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
ROWS = ROOT / "docs" / "performance.json"
HEAD = Path(__file__).with_name("head.md")


def machine() -> dict[str, str]:
    """Name what it runs on."""
    cpus = Path("/proc/cpuinfo")
    text = cpus.read_text() if cpus.exists() else ""
    found = re.search(r"model name\s*: (.*)", text)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processor": found[1] if found else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Name what it runs with."""
    names = ("Django", "celery", "kombu", "redis", "pycurl")
    told = {name: version(name) for name in names}
    libcurl = re.search(r"libcurl/(\S+)", pycurl.version)
    curl = shutil.which("curl")
    if curl:
        said = subprocess.run([curl, "-V"], capture_output=True, text=True, check=True)
        told["curl"] = said.stdout.split()[1]
    told["libcurl of pycurl"] = libcurl[1] if libcurl else ""
    return {"Python": platform.python_version(), **told}


def table(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """Return the rows of the table: what, where, median, range, how many, bar, verdict."""
    rows = [("figure", "on", "median", "from – to", "n", "bar", "")]
    for one in figures:
        ends = f"{_number(min(one.values))} – {_number(max(one.values))}"
        verdict = ("met" if one.good else "MISSED") if one.bar else ""
        middle = f"{_number(one.value)} {one.unit}"
        count = str(len(one.values))
        bar = one.bar
        rows.append((one.title, one.subject, middle, ends, count, bar, verdict))
    return rows


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 20 else f"{value:.2f}"


def plain(figures: Sequence[Figure]) -> str:
    """Return the table for a terminal."""
    rows = table(figures)
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def markdown(
    figures: Sequence[Figure], rows: Sequence[dict[str, Any]], about: dict[str, Any]
) -> str:
    """Return docs/performance.md."""
    told = [HEAD.read_text().rstrip(), "", "## Measured", ""]
    told += [f"{about['when']}, {about['minutes']} minutes.", ""]
    told += [f"- {name}: {value}" for name, value in about["machine"].items()]
    told += [
        "- "
        + ", ".join(
            f"{name} {value}".strip() for name, value in about["versions"].items()
        ),
        f"- the target answers {best_ceiling(rows):,.0f} calls a second to a bare loop",
    ]
    if about["missing"]:
        told += [f"- NOT measured: {', '.join(about['missing'])}"]
    told += [""]
    lines = table(figures)
    told += ["| " + " | ".join(lines[0]) + " |", "|" + "---|" * len(lines[0])]
    told += ["| " + " | ".join(row) + " |" for row in lines[1:]]
    return "\n".join(told) + "\n"


def save(
    figures: Sequence[Figure], rows: Sequence[dict[str, Any]], about: dict[str, Any]
) -> None:
    """Write the files under docs/: what was measured, its rows, and the tables of growth."""
    DOCUMENT.write_text(markdown(figures, rows, about))
    lines = ",\n".join(json.dumps(row) for row in rows)
    ROWS.write_text(f'{{"about": {json.dumps(about)},\n"rows": [\n{lines}\n]}}\n')
    scaling.write(rows, about["when"])


def today() -> str:
    """Return the date."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def verdict(missed: Iterable[Figure]) -> str:
    """Return the last lines: what was missed, each named."""
    lines = [
        f"MISSED: {one.title} ({one.subject or 'target'}): {_number(one.value)} {one.unit}, "
        f"wanted {one.bar}"
        for one in missed
    ]
    return "\n".join(lines) or "Every figure is what it has to be."
