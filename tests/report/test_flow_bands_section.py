"""Section "Flow of percentiles": what moved, the smoothing, and what the tail is no longer."""

from __future__ import annotations

from tests.report import believable
from tests.report.pages import column, sections, tables
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

    assert column(leaves, "what")[-1] == "inventory: own time"
    assert column(leaves, "reading")[-2:] == [
        "makes the tail slower",
        "no longer what makes the tail slow",
    ]


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
