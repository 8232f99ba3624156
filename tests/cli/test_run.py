from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import SAMPLES, Tracemap


@pytest.mark.parametrize("recipe", ["batch", "postmortem"])
def test_run_writes_three_files_and_says_which(
    tracemap: Tracemap, database: Path, recipe: str
) -> None:
    """The headline first, then the paths; nothing else on stdout."""
    answer = tracemap("run", recipe, "--db", database, "--out", "reports")
    headline, *paths = answer.out.splitlines()

    assert answer.code == 0
    assert paths == [f"reports/{recipe}{ending}" for ending in (".html", ".md", ".json")]
    content = json.loads(Path(paths[2]).read_text())
    assert content["headline"] == headline
    assert content["summary"]["verdict"] == "incident"
    assert headline in Path(paths[1]).read_text().replace("`", "").replace("\\", "")


def test_findings_are_kept_in_the_database(tracemap: Tracemap, database: Path) -> None:
    """What the report says can be asked with SQL afterwards."""
    tracemap("run", "postmortem", "--db", database)
    sql = "SELECT service FROM origins WHERE recipe = 'postmortem' ORDER BY rank LIMIT 1"
    rows = json.loads(tracemap("query", sql, "--db", database, "--format", "json").out)

    assert rows == [{"service": "postgresql catalog"}]


def test_a_report_that_could_not_judge_says_so_aside(tracemap: Tracemap, database: Path) -> None:
    """In a script the headline may be thrown away; that nothing was judged is no failure."""
    moment = ("--from", "2026-03-03T09:00:00", "--to", "2026-03-03T09:00:01")
    answer = tracemap("run", "postmortem", "--db", database, *moment)
    verdict = json.loads(Path("postmortem.json").read_text())["summary"]["verdict"]

    assert (answer.code, verdict) == (0, "insufficient_data")
    (said,) = answer.err.splitlines()
    assert said.startswith("too little data to judge: ")


def test_the_same_run_gives_the_same_bytes(tracemap: Tracemap, database: Path) -> None:
    """A report follows from the database and the command line."""
    tracemap("run", "postmortem", "--db", database, "--out", "one")
    tracemap("run", "postmortem", "--db", database, "--out", "two")

    for ending in (".html", ".md", ".json"):
        one, two = (Path(folder) / f"postmortem{ending}" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_run_takes_inputs_and_makes_the_database(tracemap: Tracemap) -> None:
    """One command from files to a report; a bad file is named and remembered."""
    Path("bad.json").write_text("dear diary\n")
    answer = tracemap("run", "batch", "bad.json", SAMPLES / "shop-quiet-hour")

    assert answer.code == 3
    assert "bad.json" in answer.err
    assert json.loads(Path("batch.json").read_text())["summary"]["verdict"] == "quiet"


def test_a_recipe_of_ones_own(tracemap: Tracemap, database: Path) -> None:
    """The report is named after the file."""
    Path("mine.toml").write_text(
        'title = "Mine"\nfindings = ["edges"]\nsections = ["edges", "ledger"]\n'
    )
    answer = tracemap("run", "mine.toml", "--db", database)

    assert answer.code == 0
    assert Path("mine.html").exists()
    assert json.loads(Path("mine.json").read_text())["edges"]


def test_a_folder_that_cannot_be_written_is_exit_2(tracemap: Tracemap, database: Path) -> None:
    """A file stands where the folder should be."""
    Path("taken").write_text("")
    answer = tracemap("run", "batch", "--db", database, "--out", "taken")

    assert answer.code == 2
    assert "choose another folder with --out" in answer.err


def test_demo_runs_in_an_empty_folder(tracemap: Tracemap) -> None:
    """Databases and nine documents; what an earlier demo left is replaced."""
    Path("tracemap-demo").mkdir()
    Path("tracemap-demo/tracemap.duckdb").write_text("left over")
    answer = tracemap("demo")
    assert answer.code == 0
    written = sorted(path.name for path in Path("tracemap-demo").iterdir())

    assert written == [
        *("batch.html", "batch.json", "batch.md"),
        "eight-weeks.duckdb",
        *("postmortem.html", "postmortem.json", "postmortem.md"),
        "tracemap.duckdb",
        *("weekly.html", "weekly.json", "weekly.md"),
    ]
    assert "postgresql catalog" in answer.out
    assert "+13 ms is catalog List" in answer.out
