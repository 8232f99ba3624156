"""What types the columns of a table must have to be read: a footer may say anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pyarrow as pa

Shape: TypeAlias = "Callable[[pa.DataType], bool] | dict[str, Shape] | list[Shape]"
"""A test of a plain type; of a struct its fields, those that may be missing with a question mark
behind the name; of a list the shape of its elements."""


def text(kind: pa.DataType) -> bool:
    """Return whether a column holds text or bytes, or nothing."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_null(kind)
    )


def whole(kind: pa.DataType) -> bool:
    """Return whether a column holds whole numbers."""
    return bool(pa.types.is_integer(kind))


def double(kind: pa.DataType) -> bool:
    """Return whether a column holds doubles."""
    return bool(pa.types.is_float64(kind))


def truth(kind: pa.DataType) -> bool:
    """Return whether a column holds booleans."""
    return bool(pa.types.is_boolean(kind))


def time(kind: pa.DataType) -> bool:
    """Return whether a column holds times: as such, as nanoseconds, or as text."""
    return bool(pa.types.is_timestamp(kind) or whole(kind) or text(kind))


def name_or_number(kind: pa.DataType) -> bool:
    """Return whether a column holds names or numbers of names."""
    return text(kind) or whole(kind)


def attributes(kind: pa.DataType) -> bool:
    """Return whether a column holds maps of text, or objects in text."""
    if pa.types.is_map(kind):
        return text(kind.key_type) and text(kind.item_type)
    return text(kind)


def spare(kind: pa.DataType) -> bool:
    """Return whether all that a struct holds, at any depth, is plain or a list of plain values."""
    if pa.types.is_struct(kind):
        return all(spare(field.type) for field in kind)
    if pa.types.is_list(kind):
        kind = kind.value_type
    return text(kind) or whole(kind) or double(kind) or truth(kind)


def fits(kind: pa.DataType, shape: Shape) -> bool:
    """Return whether a type is of a shape."""
    if isinstance(shape, list):
        is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        return bool(is_list) and fits(kind.value_type, shape[0])
    if isinstance(shape, dict):
        return bool(pa.types.is_struct(kind)) and all(
            _field_fits(kind, name, each) for name, each in shape.items()
        )
    return shape(kind)


def _field_fits(kind: pa.DataType, name: str, shape: Shape) -> bool:
    plain = name.removesuffix("?")
    named = [field for field in kind if field.name == plain]
    if not named:
        return plain != name
    return len(named) == 1 and fits(named[0].type, shape)
