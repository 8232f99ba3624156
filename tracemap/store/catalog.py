"""What a writer remembers from file to file, so that a small file costs few queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.model import OPERATIONS, RESOURCES, SPANS
from tracemap.store.dictionary import Dictionary
from tracemap.store.rpc_services import learn_rpc_services
from tracemap.store.tables import read

if TYPE_CHECKING:
    from tracemap.model import Batch
    from tracemap.store.tables import Connection


class Catalog:
    """The small tables as they are in the writer's transaction; to be dropped when it rolls back.

    Args:
        connection: Where the tables are.

    Attributes:
        files: Files taken in so far; the next one has the number after.
        has_links: Whether any span link is stored.
        pruned_ns: Starts of the hours whose spans were pruned.
        moves: What `renamed` found, columns ``service`` and ``service_now``, as far as all
            resources of one name got the same other one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._operations = Dictionary(connection, OPERATIONS)
        self._resources = Dictionary(connection, RESOURCES)
        self._services = self._named()
        self._peers = self._called()
        self._is_answered_otherwise = False
        self.files = int(read(connection, "SELECT count(*) FROM files").item())
        self.moves = pl.DataFrame(schema={"service": pl.String, "service_now": pl.String})
        self.pruned_ns = read(connection, "SELECT hour_ns FROM pruned_hours")["hour_ns"]
        self.has_links = bool(read(connection, "SELECT count(*) > 0 FROM links").item())

    def numbered(self, batch: Batch) -> pl.DataFrame:
        """Return the spans of `batch` with the ids of the store; new rows are inserted."""
        spans = SPANS.conform(batch.spans)
        return spans.with_columns(
            _translated(spans["operation_id"], self._operations.store_ids(batch.operations)),
            _translated(spans["resource_id"], self._resources.store_ids(batch.resources)),
        )

    def with_content_order(self, spans: pl.DataFrame) -> pl.DataFrame:
        """Add ``operation_order`` and ``resource_order``, which depend on content alone."""
        return spans.with_columns(
            operation_order=self._operations.content_order(spans["operation_id"]),
            resource_order=self._resources.content_order(spans["resource_id"]),
        )

    def renamed(self) -> pl.DataFrame:
        """Return ``resource_id`` of the resources whose service got another name since last time.

        That happens when a service's name turns up in a second namespace or environment.
        """
        before = self._services
        if before.height < len(self._resources):
            self._services = self._named()
            self._is_answered_otherwise = True
        names = before.join(self._services, on="resource_id", suffix="_now")
        other = pl.col("service") != pl.col("service_now")
        alike = pl.col("service_now").n_unique().over("service") == 1
        self.moves = names.filter(other & alike).select("service", "service_now").unique()
        return names.filter(other).select("resource_id")

    def learn_rpc_services(self, last_file_id: int) -> None:
        """Learn from the files after `files` who answers which RPC service."""
        if learn_rpc_services(self._connection, self.files + 1, last_file_id):
            self._is_answered_otherwise = True

    def recalled(self) -> pl.DataFrame:
        """Return ``operation_id`` of the operations whose peer got another name since last time.

        That happens when a database's name turns up on a second server, and when it turns out who
        answers an RPC service, to be asked after `renamed` and `learn_rpc_services`.
        """
        before = self._peers
        if self._is_answered_otherwise or before.height < len(self._operations):
            self._peers = self._called()
        self._is_answered_otherwise = False
        return before.join(self._peers, on=["operation_id", "peer"], how="anti").select(
            "operation_id"
        )

    def _called(self) -> pl.DataFrame:
        return read(self._connection, "SELECT operation_id, peer FROM peers")

    def _named(self) -> pl.DataFrame:
        return read(self._connection, "SELECT resource_id, service FROM services")


def _translated(local: pl.Series, ids: pl.DataFrame) -> pl.Series:
    """Return the ids of the store in place of a batch's own, which are small numbers."""
    numbers = ids["local"].to_numpy()
    stored = np.empty(numbers.max(initial=-1) + 1, np.int32)
    stored[numbers] = ids["stored"].to_numpy()
    return pl.Series(local.name, stored[local.to_numpy()])
