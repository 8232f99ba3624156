from __future__ import annotations

import polars as pl

from tests.analyze.facts import BASELINE, INCIDENT, MS, latency, near
from tests.report.shop import edge, table
from tracemap.analyze import with_change
from tracemap.model import EDGES

SHOP = table(EDGES, [edge("web", "pay", 400, 60), edge("pay", "card-db", 400, 40)])


def change(facts: pl.DataFrame) -> dict[str, tuple[int | None, int | None]]:
    """p95 before and during, by upstream."""
    made = with_change(SHOP, facts, INCIDENT, BASELINE)
    return {
        row["upstream"]: (row["baseline_p95_ns"], row["incident_p95_ns"])
        for row in made.iter_rows(named=True)
    }


def test_what_downstream_waited_counts_before_what_upstream_took() -> None:
    """The client's view is the edge's; where there is none, the server's stands in."""
    served = latency(
        (BASELINE.start_ns, "pay", "Charge", "web", 50, 100),
        (INCIDENT.start_ns, "pay", "Charge", "web", 50, 100),
        (BASELINE.start_ns, "card-db", "q", "pay", 10, 100),
        (INCIDENT.start_ns, "card-db", "q", "pay", 30, 100),
    )
    waited = served.filter(pl.col("service") == "pay").with_columns(
        unit=pl.lit("client"), bucket=pl.col("bucket") + 64
    )
    found = change(pl.concat([served, waited]))

    assert near(found["pay"][0], 100)
    assert near(found["card-db"][0], 10)
    assert near(found["card-db"][1], 30)


def test_few_calls_in_either_window_make_no_change() -> None:
    """19 calls have no 95th percentile worth a colour."""
    found = change(
        latency(
            (BASELINE.start_ns, "pay", "Charge", "web", 50, 19),
            (INCIDENT.start_ns, "pay", "Charge", "web", 500, 4_000),
        )
    )

    assert found == {"pay": (None, None), "card-db": (None, None)}


def test_nothing_else_about_an_edge_changes() -> None:
    """It adds two columns."""
    made = with_change(SHOP, latency(), INCIDENT, BASELINE)
    kept = [name for name in SHOP.columns if "5_ns" not in name]

    assert made.select(kept).sort(kept).equals(SHOP.select(kept).sort(kept))
    assert made["p95_ns"].sum() == 100 * MS
