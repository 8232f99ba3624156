from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tracemap import pipeline, recipe
from tracemap.errors import InputError, NoDataError
from tracemap.intake import take_in
from tracemap.model import FINDINGS, USER, Window, from_iso
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store

SAMPLES = Path(__file__).parents[2] / "sample_traces"
TRUTH = json.loads((SAMPLES / "shop-hour.truth.json").read_text())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pipeline") / "sample.duckdb"
    with Store.open(path, create=True) as store:
        for taken in take_in(store, [str(SAMPLES / "shop-hour")]):
            assert taken.error is None
        pipeline.bring_up_to_date(store)
    return path


@pytest.mark.parametrize("name", ["batch", "postmortem"])
def test_every_recipe_finds_the_fault_of_the_sample_hour(sample: Path, name: str) -> None:
    """The truth beside the samples says who was slow, and when."""
    with Store.open(sample, read_only=True) as store:
        findings = pipeline.run(recipe.load(name), store)

    assert findings.verdict == "incident"
    assert findings.tables["origins"]["service"][0] == "postgresql catalog"
    assert set(FINDINGS) <= set(findings.tables)
    for finding, table in FINDINGS.items():
        assert findings.tables[finding].schema == table.schema


def test_every_edge_of_the_truth_is_found_with_its_count(sample: Path) -> None:
    """Counts are exact: nothing is sampled, nothing lost."""
    with Store.open(sample, read_only=True) as store:
        edges = pipeline.run(recipe.single("edges"), store).tables["edges"]
    found = {
        (row["downstream"], row["upstream"]): row["calls"] for row in edges.iter_rows(named=True)
    }
    wanted: dict[tuple[str, str], int] = {}
    for edge in TRUTH["edges"]:
        if edge["downstream"] != USER:  # from outside: requests, not edges
            key = (edge["downstream"], edge["upstream"])
            wanted[key] = wanted.get(key, 0) + edge["calls"]

    assert {key: found.get(key) for key in wanted} == wanted


def test_one_finding_computes_no_other(sample: Path) -> None:
    """`tracemap edges` does not pay for origins."""
    with Store.open(sample, read_only=True) as store:
        findings = pipeline.run(recipe.single("edges"), store)

    assert findings.tables["propagation"].is_empty()
    assert findings.tables["flow"].is_empty()


def test_exemplars_come_from_both_windows(sample: Path) -> None:
    """The typical trace is one of the baseline, the worst one of the incident."""
    with Store.open(sample, read_only=True) as store:
        findings = pipeline.run(recipe.load("postmortem"), store)

    assert findings.window is not None
    assert findings.baseline is not None
    for role, window in (("typical", findings.baseline), ("worst", findings.window)):
        start_ns = findings.traces[role]["start_ns"].min()
        assert isinstance(start_ns, int)
        assert window.start_ns <= start_ns < window.end_ns


def test_windows_given_by_the_caller_are_taken(sample: Path) -> None:
    """The library takes windows as numbers."""
    start_ns, end_ns = (from_iso(f"2026-03-03T09:{minute}") for minute in (41, 45))
    request = Request(window=Bounds(start_ns, end_ns))
    with Store.open(sample, read_only=True) as store:
        findings = pipeline.run(recipe.load("postmortem"), store, (), request)

    assert findings.window == Window(start_ns, end_ns)


def test_an_empty_database_has_nothing_to_report_on(tmp_path: Path) -> None:
    """The hint says how to fill it."""
    with (
        Store.open(tmp_path / "empty.duckdb", create=True) as store,
        pytest.raises(NoDataError, match="holds no spans"),
    ):
        pipeline.run(recipe.load("batch"), store)


def test_an_input_that_cannot_be_read_is_raised(tmp_path: Path) -> None:
    """The library raises what the command line prints."""
    with Store.open(tmp_path / "empty.duckdb", create=True) as store, pytest.raises(InputError):
        pipeline.run(recipe.load("batch"), store, [str(tmp_path / "missing.json")])


def test_the_order_of_files_changes_nothing(tmp_path: Path, sample: Path) -> None:
    """Traces that are spread over files are put together all the same."""
    files = sorted((SAMPLES / "shop-hour").glob("*.gz"), reverse=True)
    single = recipe.single("edges")
    with Store.open(tmp_path / "reversed.duckdb", create=True) as store:
        backwards = pipeline.run(single, store, [str(path) for path in files]).tables["edges"]
    with Store.open(sample, read_only=True) as store:
        assert pipeline.run(single, store).tables["edges"].equals(backwards)


def test_progress_is_told(tmp_path: Path) -> None:
    """Whoever waits learns what for."""
    told: list[str] = []
    source = tmp_path / "one.jsonl.gz"
    lines = gzip.decompress((SAMPLES / "shop-hour" / "traces-1.jsonl.gz").read_bytes())
    source.write_bytes(gzip.compress(b"".join(lines.splitlines(keepends=True)[:20])))
    with Store.open(tmp_path / "one.duckdb", create=True) as store:
        pipeline.run(
            recipe.single("edges"),
            store,
            [str(source)],
            progress=lambda what, _done, _total: told.append(what),
        )

    assert told[0] == f"reading {source}, spans"


def test_requests_of_users_are_counted_with_those_that_failed(sample: Path) -> None:
    """Of an hour with the roots' own status, of a window to the very request."""
    shown = [(recipe.load("batch"), Request()), (recipe.load("postmortem"), Request())]
    start_ns, end_ns = (from_iso(f"2026-03-03T09:{time}") for time in ("41:30", "44:45"))
    shown.append((recipe.load("postmortem"), Request(window=Bounds(start_ns, end_ns))))
    with Store.open(sample, read_only=True) as store:
        for wanted, request in shown:
            findings = pipeline.run(wanted, store, (), request)
            assert findings.window is not None
            roots = store.query(
                "SELECT count(*) AS requests, count(*) FILTER (status_code = 'ERROR') AS failed "
                "FROM spans WHERE parent_span_id IS NULL "
                f"AND start_time_unix_nano >= {findings.window.start_ns} "
                f"AND start_time_unix_nano < {findings.window.end_ns}"
            )
            assert findings.failed_requests.requests == roots["requests"][0]
            assert findings.failed_requests.failed == roots["failed"][0]
