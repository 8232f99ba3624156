"""Distinct operations and types of errors of one batch, from what `intern` numbered."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from tracemap.ingest.kernels.interning import FROM_HTTP_STATUS, FROM_RPC_STATUS
from tracemap.ingest.kernels.layout import FIRST_SLOT, KIND, SIGNATURE_SLOTS, SLOTS, Ints
from tracemap.ingest.signatures import Meaning, meaning
from tracemap.ingest.texts import Texts
from tracemap.model import OPERATIONS, Quality

_GRPC_STATUS = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip

_FIRST_HTTP_ERROR = 400

_HAS_DIGIT = r"[0-9]"
# As in `kernels.paths`: what names one thing among many, here inside a span's name.
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_LONG_HEX = r"\b(?:[0-9]+[a-fA-F]|[a-fA-F]+[0-9])[0-9a-fA-F]{6,}\b"
_NUMBER_SEGMENT = r"(^|[/ :=#])[0-9]+($|[/ ?&])"


def meanings(spans: Ints, signatures: Ints, texts: Texts) -> list[Meaning]:
    """Return what each signature means; `signatures` holds the first row of each."""
    rows = spans.reshape(-1)[signatures[:, None] + range(FIRST_SLOT, FIRST_SLOT + SIGNATURE_SLOTS)]
    said: list[list[tuple[str, str]]] = [[] for _ in signatures]
    numbers, slots = rows.nonzero()
    strings = texts.gather(rows[numbers, slots]).to_pylist()
    for number, slot, text in zip(numbers.tolist(), slots.tolist(), strings, strict=True):
        said[number].append((SLOTS[slot], text))
    kinds = spans.reshape(-1)[signatures + KIND].tolist()
    return [_meaning(kind, tuple(each)) for kind, each in zip(kinds, said, strict=True)]


@lru_cache(maxsize=20_000)
def _meaning(kind: int, said: tuple[tuple[str, str], ...]) -> Meaning:
    """Return what a signature means; the same ones come up in every block of a file."""
    return meaning(kind, dict(said))


def _templated(name: pl.Expr) -> pl.Expr:
    """Return span names with ``{id}`` in place of UUIDs, long hex words and bare numbers."""
    plain = name.str.replace_all(_UUID, "{id}").str.replace_all(_LONG_HEX, "{id}")
    # Twice, as neighbouring segments share the slash between them.
    for _ in range(2):
        plain = plain.str.replace_all(_NUMBER_SEGMENT, "${1}{id}${2}")
    return plain


def operations(
    spans: Ints, signatures: Ints, numbered: Ints, texts: Texts
) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """Return the distinct operations of a batch.

    Returns:
        The table, as `model.OPERATIONS`; for each numbered operation its ``operation_id`` (several
        may mean the same); and for each the bit of `Quality` that its spans get.
    """
    found = meanings(spans, signatures, texts)
    kinds = spans.reshape(-1)[signatures + KIND]
    meant = (
        pl.DataFrame(found, schema=[*Meaning._fields], orient="row")
        if found
        else pl.DataFrame(
            schema={**dict.fromkeys(Meaning._fields, pl.String), "templated": pl.Boolean()}
        )
    )
    signature = pl.Series(numbered[:, 0])
    name = pl.Series("name", texts.gather(numbered[:, 1]))
    scope = pl.Series("scope", texts.gather(numbered[:, 2]))
    frame = meant.with_columns(pl.Series("kind", kinds))[signature].with_columns(name, scope)
    said = pl.col("operation") != ""
    has_digit = pl.col("name").str.contains(_HAS_DIGIT)
    plain = pl.when(has_digit).then(_templated(pl.col("name"))).otherwise(pl.col("name"))
    frame = frame.with_columns(
        operation=pl.when(said).then("operation").otherwise(plain),
        templated=pl.when(said).then("templated").otherwise(plain != pl.col("name")),
    )
    columns = [column for column in OPERATIONS.schema if column != "operation_id"]
    distinct = frame.select(columns).unique(maintain_order=True).with_row_index("operation_id")
    ids = frame.select(columns).join(
        distinct, on=columns, how="left", maintain_order="left", nulls_equal=True
    )["operation_id"]
    bits = frame["templated"].cast(pl.Int64) * int(Quality.OPERATION_TEMPLATED)
    return OPERATIONS.conform(distinct), ids.cast(pl.Int32), bits


def error_types(errors: Ints, texts: Texts) -> pl.Series:
    """Return the class of each distinct error.

    ``error.type`` or the type of the first exception; for spans with status ERROR that have
    neither, the name of the RPC status (not OK), or the HTTP status from 400 on.
    """
    said = texts.gather(errors[:, 1]).to_pylist()
    names = []
    for origin, text in zip(errors[:, 0].tolist(), said, strict=True):
        name: str | None = text
        if origin == FROM_RPC_STATUS:
            if text.isdecimal() and int(text) < len(_GRPC_STATUS):
                name = _GRPC_STATUS[int(text)]
            name = None if name == "OK" else name
        elif origin == FROM_HTTP_STATUS and not (
            text.isdecimal() and int(text) >= _FIRST_HTTP_ERROR
        ):
            name = None
        names.append(name)
    return pl.Series(names, dtype=pl.String)
