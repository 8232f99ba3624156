"""Eight bytes at a time: unaligned loads and stores, and what kernels are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from tracemap.compiled import kernel as kernel  # noqa: PLC0414  (kernels have it from here)

Function = TypeVar("Function", bound=Callable[..., Any])
_compiler: Any = numba.njit
_types: Any = types
_WORD = ir.IntType(64)

signed = cast("Callable[[Any], int]", np.int64)
"""A number of any sort as Int64; inside a kernel all whole numbers are that or UInt64."""

SLACK = 64
"""Zero bytes that must follow the last byte of every buffer a kernel reads or writes."""


def _primitive(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which writes machine code, as something kernels can call."""
    made: Callable[..., Any] = intrinsic(function)
    return made


def step(function: Function) -> Function:
    """Return `function` compiled as a part of a kernel: it can be called from there only.

    It is compiled once for each combination of argument types. Left to itself the compiler would
    do so for each combination of constants as well, which takes three times as long.
    """
    return _part(function)


def inlined(function: Function) -> Function:
    """Return `function` as a part of the one step that calls it, without code of its own.

    Each step is compiled together with all the steps below it, so a long chain of calls above the
    large steps would compile these many times over.
    """
    return _part(function, inline="always")


def _part(function: Function, **options: Any) -> Function:  # noqa: ANN401
    compiled = _compiler(
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        **options,
    )(function)
    resolve = compiled.get_call_template

    def resolve_types(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:  # noqa: ANN401
        return resolve(tuple(_types.unliteral(each) for each in arguments), keywords)

    compiled.get_call_template = resolve_types
    return cast("Function", compiled)


@_primitive
def _pointer(_typing: Any, array: Any) -> Any:  # noqa: ANN401
    """Return where an array's elements lie."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return _types.CPointer(array.dtype)(array), codegen


def _word_pointer(builder: Any, pointer_value: Any, index: Any) -> Any:  # noqa: ANN401
    return builder.bitcast(builder.gep(pointer_value, [index]), _WORD.as_pointer())


@_primitive
def _load(_typing: Any, data: Any, index: Any) -> Any:  # noqa: ANN401
    """Return the eight bytes that start at ``data[index]``."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        word = builder.load(_word_pointer(builder, arguments[0], arguments[1]))
        word.align = 1
        return word

    return types.uint64(data, types.intp), codegen


@_primitive
def _store(_typing: Any, data: Any, index: Any, word: Any) -> Any:  # noqa: ANN401
    """Write eight bytes from ``data[index]`` on."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        target = _word_pointer(builder, arguments[0], arguments[1])
        builder.store(arguments[2], target).align = 1
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), codegen


@_primitive
def trailing_bytes(_typing: Any, mask: Any) -> Any:  # noqa: ANN401
    """Return how many whole zero bytes come before the lowest set bit of `mask` (not 0)."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        zeros = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.lshr(zeros, ir.Constant(_WORD, 3))

    return types.int64(types.uint64), codegen


@_primitive
def swapped(_typing: Any, word: Any) -> Any:  # noqa: ANN401
    """Return the eight bytes of `word` in the opposite order."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), codegen


@_primitive
def float_of(_typing: Any, bits: Any) -> Any:  # noqa: ANN401
    """Return the double that is stored as the 64 bits of a whole number."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@_primitive
def apart(_typing: Any) -> Any:  # noqa: ANN401
    """Keep the step that calls this from being inlined: there is far less to compile."""

    def codegen(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:  # noqa: ANN401
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


def _flat(array: Any) -> Any:  # noqa: ANN401
    return array.reshape(-1)


def _checked_load(data: Any, index: int) -> Any:  # noqa: ANN401
    if index < 0 or index + 8 > data.size:
        raise IndexError("eight bytes outside of a buffer are read")
    return _load(_pointer(data), index)


def _checked_store(data: Any, index: int, word: Any) -> None:  # noqa: ANN401
    if index < 0 or index + 8 > data.size:
        raise IndexError("eight bytes outside of a buffer are written")
    _store(_pointer(data), index, word)


_settings: Any = numba.config
_CHECKED = bool(_settings.BOUNDSCHECK)

pointer: Callable[[Any], Any] = _part(_flat) if _CHECKED else _pointer
"""Return where an array's elements lie, to be indexed like the array made flat.

Inside the kernels only such pointers are passed on: a call costs one register for each
instead of seven, nothing is counted, and an index is never taken to be from the end. That
makes them some three times faster, and quicker to compile.

With ``NUMBA_BOUNDSCHECK=1`` they are arrays, and every index is checked: for hunting what reads or
writes outside of a buffer (CONTRIBUTING.md). What was compiled before does not know of that, so
``NUMBA_CACHE_DIR`` has to name an empty folder then.
"""

load: Callable[[Any, Any], Any] = _part(_checked_load) if _CHECKED else _load
"""Return the eight bytes that start at ``data[index]`` as a little-endian UInt64."""

store: Callable[[Any, Any, Any], None] = _part(_checked_store) if _CHECKED else _store
"""Write the eight bytes of `word` from ``data[index]`` on."""
