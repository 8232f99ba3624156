"""Section "Flow of percentiles": what moved, the smoothing, and what the tail is no longer."""

from __future__ import annotations

import pytest

from tests.report import believable
from tests.report.pages import column, sections, tables
from tests.report.shop import MS, table
from tracemap.model import FLOW_BANDS
from tracemap.report import build
from tracemap.report.blocks import Note, plain


def test_each_band_shows_its_smoothing() -> None:
    """Change of the band less change of the percentile, once per band."""
    bands = tables(build(believable.incident()).view)["flow-bands"]

    assert column(bands, "band") == ["p50", "p95"]
    assert column(bands, "quantile_change_ms") == [195.0, 475.0]
    assert column(bands, "smoothing_ms") == [1.0, -3.0]


def test_a_negative_part_no_longer_makes_the_tail_slow() -> None:
    """It is not called faster: other requests are slow now."""
    leaves = tables(build(believable.incident()).view)["flow-bands-leaves"]

    assert column(leaves, "what")[-1] == "inventory: own time (charge)"
    assert column(leaves, "reading")[-2:] == [
        "makes the tail slower",
        "no longer what makes the tail slow",
    ]


@pytest.mark.parametrize(
    ("share_ms", "low_ms", "high_ms", "band_change_ms", "said"),
    [
        (30, 10, 50, 475, "makes the tail slower"),
        (30, -20, 80, 475, "may be chance: the interval holds 0"),
        (-30, -80, 20, 475, "may be chance: the interval holds 0"),
        (30, 10, 50, -200, "takes longer, but the tail got faster"),
        (-30, -50, -10, -200, "no longer what makes the tail slow"),
        (30, None, None, 475, "makes the tail slower"),
    ],
)
def test_a_reading_says_no_more_than_its_interval_and_its_band_allow(
    share_ms: int, low_ms: int | None, high_ms: int | None, band_change_ms: int, said: str
) -> None:
    """A part that may be nothing makes nothing slower, nor does one of a band that fell."""
    made = believable.incident()
    row = made.tables["flow_bands"].filter(band="p95").to_dicts()[0]
    row |= {"share_ns": share_ms * MS, "band_change_ns": band_change_ms * MS}
    row |= {"low_ns": low_ms and low_ms * MS, "high_ns": high_ms and high_ms * MS}
    made.tables["flow_bands"] = table(FLOW_BANDS, [row])

    leaves = tables(build(made).view)["flow-bands-leaves"]
    assert column(leaves, "reading") == [said]


def test_two_calls_between_the_same_services_are_told_apart() -> None:
    """Each row names its operation."""
    made = believable.incident()
    row = made.tables["flow_bands"].filter(band="p95").to_dicts()[0]
    row |= {"leaf": "gap", "service": "shop", "upstream": "currency", "share_ns": 30 * MS}
    rows = [
        {**row, "operation": operation, "path_id": row["path_id"] + number}
        for number, operation in enumerate(("Convert", "GetSupported"))
    ]
    made.tables["flow_bands"] = table(FLOW_BANDS, rows)

    assert column(tables(build(made).view)["flow-bands-leaves"], "what") == [
        "shop → currency: gap (Convert)", "shop → currency: gap (GetSupported)",
    ]  # fmt: skip


def test_too_few_requests_are_said() -> None:
    """An operation changed, but no percentile can be taken apart."""
    made = believable.incident()
    made.tables["flow_bands"] = FLOW_BANDS.empty()
    (note,) = sections(build(made).view)["flow_bands"].blocks

    assert isinstance(note, Note)
    assert plain(note.text).startswith("Too few requests around p50, p95 and p99")


def test_without_a_flow_there_is_no_section() -> None:
    """Nothing was compared."""
    made = believable.incident()
    for name in ("flow", "flow_bands"):
        made.tables[name] = made.tables[name].clear()

    assert "flow_bands" not in sections(build(made).view)
