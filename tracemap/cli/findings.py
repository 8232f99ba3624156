"""`tracemap edges`, `spikes`, `propagation`, `insulation`, `errors` and `origins`, as rows."""

from __future__ import annotations

from tracemap.cli.options import (
    DEFAULT_DATABASE,
    BaselineFrom,
    BaselineTo,
    Catalog,
    CollapseProxies,
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


def edges(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    collapse_proxies: CollapseProxies = False,
    catalog: Catalog = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print who calls whom.

    Calls, errors, percentiles of what downstream waited, and of the gap between client and server.
    With --collapse-proxies, a call through a sidecar or mesh is a call to the service behind it.

    Example: tracemap edges --format csv > edges.csv
    """
    asked = request(start, end, collapse_proxies=collapse_proxies, catalog=catalog or [])
    print_finding("edges", db, asked, (), shape)


def spikes(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print when latency left its baseline.

    One row per episode, the largest total cost (excess_ms) first. same_as is the number of the
    worst row of the same operation at the same time: the same event, seen from another side.

    Example: tracemap spikes --from 2026-05-01 --to 2026-05-02
    """
    print_finding("spikes", db, request(start, end), settings or (), shape)


def propagation(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what spikes did to downstream.

    Per edge: what a slower upstream offered, what arrived downstream, what absorbed the rest.
    Without a window: that of the worst spike. Without a baseline: a quiet one is chosen and named.

    Example: tracemap propagation --from 2026-05-01T10:00 --to 2026-05-01T10:20
    """
    asked = request(start, end, baseline_from, baseline_to, spike=spike)
    print_finding("propagation", db, asked, settings or (), shape)


def insulation(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what stopped spikes on each edge.

    Retries, timeouts, breakers, hedges, fallbacks and the like; then edges with none of these.
    Without a window: that of the worst spike, or everything where there is none.

    Example: tracemap insulation --format csv > insulation.csv
    """
    asked = request(start, end, baseline_from, baseline_to, spike=spike)
    print_finding("insulation", db, asked, settings or (), shape)


def errors(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what failures did to downstream.

    Per edge: how many more calls failed, how many more requests failed because of them, and how
    hard downstream depends on upstream. Without a window: that of the worst spike. Without a
    baseline: a quiet one is chosen and named.

    Example: tracemap errors --from 2026-05-01T10:00 --to 2026-05-01T10:20
    """
    asked = request(start, end, baseline_from, baseline_to, spike=spike)
    print_finding("errors", db, asked, settings or (), shape)


def origins(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    catalog: Catalog = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print where added latency came from.

    Services and edges, ranked by how much longer users waited. flow_ms is the part of the change
    that is charged to each, per request of all users; excess_ms is what each rose by alone.
    Without a window: that of the worst spike. Without a baseline: a quiet one is chosen and named.

    Example: tracemap origins --format json
    """
    asked = request(start, end, baseline_from, baseline_to, spike=spike, catalog=catalog or [])
    print_finding("origins", db, asked, settings or (), shape)
