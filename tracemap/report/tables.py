"""Tables of the view model out of rows of findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tracemap.report.blocks import Column, TableBlock, Value
from tracemap.report.names import shown
from tracemap.report.rows import Row

DOWNSTREAM = Column("downstream", "Downstream", "name")
UPSTREAM = Column("upstream", "Upstream", "name")
SERVICE = Column("service", "Service", "name")
OPERATION = Column("operation", "Operation", "name")
CALLS = Column("calls", "Calls", "count", "calls")
DOWNSTREAM_OWNER = Column("downstream_owner", "Downstream's owner", "name", "owner", is_extra=True)
UPSTREAM_OWNER = Column("upstream_owner", "Upstream's owner", "name", "owner", is_extra=True)


def table(
    id_: str, caption: str, columns: Sequence[Column], rows: Iterable[Row], *, folded: bool = False
) -> TableBlock:
    """Return the table with those columns of `rows`; a key that a row lacks is unknown."""
    made = tuple(
        tuple(_value(row.get(column.key), column.kind) for column in columns) for row in rows
    )
    return TableBlock(id_, caption, tuple(columns), made, folded)


def _value(value: Any, kind: str) -> Value:  # noqa: ANN401
    if isinstance(value, list | tuple):
        return tuple(shown(str(item)) for item in value)
    if isinstance(value, str):
        return value if kind == "time" else shown(value)
    if value is None or isinstance(value, int | float):
        return value
    return shown(str(value))
