"""`tracemap flow` and `flow-bands`: where the change of users' latency went, call path by path."""

from __future__ import annotations

from tracemap.cli.options import (
    DEFAULT_DATABASE,
    BaselineFrom,
    BaselineTo,
    Database,
    Format,
    From,
    RowFormat,
    Settings,
    Spike,
    To,
    request,
)
from tracemap.cli.print_finding import print_finding


def flow(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print where the change of users' latency went.

    How the change of each user-visible operation's mean splits over its call paths; rows with a
    leaf add up to the change. Without a window: that of the worst spike. Without a baseline: a
    quiet one is chosen and named.

    Example: tracemap flow --from 2026-05-01T10:00 --to 2026-05-01T10:20
    """
    asked = request(start, end, baseline_from, baseline_to, spike=spike)
    print_finding("flow", db, asked, settings or (), shape)


def flow_bands(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print where the change of p50, p95 and p99 went.

    As flow, for the requests around a percentile, of the three operations whose change cost most.
    It reads the spans of both windows. Windows are chosen as for `tracemap flow`.

    Example: tracemap flow-bands --format json
    """
    asked = request(start, end, baseline_from, baseline_to, spike=spike)
    print_finding("flow_bands", db, asked, settings or (), shape)
