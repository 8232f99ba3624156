from __future__ import annotations

import polars as pl

from tests.analyze.facts import BASELINE, INCIDENT, latency
from tests.report.shop import move, table
from tracemap.analyze import cast
from tracemap.model import EXEMPLARS, FINDINGS, FLOW, PROPAGATION

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
    found = cast.units({"flow": STEPS}, facts).filter(pl.col("service") == "pay")

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

    assert cast.units(tables, facts).rows() == [
        ("server", "pay", "Charge", ""), ("server", "pay", "Charge", "web"),
        ("server", "web", "GET/", ""),
    ]  # fmt: skip


def test_where_nothing_happened_the_busiest_operations_have_lines() -> None:
    """A quiet report shows what was quiet."""
    tables = {name: finding.empty() for name, finding in FINDINGS.items()}

    assert cast.units(tables, SERVED).rows() == [("server", "web", "GET/", "")]


def test_exemplars_are_of_the_operation_the_report_is_about() -> None:
    """A slower trace of another operation proves nothing."""
    rows = table(
        EXEMPLARS,
        [
            {"window_start_ns": window.start_ns, "service": "web", "operation": operation,
             "role": role, "rank": 1, "trace_high": 0, "trace_low": low, "duration_ns": took}
            for window, operation, role, low, took in (
                (INCIDENT, "GET/", "worst", 1, 900), (INCIDENT, "POST/", "worst", 2, 9000),
                (BASELINE, "GET/", "typical", 3, 90), (BASELINE, "POST/", "typical", 4, 80))
        ],
    )  # fmt: skip

    assert cast.traces(rows, ("web", "GET/"), INCIDENT, BASELINE) == {
        "typical": f"{3:032x}", "worst": f"{1:032x}",
    }  # fmt: skip
    assert cast.traces(rows, None, INCIDENT, BASELINE)["worst"] == f"{2:032x}"
    assert cast.traces(rows, ("web", "PUT/"), INCIDENT, BASELINE)["worst"] == f"{2:032x}"
