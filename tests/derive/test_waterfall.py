"""One trace as people read it."""

from __future__ import annotations

from tests.derive.traces import MS, at, bucket
from tracemap import derive
from tracemap.model import TRACE


def test_spans_come_below_their_parents_by_start() -> None:
    """Depth first; siblings by start; ids as hex, the parent's id even where it is missing."""
    rows = derive.waterfall(
        bucket(
            at("A.S", 1),
            at("A.C", 2, 1, (60, 90)),
            at("A.C", 3, 1, (10, 50)),
            at("B.S", 4, 3, (20, 40)),
            at("C.S", 5, 0xFF, (30, 70)),
        )
    )

    assert rows.schema == TRACE.schema
    assert rows.select("span_id", "depth").rows() == [
        ("0000000000000001", 0),
        ("0000000000000003", 1),
        ("0000000000000004", 2),
        ("0000000000000002", 1),
        ("0000000000000005", 0),
    ]
    assert rows["parent_span_id"].to_list()[0] is None
    assert rows["parent_span_id"].to_list()[-1] == "00000000000000ff"


def test_what_is_remarkable_is_flagged() -> None:
    """In words a reader can look up."""
    rows = derive.waterfall(
        bucket(
            at("A.S", 1, duration_ns=200 * MS),
            at("A.C", 2, 1, (10, 20)),
            at("B.S", 3, 2, (12, 90)),
            at("A.C", 4, 1, (30, 60)),
            at("B.S", 5, 4, (-500, -480)),
            at("A.I", 6, 1, (70, 900)),
            at("A.I", 7, 1, (80, 90), duration_ns=None),
            at("A.I", 8, 8, (80, 90)),
        )
    )
    flags = {int(span_id, 16): found for span_id, found in rows.select("span_id", "flags").rows()}

    assert flags == {
        1: [], 2: [], 3: ["abandoned"], 4: [], 5: ["skewed"], 6: ["async"], 7: ["no_end"],
        8: ["cycle_cut"],
    }  # fmt: skip


def test_critical_parts_say_where_the_exclusive_time_lies() -> None:
    """Before, between and after what was waited for; their lengths are the critical time."""
    rows = derive.waterfall(
        bucket(
            at("A.S", 1),
            at("A.I", 2, 1, (10, 40)),
            at("A.I", 3, 1, (60, 90)),
            at("A.I", 4, 1, (62, 80)),
        )
    )
    parts = dict(zip(rows["span_id"], rows["critical_parts_ns"].to_list(), strict=True))
    lengths = [sum(part[1::2]) - sum(part[::2]) for part in rows["critical_parts_ns"].to_list()]

    assert parts["0000000000000001"] == [part * MS for part in (0, 10, 40, 60, 90, 100)]
    assert parts["0000000000000004"] == []
    assert lengths == rows["critical_ns"].to_list()
