"""Pipeline: hands each stage what the one before it gave. The only package that wires the stages.

::

    run                a recipe, from inputs to findings: the first file to read
    windows            which windows a run looks at
    window_findings    findings about one window, or an incident and its baseline
    week_findings      findings that compare weeks, from stored facts alone
    exemplars          traces that show what was found
    questions          what no recipe asks: one trace, why an edge is missing, what if
    cohorts            two versions or environments side by side
    fail_on            conditions for CI and cron (``--fail-on``)
    up_to_date         facts derived again where spans came since
    pruning            what can still be answered after old spans were deleted

Taking files in is `tracemap.intake`.
"""

from __future__ import annotations

from tracemap.pipeline.run import ledger, owners_of, run
from tracemap.pipeline.up_to_date import bring_up_to_date, prune, up_to_date

__all__ = ["bring_up_to_date", "ledger", "owners_of", "prune", "run", "up_to_date"]
