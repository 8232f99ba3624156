"""`tracemap regressions`, `budget`, `trend`: weeks against weeks, from facts alone."""

from __future__ import annotations

from tracemap.cli.options import (
    DEFAULT_DATABASE,
    BaselineFrom,
    BaselineTo,
    Catalog,
    Database,
    Format,
    From,
    RowFormat,
    Settings,
    To,
    request,
)
from tracemap.cli.print_finding import print_finding


def regressions(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    settings: Settings = None,
    catalog: Catalog = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what users wait longer for.

    By operation and by the network between two services, what cost users most first.
    Without windows: the last seven days against the four weeks before.

    Example: tracemap regressions --catalog owners.yaml
    """
    asked = request(start, end, baseline_from, baseline_to, catalog=catalog or [])
    print_finding("regressions", db, asked, settings or (), shape)


def budget(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    settings: Settings = None,
    catalog: Catalog = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print where user requests began to fail.

    Failed requests per service, as a share of the error budget (threshold success_objective).
    Without windows: the last seven days against the four weeks before.

    Example: tracemap budget --set success_objective=0.99
    """
    asked = request(start, end, baseline_from, baseline_to, catalog=catalog or [])
    print_finding("budget", db, asked, settings or (), shape)


def trend(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print each edge week by week.

    Up to eight weeks, the last of them ending where the data or the window ends.

    Example: tracemap trend --format csv > trend.csv
    """
    print_finding("trend", db, request(start, end), (), shape)
