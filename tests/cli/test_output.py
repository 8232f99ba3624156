from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import Tracemap
from tracemap.cli.no_rows import why_no_rows
from tracemap.cli.options import Format
from tracemap.cli.output import print_rows, visible
from tracemap.model import Findings, Window

ROWS: list[dict[str, object]] = [
    {"name": "=SUM(A1)", "calls": -3, "edge": {"downstream": "a", "upstream": "b"}, "ids": ["x"]},
    {"name": None, "calls": 12_345, "edge": None, "ids": []},
]
COLUMNS = ["name", "calls", "edge", "ids"]


def test_csv_is_safe_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """Text that looks like a formula is quoted; numbers stay; what is nested is JSON."""
    print_rows(ROWS, COLUMNS, Format.CSV)

    assert capsys.readouterr().out.splitlines() == [
        "name,calls,edge,ids",
        '\'=SUM(A1),-3,"{""downstream"": ""a"", ""upstream"": ""b""}","[""x""]"',
        ",12345,,[]",
    ]


def test_csv_spells_control_characters_out(capsys: pytest.CaptureFixture[str]) -> None:
    """In text, in what is nested, and in names of columns."""
    rows: list[dict[str, object]] = [
        {"a\x00": "w\x00e\x1bb", "b": {"downstream": "c\x9b\u202e\x00"}, "c": "é→\u3042"}
    ]
    print_rows(rows, ["a\x00", "b", "c"], Format.CSV)

    assert capsys.readouterr().out.splitlines() == [
        r"a\x00,b,c",
        r'w\x00e\x1bb,"{""downstream"": ""c\u009b\u202e\u0000""}",é→あ',
    ]


def test_json_has_null_for_what_is_not_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """Also deep inside; JSON knows neither NaN nor infinity."""
    nan, infinity = float("nan"), float("inf")
    rows: list[dict[str, object]] = [{"a": nan, "b": [1.5, -infinity], "c": {"d": (nan,)}}]
    print_rows(rows, ["a", "b", "c"], Format.JSON)
    assert json.loads(capsys.readouterr().out) == [
        {"a": None, "b": [1.5, None], "c": {"d": [None]}}
    ]

    print_rows(rows, ["b"], Format.CSV)
    assert capsys.readouterr().out == 'b\n"[1.5, null]"\n'


def test_json_escapes_what_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """And readers of JSON get it as it was."""
    rows: list[dict[str, object]] = [{"name": "a\x1b\x9b\u202eé"}]
    print_rows(rows, ["name"], Format.JSON)
    out = capsys.readouterr().out

    assert r"a\u001b\u009b\u202eé" in out
    assert json.loads(out) == rows


def test_json_is_what_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get values as they are."""
    print_rows(ROWS, COLUMNS, Format.JSON)

    assert json.loads(capsys.readouterr().out) == ROWS


def test_a_table_shows_edges_as_arrows_and_nothing_as_a_dash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Large numbers are grouped."""
    print_rows(ROWS, COLUMNS, Format.TABLE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]

    assert lines[0] == COLUMNS
    assert lines[2] == ["=SUM(A1)", "-3", "a", "→", "b", "x"]
    assert lines[3] == ["-", "12,345", "-"]


def test_on_a_narrow_terminal_long_texts_are_shortened_in_the_middle(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers stay whole; away from a terminal everything does."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    rows = [{"operation": "GET /" + "x" * 50 + "/end", "calls": 1_000_000}]
    print_rows(rows, ["operation", "calls"], Format.TABLE)
    heading, _, row = capsys.readouterr().out.splitlines()

    assert len(row) == len(heading) == 40
    assert row.startswith("GET /xxx")
    assert row.endswith("xxx/end  1,000,000")


@pytest.mark.parametrize("shape", list(Format))
def test_no_rows_is_no_error(shape: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """The header or an empty array still says what there would be."""
    print_rows([], COLUMNS, shape)
    out = capsys.readouterr().out

    assert out.strip() == "[]" if shape is Format.JSON else "name" in out


def test_control_and_direction_marks_are_spelled_out() -> None:
    """What cannot be seen, or turns text round, is written as an escape."""
    assert visible("a\x1b[2J\u202eb\nc é") == "a\\x1b[2J\\u202eb\\nc é"


def test_a_query_shows_numbers_as_they_are(tracemap: Tracemap, database: Path) -> None:
    """They are copied into the next query, which knows no thousands separators."""
    sql = "SELECT 1234567 AS whole, 0.00012 AS part"
    answer = tracemap("query", sql, "--db", database)

    assert answer.out.splitlines()[-1].split() == ["1234567", "0.00012"]


def test_spikes_have_the_number_that_spike_takes(tracemap: Tracemap, database: Path) -> None:
    """The list says what to type."""
    rows = json.loads(tracemap("spikes", "--db", database, "--format", "json").out)

    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    asked = tracemap("origins", "--db", database, "--spike", rows[-1]["number"])
    assert f"window {rows[-1]['start']} .. {rows[-1]['end']}" in asked.err


def test_no_spikes_have_the_columns_of_spikes(tracemap: Tracemap, database: Path) -> None:
    """What reads the CSV of every night finds the same header in a quiet one."""
    quiet, not_quiet = (
        tracemap("spikes", "--db", database, "--format", "csv", "--set", f"spike_ratio={ratio}").out
        for ratio in ("99", "1.25")
    )

    assert quiet.splitlines() == not_quiet.splitlines()[:1]
    assert quiet.startswith("number,same_as,")


def test_shares_of_requests_are_percentages_in_every_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A ratio beside its baseline's has the same unit; a small one is no 0.00."""
    row = dict.fromkeys(
        ("error_ratio", "baseline_error_ratio", "offered_errors", "arrived_errors"), 0.002
    )
    print_rows([row], list(row), Format.TABLE)

    assert capsys.readouterr().out.splitlines()[-1].split() == ["0.2", "%"] * 4


def test_what_rounds_to_nothing_has_no_sign(capsys: pytest.CaptureFixture[str]) -> None:
    """-0.00 beside 0.00 looks like a difference."""
    print_rows([{"change_ms": -0.001, "share": -0.0001}], ["change_ms", "share"], Format.TABLE)

    assert capsys.readouterr().out.splitlines()[-1].split() == ["0.00", "0.0", "%"]


def test_spikes_of_one_event_name_its_worst_row(tracemap: Tracemap, database: Path) -> None:
    """Server and client see the same; the table shows them in the order of the cost it shows."""
    rows = json.loads(tracemap("spikes", "--db", database, "--format", "json").out)
    costs = [row["excess_ms"] for row in rows]
    twins = {row["number"]: row["same_as"] for row in rows if row["same_as"]}

    assert costs == sorted(costs, reverse=True)
    assert twins
    for number, first in twins.items():
        one, other = rows[first - 1], rows[number - 1]
        assert first < number
        assert one["same_as"] is None
        assert (one["service"], one["operation"]) == (other["service"], other["operation"])
    header = tracemap("spikes", "--db", database).out.splitlines()[0].split()
    assert {"excess_ms", "same_as"} <= set(header)


def test_a_step_that_ends_at_once_is_shown_once(tracemap: Tracemap, database: Path) -> None:
    """What flows into it is its leaf; programs still get the whole tree."""
    rows = json.loads(tracemap("flow", "--db", database, "--format", "json").out)
    small = {row["path_id"] for row in rows if row["leaf"] == "small"}
    twice = sum(row["path_id"] in small for row in rows)
    ends = sum(row["leaf"] in ("small", "virtual", "unresolved") for row in rows)

    assert twice == 2 * len(small) > 0
    assert len(tracemap("flow", "--db", database).out.splitlines()) == len(rows) - ends + 2


@pytest.mark.parametrize(
    ("share", "shown"),
    [(1.0, "100.0 %"), (0.99996, "> 99.9 %"), (0.997, "99.7 %"), (0.0, "0.0 %"), (1e-5, "< 0.1 %")],
)
def test_a_share_that_is_not_quite_all_never_says_so(
    share: float, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """1.00 beside a second origin would be a contradiction."""
    print_rows([{"rank": 1, "share": share}], ["rank", "share"], Format.TABLE)

    assert capsys.readouterr().out.splitlines()[-1].strip().endswith(shown)


@pytest.mark.parametrize(
    ("name", "baseline", "verdict", "said"),
    [
        ("origins", None, "quiet", "there is no baseline"),
        ("origins", Window(0, 60), "insufficient_data", "too few calls"),
        ("origins", Window(0, 60), "quiet", "no service or edge explains"),
        ("spikes", None, "quiet", "no latency left its baseline"),
        ("flow_bands", Window(0, 60), "quiet", "no flow-bands: too few requests around"),
        ("budget", Window(0, 60), "quiet", "no request of users failed"),
        ("cycles", None, "quiet", "no services call each other in a circle"),
    ],
)
def test_an_empty_finding_says_why_it_is_empty(
    name: str, baseline: Window | None, verdict: str, said: str
) -> None:
    """Nothing to tell, nothing to compare with, and too little to judge are three answers."""
    findings = Findings("x", "x", sections=(), window=Window(60, 120), baseline=baseline)

    assert said in why_no_rows(name, replace(findings, verdict=verdict))


def test_a_row_that_no_shortening_makes_fit_keeps_its_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It breaks into lines all the same; then it can at least be read."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    row = {"service": "postgresql catalog", **{f"percentile_{n}_ms": 1.5 for n in range(4)}}
    print_rows([row], list(row), Format.TABLE)

    assert capsys.readouterr().out.splitlines()[-1].startswith("postgresql catalog ")
