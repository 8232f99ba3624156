from __future__ import annotations

from tests.analyze.facts import BASELINE, INCIDENT
from tests.report.shop import table
from tracemap.analyze import exemplar_traces
from tracemap.model import EXEMPLARS


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

    assert exemplar_traces(rows, ("web", "GET/"), INCIDENT, BASELINE) == {
        "typical": f"{3:032x}", "worst": f"{1:032x}",
    }  # fmt: skip
    assert exemplar_traces(rows, None, INCIDENT, BASELINE)["worst"] == f"{2:032x}"
    assert exemplar_traces(rows, ("web", "PUT/"), INCIDENT, BASELINE)["worst"] == f"{2:032x}"
