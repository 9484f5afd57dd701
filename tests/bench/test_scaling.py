"""What was measured of growth stands in docs/scaling.md, and nothing else there changes."""

from tests.bench import scaling


def rows():
    for database in ("sqlite", "postgres"):
        for items in (1_000, 10_000):
            times = {"wall": items / 4_000, "cpu": items * 0.0004}
            row = {"part": "growth", "database": database, "items": items}
            yield {**row, **times, "memory": [[items, 100.0]]}
    for many in (1, 2, 4):
        for shared in (True, False):
            row = {"part": "workers", "workers": many, "shared_limit": shared}
            yield {**row, "items": 1_000, "wall": 2 / many}


def test_the_tables_replace_what_stood_between_the_marks(tmp_path, monkeypatch):
    document = tmp_path / "scaling.md"
    document.write_text(f"before\n{scaling.BEGIN}\nold\n{scaling.END}\nafter\n")
    monkeypatch.setattr(scaling, "DOCUMENT", document)

    for _ in range(2):
        scaling.write(list(rows()), "2026-11-24")

    text = document.read_text()
    assert text.startswith(f"before\n{scaling.BEGIN}\n")
    assert text.endswith(f"{scaling.END}\nafter\n")
    assert "old" not in text
    assert text.count("Measured on 2026-11-24.") == 1
    assert "| 10,000 | SQLite | 4,000 | 0.40 ms | 100 MB |" in text
    assert "| 4 | 25 each, 100 in all | 2,000 | 4.00 |" in text


def test_the_document_has_both_marks():
    text = scaling.DOCUMENT.read_text()

    assert text.count(scaling.BEGIN) == text.count(scaling.END) == 1
