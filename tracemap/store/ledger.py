"""Where every record went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracemap.model import FILES, Ledger, Quality, Window
from tracemap.store.tables import read

if TYPE_CHECKING:
    import polars as pl

    from tracemap.store.tables import Connection

STORE_REASONS = ("duplicate_removed", "several_environments")
"""Reasons of quality that need the whole store, and so are counted here, not by derive."""


def ledger(connection: Connection) -> Ledger:
    """Return the files, rejects and oddities of everything that was taken in."""
    files = read(connection, "SELECT * FROM files ORDER BY file_id")
    rejects = read(
        connection,
        """
        SELECT path, line, reason, rejects.records, excerpt
        FROM rejects JOIN files USING (file_id)
        ORDER BY file_id, line, reason, excerpt
        """,
    )
    counts = read(
        connection,
        """
        SELECT coalesce(sum(spans), 0)::BIGINT AS spans, count(*) AS traces,
            count(*) FILTER (parts > 1) AS split_traces
        FROM (
            SELECT sum(spans) AS spans, count(*) AS parts
            FROM trace_parts GROUP BY trace_high, trace_low
        )
        """,
    )
    services = read(connection, "SELECT DISTINCT service FROM services ORDER BY service")
    pruned = read(connection, "SELECT coalesce(sum(spans), 0)::BIGINT FROM pruned_hours").item()
    return Ledger(
        files=FILES.conform(files),
        rejects=rejects,
        quality=_quality(connection),
        spans=counts["spans"][0],
        traces=counts["traces"][0],
        services=tuple(services["service"]),
        covered=covered(connection),
        split_traces=counts["split_traces"][0],
        pruned=pruned,
    )


def _quality(connection: Connection) -> pl.DataFrame:
    """Return what is odd about stored spans: service, reason, spans.

    To what derive counted come the copies that were left out (they made no facts), and the services
    whose name occurs in several environments.
    """
    return read(
        connection,
        """
        WITH counted AS (
            SELECT service, reason, sum(spans)::BIGINT AS spans FROM quality_facts GROUP BY ALL
        ), copies AS (
            SELECT service, 'duplicate_removed', sum(spans)::BIGINT
            FROM duplicates JOIN services USING (resource_id) GROUP BY service
        ), mixed AS (
            SELECT DISTINCT service FROM services JOIN resources USING (resource_id)
            WHERE service_name IN (
                SELECT service_name FROM resources GROUP BY service_name
                HAVING count(DISTINCT nullif(environment, '')) > 1
            )
        )
        FROM counted
        UNION ALL FROM copies
        UNION ALL (
            SELECT service, 'several_environments', sum(spans)::BIGINT
            FROM counted SEMI JOIN mixed USING (service)
            WHERE reason = 'in_edge' OR starts_with(reason, 'no_edge_') GROUP BY service
        )
        ORDER BY service, reason
        """,
    )


def covered(connection: Connection) -> Window | None:
    """Return the time from the earliest start to just after the latest; None: no spans.

    Pruned spans count: their facts are there. Spans whose start is no possible time
    (``START_INVALID``) do not count, unless there are no others: one of them would stretch the time
    to 1970.
    """
    bounds = read(
        connection,
        """
        WITH valid AS (
            SELECT min(start_ns) FILTER (quality & $invalid = 0) AS first_ns,
                max(start_ns) FILTER (quality & $invalid = 0) AS last_ns
            FROM stored_spans
            UNION ALL SELECT min(first_ns), max(last_ns) FROM pruned_hours
        )
        SELECT min(first_ns), max(last_ns), (SELECT min(start_ns) FROM stored_spans),
            (SELECT max(start_ns) FROM stored_spans)
        FROM valid
        """,
        invalid=int(Quality.START_INVALID),
    )
    first_ns, last_ns, any_first_ns, any_last_ns = bounds.row(0)
    if first_ns is not None:
        return Window(first_ns, last_ns + 1)
    return None if any_first_ns is None else Window(any_first_ns, any_last_ns + 1)


def services(connection: Connection) -> pl.DataFrame:
    """Return where each service is: service, service_name, service_namespace, environment."""
    return read(
        connection,
        """
        SELECT DISTINCT service, service_name, service_namespace, environment
        FROM services JOIN resources USING (resource_id) ORDER BY ALL
        """,
    )


def owners(connection: Connection) -> dict[str, str]:
    """Return the owner of each service whose resources name one; of several, the first by name."""
    named = read(
        connection,
        """
        SELECT service, min(owner) AS owner FROM services JOIN resources USING (resource_id)
        WHERE owner <> '' GROUP BY service ORDER BY service
        """,
    )
    return dict(named.select("service", "owner").iter_rows())


def critical(connection: Connection) -> frozenset[str]:
    """Return the services whose ``service.criticality`` is critical or high."""
    named = read(
        connection,
        """
        SELECT DISTINCT service FROM services JOIN resources USING (resource_id)
        WHERE lower(criticality) IN ('critical', 'high')
        """,
    )
    return frozenset(named["service"].to_list())


def nodes(connection: Connection) -> list[tuple[str, str]]:
    """Return each node with its service's name; one that recorded no spans has only its own."""
    rows = read(
        connection,
        """
        SELECT service AS node, min(service_name) AS service_name
        FROM services JOIN resources USING (resource_id) GROUP BY service
        UNION
        SELECT upstream, upstream FROM edge_facts
        WHERE upstream NOT IN (SELECT service FROM services)
        ORDER BY node
        """,
    )
    return list(rows.iter_rows())


def placed_peers(connection: Connection) -> list[tuple[str, str]]:
    """Return nodes such as `postgresql orders (db-1)`, each with the name that its spans give."""
    rows = read(
        connection,
        """
        SELECT DISTINCT peer, peer_name FROM operations JOIN peers USING (operation_id)
        WHERE peer <> peer_name ORDER BY ALL
        """,
    )
    return list(rows.iter_rows())
