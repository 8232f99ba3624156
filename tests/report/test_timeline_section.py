from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.report import believable
from tests.report.shop import MS
from tests.report.small import findings as small
from tests.report.small import leaf, move, origin
from tracemap.report import build
from tracemap.report.blocks import (
    FigureBlock,
)
from tracemap.report.figures.panels import Panel, panels


def test_a_flat_line_is_not_said_to_be_hurt() -> None:
    """The mean moved, its percentiles did not."""
    findings = believable.incident()
    lines = findings.tables["timeline"]
    flat = (pl.col("operation") == "POST /buy") | (pl.col("operation") == "GET /cart")
    findings.tables["timeline"] = lines.with_columns(
        pl.when(flat).then(120 * MS).otherwise(name).alias(name) for name in ("p50_ns", "p95_ns")
    )
    proof = build(findings).view.proof
    assert proof
    (figure,) = proof.blocks
    assert isinstance(figure, FigureBlock)
    titles = [note["text"] for note in figure.spec["layout"]["annotations"]]

    assert not [title for title in titles if "hurt" in title]
    assert any("POST /buy" in title for title in titles)


def test_the_line_of_a_network_is_one_it_slowed_down() -> None:
    """Not the gap of another caller, however large its peak."""
    made = small([leaf(2, "gap", 60)], [origin(1, "web", "wire", 60, 1.0)], sections=("timeline",))
    lines = believable.incident().tables["timeline"].head(100)
    made.tables["timeline"] = pl.concat(
        lines.with_columns(
            unit=pl.lit("gap"), service=pl.lit("cart"), downstream=pl.lit(downstream),
            operation=pl.lit("GET /cart"), p95_ns=pl.col("p95_ns") * scale,
        )
        for downstream, scale in (("web", 1), ("admin", 9))
    )  # fmt: skip
    proof = build(made).view.proof
    assert proof
    (figure,) = proof.blocks
    assert isinstance(figure, FigureBlock)

    assert "gap to web" in figure.spec["layout"]["annotations"][0]["text"]


def clocked(values: dict[int, float]) -> list[dict[str, object]]:
    """Cells of a timeline by minute after noon, each with its p95."""
    return [
        {"window_start": f"2026-03-02T12:{minute:02}:00Z",
         "p50_ms": p95_ms / 2, "p95_ms": p95_ms, "p99_ms": p95_ms}
        for minute, p95_ms in values.items()
    ]  # fmt: skip


def panel(values: dict[int, float]) -> Panel:
    """A line whose baseline is minutes 0 to 9 and whose incident is minutes 10 to 19."""
    ends = [f"2026-03-02T12:{minute:02}:00Z" for minute in (0, 10, 20)]
    unit = ("server", "web", "GET /", "")
    windows = (ends[0], ends[1]), (ends[1], ends[2])
    return Panel(unit, "web", "victim", clocked(values), (), *windows)


def test_a_line_is_told_by_its_baseline_and_its_incident_alone() -> None:
    """Neither is the incident usual, nor is a spike of another hour its maximum."""
    line = panel({1: 80, 2: 82, 3: 81, 11: 200, 12: 420, 13: 210, 40: 9_000})

    assert line.words() == (
        "web: p95 81 ms in the baseline → 210 ms in the window, up to 420 ms at 12:12. "
        "Cut off above 441 ms, outside both (p95 9,000 ms at 12:40)."
    )
    assert line.top_ms == pytest.approx(441)


def test_a_line_of_what_users_wait_says_the_numbers_of_the_headline() -> None:
    """p95 of all requests, not of the worst minute, which comes last and only where it is worse."""
    line = panel({1: 80, 2: 82, 11: 700, 12: 1_091})

    assert panel({1: 80, 2: 82, 11: 700, 12: 1_091}).words() == (
        "web: p95 80 ms in the baseline → 700 ms in the window, up to 1,091 ms at 12:12."
    )
    assert replace(line, whole=(81.0, 842.0)).words() == (
        "web: p95 81 ms in the baseline → 842 ms in the window, up to 1,091 ms at 12:12."
    )
    assert replace(line, whole=(81.0, 1_200.0)).words().endswith("→ 1,200 ms in the window.")


def test_a_minute_counts_where_most_of_it_lies() -> None:
    """Windows do not begin on the grid: a minute of which three seconds lie in it is not its."""
    line = panel({9: 80, 10: 300, 19: 320, 20: 90})
    ends = [f"2026-03-02T12:{minute:02}:03Z" for minute in (0, 9, 20)]
    late = replace(line, baseline=(ends[0], ends[1]), incident=(ends[1], ends[2]))

    assert late.words() == "web: p95 300 ms in the window, up to 320 ms at 12:19."


def test_without_an_origin_the_timeline_shows_whom_the_headline_is_about() -> None:
    """Each name once, and nothing is said to be on top."""
    spread = move("web", "GET /", "cart", "GET /cart", 89, 89, "propagated")
    made = small([leaf(1, "self", -49)], [], [spread], verdict="quiet", sections=("timeline",))
    lines = believable.incident().tables["timeline"].filter(pl.col("unit") == "server")
    line = lines.filter(pl.col("service") == lines["service"][0])
    names = [("web", "GET /", ""), ("cart", "GET /cart", ""), ("cart", "GET /cart", "web"),
             ("ads", "GET /ad", ""), ("ads", "GET /ad", "web")]  # fmt: skip
    made.tables["timeline"] = pl.concat(
        line.with_columns(
            service=pl.lit(service), operation=pl.lit(operation), downstream=pl.lit(downstream)
        )
        for service, operation, downstream in names
    )
    proof = build(made).view.proof
    assert proof
    (figure,) = proof.blocks
    assert isinstance(figure, FigureBlock)

    assert [figure.summary.count(name) for name in ("cart ·", "web ·", "ads ·")] == [1, 1, 0]
    assert figure.summary.index("cart ·") < figure.summary.index("web ·")
    assert "origin is on top" not in build(replace(made, verdict="incident")).markdown()
    made.tables["propagation"] = made.tables["propagation"].clear()
    made.tables["flow"] = made.tables["flow"].clear()
    assert build(made).markdown().count("ads ·") == 1


def test_a_line_within_its_scale_is_not_cut_off() -> None:
    """Then the scale is free."""
    line = panel({1: 80, 11: 200, 40: 190})

    assert line.top_ms is None
    assert "Cut off" not in line.words()


def test_a_cell_of_minutes_that_reaches_into_a_shade_counts_as_shaded() -> None:
    """A peak is told where it is shaded, though its cell began before the spike did."""
    unit = ("server", "web", "GET /", "")
    shaded = ("2026-03-02T12:18:00Z", "2026-03-02T12:21:00Z")
    line = Panel(unit, "web", "spike", clocked({5: 80, 10: 82, 15: 33_000, 20: 400}), (shaded,))

    assert "80 ms outside" in line.words()
    assert "up to 33 s at 12:15" in line.words()


def test_a_point_without_neighbours_is_seen() -> None:
    """A line of one point is none: it gets a marker, those of a line do not."""
    unit = ("server", "web", "GET /", "")
    line = Panel(unit, "web", "spike", clocked({1: 80, 2: 82, 3: 81, 9: 400}))
    drawn = panels("lines", "Lines", "", [line]).spec["data"][0]

    assert drawn["mode"] == "lines+markers"
    assert [size for size in drawn["marker"]["size"] if size] == [5]
    assert drawn["y"][drawn["marker"]["size"].index(5)] == 200


def test_where_no_origin_is_certain_the_timeline_shows_a_lead() -> None:
    """Nobody is accused by a picture that the sentence above it does not accuse."""
    certain = believable.incident()
    weak = believable.incident()
    weak.tables["origins"] = weak.tables["origins"].with_columns(confidence=pl.lit("weak"))

    titles = [str(build(each).view.proof) for each in (certain, weak)]

    assert ", origin)" in titles[0]
    assert ", lead)" in titles[1]
    assert ", origin)" not in titles[1]
