"""The report judges: a missed figure is named, and with --check it is the exit code."""

import json

import pytest

from tests.bench import cells, judge, parts, report, run, scaling
from tests.bench.judge import Figure


def speed(subject: str, number: int, wall: float, **more) -> dict:
    """Return a row of the cell with the strictest bar."""
    row = {"part": "speed", "cell": "probe at 50 ms", "round": number, "items": 1000}
    return {**row, "subject": subject, "wall": wall, "cpu": 0.3, "calls": {}, **more}


def rounds(*engine: float, bare: float = 1.0, xargs: float = 3.0) -> list[dict]:
    """Return paired rounds in which the engine took so many seconds."""
    rows = []
    for number, wall in enumerate(engine):
        rows.append(speed("sqlite", number, wall))
        rows.append(speed("bare", number, bare))
        rows.append(speed("xargs", number, xargs))
    return rows


def figure(rows: list[dict], title: str) -> Figure:
    """Return the one figure with this title."""
    return next(one for one in judge.judge(rows) if one.title == title)


def test_the_median_of_paired_ratios_is_judged():
    rows = rounds(1.02, 1.01, 9.0, 1.03, 1.04)
    against = figure(rows, "probe at 50 ms, against the bare loop")
    assert against.value == pytest.approx(1 / 1.03)
    assert len(against.values) == 5
    assert against.good


@pytest.mark.parametrize(("engine", "good"), [(1.05, True), (1.06, False)])
def test_the_bar_of_the_bare_loop(engine, good):
    assert figure(rounds(engine), "probe at 50 ms, against the bare loop").good is good


def test_what_is_slower_is_missed_and_what_is_faster_is_not():
    rows = rounds(1.3, xargs=3.0)
    against = figure(rows, "probe at 50 ms, against xargs -P 50")
    assert against.value == pytest.approx(3.0 / 1.3)
    assert not against.good
    assert figure(rounds(1.0), "probe at 50 ms, against xargs -P 50").good


def test_cpu_is_judged_by_item():
    title = "worker CPU for each probe at 50 ms"
    assert figure([speed("sqlite", 0, 1.0, cpu=0.4)], title).good
    assert not figure([speed("sqlite", 0, 1.0, cpu=0.41)], title).good


def grown(memory: list, progress: list) -> list[dict]:
    """Return a run of 100,000 probes."""
    row = {"part": "growth", "database": "postgres", "items": 100_000, "round": 0}
    told = {"wall": 20.0, "cpu": 30.0, "memory": memory, "progress": progress}
    return [{**row, **told}]


def test_memory_that_grows_is_missed():
    title = "worker memory, most after a tenth of 100,000 against then"
    flat = [(5_000, 150.0), (11_000, 200.0), (50_000, 210.0), (100_000, 205.0)]
    assert figure(grown(flat, [1, 1]), title).value == pytest.approx(1.05)
    assert figure(grown(flat, [1, 1]), title).good
    grows = [*flat, (100_000, 221.0)]
    assert not figure(grown(grows, [1, 1]), title).good


def test_progress_that_costs_more_at_the_end_is_missed():
    title = "progress of 100,000, at the end against at the start"
    assert figure(grown([], [0.010, 0.012]), title).good
    assert not figure(grown([], [0.010, 0.016]), title).good


def test_pages_plans_and_requests_have_bars():
    rows = [
        {
            "part": "pages",
            "database": "sqlite",
            "busy": {"list": 0.21, "run": 0.1},
            "idle": {"list": 0.1, "run": 0.1},
        },
        {"part": "planning", "database": "sqlite", "items": 9, "plan": 4, "bare": 1},
        {"part": "previews", "database": "sqlite", "items": 9, "preview": 2, "plan": 1},
        {"part": "drafts", "database": "sqlite", "few": 0.01, "many": 0.151},
    ]
    bad = {one.title for one in judge.missed(judge.judge(rows))}
    assert bad == {
        "list of instances while a run works, against idle",
        "planning 9 items, against the bare SQL",
        "preview of 9 items, against planning them",
        "request that drafts a run over 1,000,000 instances",
    }


def test_more_workers_have_bars():
    def row(workers: int, rate: float, shared: bool) -> dict:
        of = {"part": "workers", "database": "postgres", "round": 0, "cpu": 1}
        of |= {"workers": workers, "shared_limit": shared}
        return {**of, "items": 1000, "wall": 1000 / rate}

    own = [row(1, 500, False), row(2, 950, False), row(4, 1500, False)]
    shared = [row(1, 1000, True), row(2, 1000, True), row(4, 1200, True)]
    bad = {one.title for one in judge.missed(judge.judge([*own, *shared]))}
    assert bad == {
        "4 workers against 1, 25 connections each",
        "4 workers under one limit of 50 connections, against what these can make",
    }


def test_a_target_that_is_too_slow_is_missed():
    calls = {"ping": 1000}
    ceiling = {"part": "ceiling", "processes": 1, "round": 0, "calls": 2900, "wall": 1}
    bad = judge.missed(judge.judge([ceiling, speed("sqlite", 0, 1.0, calls=calls)]))
    assert [one.title for one in bad] == [
        "the target's ceiling, against the most that the engine asked of it"
    ]


def test_every_cell_of_the_bench_is_judged_on_both_databases():
    rows = [
        speed(subject, 0, 1.0) | {"cell": cell.name}
        for cell in cells.CELLS
        for subject in ("sqlite", "postgres", "bare", "xargs")
        if subject != "bare" or cell.bare is not None
    ]
    judged = [one for one in judge.judge(rows) if one.bar]
    for cell in cells.CELLS:
        bars = 2 + (cell.bare is not None) + (cell.rate is not None)  # xargs and CPU
        assert sum(cell.name in one.title for one in judged) >= 2 * bars


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Give the bench rows instead of letting it measure."""
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "performance.md")
    monkeypatch.setattr(report, "ROWS", tmp_path / "performance.json")
    monkeypatch.setattr(scaling, "write", lambda *_: None)

    def give(rows):
        monkeypatch.setattr(run, "_measure", lambda *_: (rows, {"SQLite 3": ""}))
        return tmp_path

    return give


def test_a_missed_bar_is_named_and_exits_1(measured, capsys):
    measured(rounds(1.2, 1.2, 1.2))
    assert run.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "MISSED: probe at 50 ms, against the bare loop (SQLite): 0.83 ×" in said
    assert "wanted ≥ 0.95" in said


def test_without_check_it_is_only_said(measured, capsys):
    measured(rounds(1.2))
    assert run.main([]) == 0
    assert "MISSED" in capsys.readouterr().out


def test_what_broke_off_is_named_and_exits_1(measured, capsys):
    def breaks():
        yield from rounds(1.01)
        raise RuntimeError("sqlite, work: the run is stuck")

    measured(list(parts.kept(breaks(), "probe at 50 ms")))
    assert run.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "NOT measured to its end: probe at 50 ms: sqlite, work: the run" in said


def test_good_figures_exit_0(measured, capsys):
    measured(rounds(1.01, 1.01, 1.01))
    assert run.main(["--check"]) == 0
    assert "Every figure is what it has to be." in capsys.readouterr().out


def test_a_whole_run_writes_the_document_and_the_rows(measured):
    rows = rounds(1.2)
    folder = measured(rows)
    run.main([])
    text = (folder / "performance.md").read_text()
    assert text.startswith("# Performance\n")
    assert "| probe at 50 ms, against the bare loop | SQLite | 0.83 × |" in text
    assert "MISSED" in text
    assert json.loads((folder / "performance.json").read_text())["rows"] == rows


def test_a_part_of_a_run_writes_nothing(measured):
    folder = measured(rounds(1.0))
    run.main(["--only", "speed"])
    assert list(folder.iterdir()) == []


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        run.main(["--only", "sped"])
    assert "no such part: sped" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_said(measured, capsys, monkeypatch):
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    measured(rounds(1.0))
    run.main([])
    assert "postgres NOT measured: set TEST_DATABASE_URL" in capsys.readouterr().out
