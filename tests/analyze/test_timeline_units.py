from __future__ import annotations

import polars as pl

from tests.analyze.facts import BASELINE, INCIDENT, latency
from tests.report.shop import move, table
from tracemap.analyze import timeline_units
from tracemap.model import FINDINGS, FLOW, PROPAGATION

SERVED = latency(
    (BASELINE.start_ns, "web", "GET/", "", 90, 900),
    (INCIDENT.start_ns, "pay", "Charge", "web", 75, 1000),
)
STEPS = table(
    FLOW,
    [
        {"root_service": "web", "root_operation": "GET/", "leaf": leaf, "service": service,
         "operation": operation, "share_ns": 5, "path_id": 1, "parent_path_id": 0}
        for leaf, service, operation in (("", "web", "GET/"), ("", "pay", "Charge"),
                                         ("self", "pay", "Charge"))
    ],
)  # fmt: skip


def test_a_step_on_the_way_has_a_line_for_each_caller_and_one_for_all() -> None:
    """The report shows the caller that is on the way, not the one that rose most."""
    facts = pl.concat([SERVED, latency((INCIDENT.start_ns, "pay", "Charge", "shop", 9, 9))])
    found = timeline_units({"flow": STEPS}, facts).filter(pl.col("service") == "pay")

    assert found["downstream"].to_list() == ["", "shop", "web"]


def test_between_whom_most_spread_has_lines() -> None:
    """Where no origin is certain, the headline is about these two."""
    tables = {name: finding.empty() for name, finding in FINDINGS.items()}
    tables["propagation"] = table(
        PROPAGATION,
        [
            move("web", "GET/", "pay", "Charge", 89, 89, "propagated"),
            move("shop", "GET/", "ads", "Show", 900, 900, "within variation"),
        ],
    )
    facts = pl.concat([SERVED, latency((INCIDENT.start_ns, "ads", "Show", "shop", 9, 9))])

    assert timeline_units(tables, facts).rows() == [
        ("server", "pay", "Charge", ""), ("server", "pay", "Charge", "web"),
        ("server", "web", "GET/", ""),
    ]  # fmt: skip


def test_where_nothing_happened_the_busiest_operations_have_lines() -> None:
    """A quiet report shows what was quiet."""
    tables = {name: finding.empty() for name, finding in FINDINGS.items()}

    assert timeline_units(tables, SERVED).rows() == [("server", "web", "GET/", "")]
