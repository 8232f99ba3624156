"""Machine code made of kernels, by numba."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from tracemap.ingest.kernels import machine
from tracemap.ingest.kernels.loading import Code, Kernel, is_checked, target_machine

_types: Any = types
_compiler: Any = numba.njit
_WORD = ir.IntType(64)
_BUFFERS = {
    "Bytes": _types.uint8,
    "Ints": _types.int64,
    "Words": _types.uint64,
    "Doubles": _types.float64,
}
_CALLED = re.compile(r'(?:call|invoke) [^@\n]*@"?([^\s"(]+)')
_OF_C = {"memcpy", "memmove", "memset"}
_KEPT: list[object] = []


def compiled(kernel: Kernel) -> tuple[int, Code | None]:
    """Return a kernel as machine code.

    If it calls functions of numba's own, it cannot be kept by itself: then where it is in memory,
    and None.
    """
    _link()
    given = [
        _types.CPointer(_BUFFERS[each]) if each in _BUFFERS else _types.int64
        for each in kernel.parameters
    ]
    made = _part(kernel.function)
    made.compile(tuple(given))
    (found,) = made.overloads.values()
    symbol = found.fndesc.mangled_name
    _KEPT.append(made)
    written = made.inspect_llvm(made.signatures[0])
    module = binding.parse_assembly(written)
    defined = {each.name for each in module.functions if not each.is_declaration}
    foreign = set(_CALLED.findall(written)) - defined - _OF_C
    if any(not name.startswith("llvm.") for name in foreign):
        return found.library.get_pointer_to_function(symbol), None
    return 0, Code(symbol, target_machine().emit_object(module))


def checked(kernel: Kernel) -> Callable[..., int | None]:
    """Return a kernel that works on arrays and checks every index."""
    _link()
    made = _compiler(nogil=True, error_model="numpy")(kernel.function)

    def run(*arguments: Any) -> int | None:  # noqa: ANN401
        flat = [each.reshape(-1) if hasattr(each, "reshape") else each for each in arguments]
        found: int | None = made(*flat)
        return found

    return run


@cache
def _link() -> None:
    """Put what numba compiles in the place of steps and primitives, wherever these are named."""
    made = {id(plain): written for plain, written in _primitives().items()}
    for plain, inlined in machine.STEPS.items():
        made[id(plain)] = _part(plain, **({"inline": "always"} if inlined else {}))
    for names in machine.modules():
        names.update({name: made[id(each)] for name, each in names.items() if id(each) in made})


def _part(function: Callable[..., Any], **options: Any) -> Any:  # noqa: ANN401
    """Return a function that kernels can call, compiled once for each combination of types."""
    part = _compiler(
        nogil=True,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        **options,
    )(function)
    resolve = part.get_call_template

    def resolve_types(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:  # noqa: ANN401
        return resolve(tuple(_types.unliteral(each) for each in arguments), keywords)

    part.get_call_template = resolve_types
    return part


def _primitives() -> dict[Callable[..., Any], Any]:
    """Return what stands for `machine.PRIMITIVES` in kernels.

    With ``NUMBA_BOUNDSCHECK=1`` buffers are arrays, and every index is checked: for hunting what
    reads or writes outside of one.
    """
    return {
        machine.load: _part(_checked_load) if is_checked() else _load,
        machine.store: _part(_checked_store) if is_checked() else _store,
        machine.trailing_bytes: _trailing_bytes,
        machine.swapped: _swapped,
        machine.float_of: _float_of,
        machine.apart: _apart,
    }


def _written(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which writes machine code, as something kernels can call."""
    made: Callable[..., Any] = intrinsic(function)
    return made


@_written
def _pointer(_typing: Any, array: Any) -> Any:  # noqa: ANN401
    """Return where an array's elements lie."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return _types.CPointer(array.dtype)(array), codegen


def _word_pointer(builder: Any, pointer_value: Any, index: Any) -> Any:  # noqa: ANN401
    return builder.bitcast(builder.gep(pointer_value, [index]), _WORD.as_pointer())


@_written
def _load(_typing: Any, data: Any, index: Any) -> Any:  # noqa: ANN401
    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        word = builder.load(_word_pointer(builder, arguments[0], arguments[1]))
        word.align = 1
        return word

    return types.uint64(data, types.intp), codegen


@_written
def _store(_typing: Any, data: Any, index: Any, word: Any) -> Any:  # noqa: ANN401
    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        target = _word_pointer(builder, arguments[0], arguments[1])
        builder.store(arguments[2], target).align = 1
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), codegen


@_written
def _trailing_bytes(_typing: Any, mask: Any) -> Any:  # noqa: ANN401
    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        zeros = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.lshr(zeros, ir.Constant(_WORD, 3))

    return types.int64(types.uint64), codegen


@_written
def _swapped(_typing: Any, word: Any) -> Any:  # noqa: ANN401
    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), codegen


@_written
def _float_of(_typing: Any, bits: Any) -> Any:  # noqa: ANN401
    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen


@_written
def _apart(_typing: Any) -> Any:  # noqa: ANN401
    def codegen(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:  # noqa: ANN401
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


def _checked_load(data: Any, index: int) -> Any:  # noqa: ANN401
    if index < 0 or index + 8 > data.size:
        raise IndexError("eight bytes outside of a buffer are read")
    return _load(_pointer(data), index)


def _checked_store(data: Any, index: int, word: Any) -> None:  # noqa: ANN401
    if index < 0 or index + 8 > data.size:
        raise IndexError("eight bytes outside of a buffer are written")
    _store(_pointer(data), index, word)
