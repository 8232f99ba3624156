"""The weekly report against the truth of the sample whose last week drifted."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tracemap import pipeline, recipe
from tracemap.analyze import TREND_WEEKS, WEEK_NS, last_week, weeks_before
from tracemap.errors import NoDataError, PipelineError
from tracemap.intake import take_in
from tracemap.model import HOUR_NS, Findings, Window, from_iso
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store

SAMPLES = Path(__file__).parents[2] / "sample_traces"
TRUTH = json.loads((SAMPLES / "eight-weeks.truth.json").read_text())
DAY_NS = 24 * HOUR_NS


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weekly") / "weeks.duckdb"
    with Store.open(path, create=True) as store:
        for taken in take_in(store, [str(SAMPLES / "eight-weeks")]):
            assert taken.error is None
        pipeline.bring_up_to_date(store)
    return path


def found(database: Path, request: Request | None = None) -> Findings:
    with Store.open(database, read_only=True) as store:
        return pipeline.run(recipe.load("weekly"), store, (), request)


@pytest.fixture(scope="module")
def findings(weeks: Path) -> Findings:
    return found(weeks)


@pytest.mark.parametrize("truth", TRUTH["drift"], ids=lambda row: f"{row['upstream']}")
def test_each_edge_is_what_it_truly_is(findings: Findings, truth: dict[str, str]) -> None:
    """New, gone, re-routed, slower, steady and not observed, as the simulator made them."""
    drift = findings.tables["drift"]
    (row,) = drift.filter(
        (pl.col("downstream") == truth["downstream"]) & (pl.col("upstream") == truth["upstream"])
    ).to_dicts()

    assert row["change"] == truth["change"]
    assert row["instead"] == truth["instead"]


def test_the_first_regression_is_the_slower_service(findings: Findings) -> None:
    """With what the simulator added to the mean user request, by slower calls."""
    (deploy,) = [fault for fault in TRUTH["faults"] if fault["fault"] == "Deploy"]
    reached = deploy["user_visible"]
    added_ms = sum(row["total_ms"] for row in reached) / sum(row["requests"] for row in reached)
    first = findings.tables["regressions"].row(0, named=True)

    assert (first["service"], first["verdict"], first["owner"]) == (
        "catalog", "slower", "team-goods",
    )  # fmt: skip
    assert first["low_ns"] < added_ms * 1e6 < first["high_ns"]
    assert first["calls_ns"] == 0


def test_regressions_add_up_to_the_change_of_the_mean_request(findings: Findings) -> None:
    """Nothing is lost: own times and ways are all there is."""
    rows = findings.tables["regressions"]
    made = rows["change_ns"] + rows["mix_ns"]
    whole = rows["user_ns"] - rows["baseline_user_ns"]

    assert made.sum() == pytest.approx(whole.sum(), abs=50)
    assert rows["share"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("side", ["", "baseline_"])
def test_regressions_hold_all_that_users_wait(findings: Findings, weeks: Path, side: str) -> None:
    """Of both sides: they add up to the mean duration of a user request, each counted once."""
    window = findings.baseline if side else findings.window
    assert window is not None
    with Store.open(weeks, read_only=True) as store:
        facts = store.facts("path_facts").join(store.facts("paths"), on="path_id")
    roots = facts.filter((pl.col("parent_path_id") == 0) & (pl.col("service") == "edge"))
    here = roots.filter(window.contains(pl.col("window_start_ns")))
    mean_ns = int(here["duration_ns"].sum()) / int(here["calls"].sum())

    assert findings.tables["regressions"][f"{side}user_ns"].sum() == pytest.approx(mean_ns, abs=50)


def test_a_deploy_shows_with_both_versions(findings: Findings) -> None:
    """What ran before and what runs now."""
    row = findings.tables["drift"].filter(pl.col("upstream") == "catalog").row(0, named=True)

    assert row["baseline_upstream_versions"] == "3.1.4"
    assert "3.2.0" in row["upstream_versions"]
    assert (row["since_service"], row["since_version"]) == ("catalog", "3.2.0")
    assert row["detail"].endswith("since version 3.2.0 of catalog")


def test_only_what_began_with_a_deploy_is_since_a_version(findings: Findings) -> None:
    """One service was deployed; the others changed without."""
    drift, regressions = (findings.tables[name] for name in ("drift", "regressions"))

    assert set(drift["since_service"].drop_nulls()) == {"catalog"}
    assert regressions.filter(pl.col("since_version").is_not_null()).select(
        "service", "since_version"
    ).rows() == [("catalog", "3.2.0")]


def test_every_failed_request_is_charged_once(findings: Findings, weeks: Path) -> None:
    """The sum over services is what users saw fail."""
    with Store.open(weeks, read_only=True) as store:
        facts = store.facts("path_facts").join(store.facts("paths"), on="path_id")
    roots = facts.filter((pl.col("parent_path_id") == 0) & (pl.col("service") == "edge"))
    assert findings.window is not None
    here = roots.filter(findings.window.contains(pl.col("window_start_ns")))

    assert findings.tables["budget"]["failed"].sum() == pytest.approx(here["errors"].sum())


def test_bottlenecks_are_those_of_the_week_by_itself(findings: Findings, weeks: Path) -> None:
    """Summed in the database or asked for alone: the same rows, with the same intervals."""
    assert findings.window is not None
    bounds = Bounds(findings.window.start_ns, findings.window.end_ns)
    with Store.open(weeks, read_only=True) as store:
        alone = pipeline.run(recipe.single("bottlenecks"), store, (), Request(window=bounds))
    weekly = findings.tables["bottlenecks"]

    assert weekly["low_share"].null_count() == 0
    assert weekly["critical_share"].sum() == pytest.approx(1.0)
    assert_frame_equal(weekly, alone.tables["bottlenecks"])


def test_the_trend_has_eight_weeks(findings: Findings) -> None:
    """The last one ends where the window ends."""
    starts = findings.tables["trend"]["week_start_ns"].unique().sort()
    assert findings.window is not None

    assert len(starts) == TREND_WEEKS
    assert starts[-1] == findings.window.start_ns


def test_a_quiet_week_is_quiet(weeks: Path) -> None:
    """The week before the last has nothing to tell."""
    end = from_iso("2026-02-23")
    quiet = found(weeks, Request(window=Bounds(end - WEEK_NS, end)))

    assert quiet.verdict == "quiet"
    assert quiet.baseline_reason == "the four weeks before"


def test_a_week_without_one_before_compares_nothing(weeks: Path) -> None:
    """And says so, rather than calling it quiet."""
    first = found(weeks, Request(window=Bounds(None, from_iso("2026-01-12"))))

    assert first.verdict == "insufficient_data"
    assert first.baseline is None


def test_windows_asked_for_must_not_overlap(weeks: Path) -> None:
    """Half of a change would be compared with itself."""
    asked = Request(
        window=Bounds(from_iso("2026-02-01"), None), baseline=Bounds(None, from_iso("2026-02-08"))
    )

    with pytest.raises(PipelineError, match="overlaps the window"):
        found(weeks, asked)


def test_a_window_without_calls_is_an_error(weeks: Path) -> None:
    """The hint says what there is."""
    with pytest.raises(NoDataError, match="there are no calls in the window"):
        found(weeks, Request(window=Bounds(from_iso("2027-01-01"), from_iso("2027-01-08"))))


def minutes(*starts_ns: int) -> pl.Series:
    return pl.Series(starts_ns, dtype=pl.Int64)


def test_the_last_week_ends_with_the_data() -> None:
    """On the next full hour: the clock has no say."""
    week = last_week(Window(0, 30 * DAY_NS + 5))

    assert week == Window(23 * DAY_NS + HOUR_NS, 30 * DAY_NS + HOUR_NS)


@pytest.mark.parametrize(
    ("days_before", "weeks", "reason"),
    [
        (40, 4, "the four weeks before"),
        (28, 4, "the four weeks before"),
        (20, 2, "the two weeks before"),
        (7, 1, "the week before"),
    ],
)
def test_the_baseline_is_whole_weeks(days_before: int, weeks: int, reason: str) -> None:
    """So that both sides have the same weekdays."""
    window = Window(days_before * DAY_NS, days_before * DAY_NS + WEEK_NS)
    seen = minutes(*range(0, window.end_ns, DAY_NS))
    chosen = weeks_before(window, Window(0, window.end_ns), seen)

    assert chosen.window == Window(window.start_ns - weeks * WEEK_NS, window.start_ns)
    assert chosen.reason == reason


def test_less_than_a_week_before_is_said() -> None:
    """Weekdays differ then."""
    window = Window(3 * DAY_NS, 10 * DAY_NS)
    chosen = weeks_before(window, Window(0, window.end_ns), minutes(0, DAY_NS))

    assert chosen.window == Window(0, 3 * DAY_NS)
    assert chosen.reason == "the 3.0 days before: less than a week, so weekdays differ"


def test_silent_weeks_in_the_baseline_are_named() -> None:
    """A hole in the data is no quiet week."""
    window = Window(4 * WEEK_NS, 5 * WEEK_NS)
    chosen = weeks_before(window, Window(0, window.end_ns), minutes(0, 2 * WEEK_NS, 3 * WEEK_NS))

    assert chosen.reason == "the four weeks before, of which one has no calls"


def test_silent_weeks_are_counted_in_words() -> None:
    """Two have, one has."""
    window = Window(4 * WEEK_NS, 5 * WEEK_NS)
    chosen = weeks_before(window, Window(0, window.end_ns), minutes(0, 3 * WEEK_NS))

    assert chosen.reason == "the four weeks before, of which two have no calls"


def test_an_end_left_open_is_a_full_hour_not_the_last_nanosecond(weeks: Path) -> None:
    """Weeks then begin at times that people can read and ask for."""
    start_ns = from_iso("2026-02-23")
    asked = Request(window=Bounds(start_ns=start_ns))
    with Store.open(weeks, read_only=True) as store:
        found = pipeline.run(recipe.single("trend"), store, (), asked)

    assert found.window is not None
    assert found.window.end_ns == from_iso("2026-03-02")
    assert all(start % HOUR_NS == 0 for start in found.tables["trend"]["week_start_ns"])
