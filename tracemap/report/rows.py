"""Findings as rows of plain values: what JSON, ``--format json`` and every table start from.

The keys of origins, propagation, edges and spikes are a public interface; new keys may be added,
none may change its meaning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from tracemap.model import FILES, FINDINGS, PATHS, SKEW, TRACE, USER, WHATIF, iso

Row = dict[str, Any]

_TABLES = {
    **FINDINGS,
    "files": FILES,
    "paths": PATHS,
    "skew": SKEW,
    "trace": TRACE,
    "whatif": WHATIF,
}
_EPOCH = "ns since the epoch"
_TIMES = frozenset(
    column.name for table in _TABLES.values() for column in table.columns if column.unit == _EPOCH
)
_IDS = ("path_id", "parent_path_id")
_ENDS = ("downstream", "upstream")
_OWNED = ("edges", "drift")


def rows(name: str, frame: pl.DataFrame, owners: Mapping[str, str] | None = None) -> list[Row]:
    """Return a finding's rows as plain values, in the order of `frame`.

    Durations ``*_ns`` become ``*_ms``; times become ISO-8601 in UTC and lose the ``_ns``; ids of
    paths become 16 hex digits; what is not a number becomes None. In ``origins`` and ``spikes``
    the two ends of an edge become one key ``edge`` ({downstream, upstream} or None).

    Args:
        name: Name of the finding (``edges``); any other table is taken as it is.
        frame: Its rows.
        owners: Owner by node: rows of ``edges`` and ``drift`` get those of both ends as
            ``downstream_owner`` and ``upstream_owner``, None where unknown. None: no such keys.
    """
    made = [
        {_key(key): _value(key, value) for key, value in row.items()} for row in frame.to_dicts()
    ]
    reshape = {"origins": _origin, "spikes": _spike}.get(name)
    made = [reshape(row) for row in made] if reshape else made
    return made if owners is None or name not in _OWNED else _with_owners(made, owners)


def _with_owners(edges: list[Row], owners: Mapping[str, str]) -> list[Row]:
    known = {name: owner for name, owner in owners.items() if owner and name != USER}
    return [{**row, **{f"{end}_owner": known.get(row[end]) for end in _ENDS}} for row in edges]


def _key(column: str) -> str:
    if column in _TIMES:
        return column.removesuffix("_ns")
    return f"{column.removesuffix('_ns')}_ms" if column.endswith("_ns") else column


def _value(column: str, value: Any) -> Any:  # noqa: ANN401
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if column in _TIMES:
        return iso(value)
    if column.endswith("_ns"):
        return [each / 1e6 for each in value] if isinstance(value, list) else value / 1e6
    return f"{value:016x}" if column in _IDS else value


def _origin(row: Row) -> Row:
    downstream, upstream = row.pop("edge_downstream", None), row.pop("edge_upstream", None)
    edge = None
    if downstream is not None and upstream is not None:
        edge = {"downstream": downstream, "upstream": upstream}
    at = list(row).index("cause") + 1 if "cause" in row else len(row)
    items = list(row.items())
    return dict([*items[:at], ("edge", edge), *items[at:]])


def _spike(row: Row) -> Row:
    downstream = row.pop("downstream", "")
    edge = {"downstream": downstream, "upstream": row["service"]} if downstream else None
    at = list(row).index("operation") + 1
    items = list(row.items())
    return dict([*items[:at], ("edge", edge), *items[at:]])
