"""Which service answers an RPC service, such as `shop.Cart`: calls may name nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracemap.model import Kind

if TYPE_CHECKING:
    from tracemap.store.tables import Connection


def learn_rpc_services(connection: Connection, first_file_id: int, last_file_id: int) -> int:
    """Add to `rpc_services` who recorded SERVER spans of which RPC service in these files.

    Returns:
        How many rows are new.
    """
    (count,) = connection.execute(
        f"""
        INSERT INTO rpc_services
        SELECT DISTINCT rpc_service, resource_id
        FROM stored_spans
        JOIN (
            SELECT operation_id, regexp_replace(operation, '/[^/]*$', '') AS rpc_service
            FROM operations
            WHERE kind = {int(Kind.SERVER)} AND protocol IN ('grpc', 'rpc')
                AND contains(operation, '/')
        ) USING (operation_id)
        ANTI JOIN rpc_services USING (rpc_service, resource_id)
        WHERE file_id BETWEEN $first_file_id AND $last_file_id
        ORDER BY rpc_service, resource_id
        """,  # noqa: S608
        {"first_file_id": first_file_id, "last_file_id": last_file_id},
    ).fetchone() or (0,)
    return int(count)
