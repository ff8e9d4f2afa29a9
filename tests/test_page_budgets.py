"""The pages' benchmark: what it counts, what it calls broken, and how its server packs a file."""

import gzip
import urllib.error
import urllib.request

import pytest
from benchmark_script import load

benchmark = load("pages")


def test_median_of_the_cold_visits_counts_and_the_largest_transfer():
    seconds = iter([3.0, 1.0, 9.0, 1.2, 1.1])

    def look(page, slow):
        assert page == "a.html"
        return {"bytes": 900, "read": 2_000, "seconds": 8.0} if slow else {"bytes": 1_000, "read": 1_900, "seconds": next(seconds)}

    assert benchmark.measure(look, "a.html", 5) == {"bytes": 1_000, "read": 2_000, "cold": 1.2, "slow": 8.0}


def test_budgets_are_those_of_the_book():
    assert benchmark.BUDGETS == {"bytes": 1_200_000, "cold": 1.5, "slow": 9.0}
    assert (benchmark.LINE["downloadThroughput"], benchmark.LINE["latency"], benchmark.SLOWDOWN) == (200_000, 150, 4)


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ({"bytes": 1_200_000, "cold": 1.5, "slow": 9.0}, []),
        ({"bytes": 1_200_001, "cold": 0.5, "slow": 9.1}, ["bytes", "slow"]),
        ({"bytes": 10, "cold": 1.51, "slow": 1}, ["cold"]),
    ],
)
def test_what_is_over_its_budget_is_marked(row, names):
    assert benchmark.broken(row) == names
    assert benchmark.line("a.html", 2, row | {"read": 9e9}).count("!") == len(names)  # reading on has no budget


def test_server_packs_text_and_leaves_the_rest(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a b.html").write_text("word " * 1_000, "utf-8")
    (tmp_path / "code.js").write_text("let a = 1;" * 100, "utf-8")
    (tmp_path / "font.woff2").write_bytes(b"\x00\x01\x02")
    with benchmark.served(tmp_path / "part") as base:
        with urllib.request.urlopen(base + "a%20b.html?x=1") as answer:
            body = answer.read()
            assert (answer.headers["Content-Encoding"], answer.headers["Content-Type"]) == ("gzip", "text/html")
        assert len(body) == int(answer.headers["Content-Length"]) < 200
        assert gzip.decompress(body) == b"word " * 1_000
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(base + "../code.js")
    assert benchmark.packed(tmp_path / "code.js")[1:] == ("application/javascript", "gzip")
    assert benchmark.packed(tmp_path / "font.woff2") == (b"\x00\x01\x02", "font/woff2", "")


def test_command_line_prints_a_table_and_fails_on_a_broken_budget(monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "pages_with_sliders", lambda: {"a.html": 2, "b.html": 1})
    monkeypatch.setattr(benchmark, "executable", lambda: None)
    assert benchmark.main([]) == 2
    assert "No Chromium" in capsys.readouterr().err
    monkeypatch.setattr(benchmark, "executable", lambda: "chromium")
    assert benchmark.main(["c.html"]) == 2
    assert "make book" in capsys.readouterr().err


def test_a_page_with_only_a_quiz_has_no_slider(monkeypatch):
    class Found:
        def __init__(self, page, kind):
            self.page, self.kind = page, kind

    found = [Found("a.html", "Quiz"), Found("b.html", "DragQ"), Found("b.html", "Quiz"), Found("b.html", "LatentMap")]
    monkeypatch.setattr(benchmark, "explorers", lambda: found)
    assert benchmark.pages_with_sliders() == {"b.html": 2}
