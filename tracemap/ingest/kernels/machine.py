"""What kernels are made of: steps, and eight bytes at a time.

Kernels and their steps are written as Python functions of integers and buffers. `compiling` makes
machine code of them at their very first use, `loading` loads it from then on; until then they are
what they look like, and importing them costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from tracemap.ingest.kernels.loading import Kernel

Function = TypeVar("Function", bound=Callable[..., Any])

signed = cast("Callable[[Any], int]", np.int64)
"""A number of any sort as Int64; inside a kernel all whole numbers are that or UInt64."""

SLACK = 64
"""Zero bytes that must follow the last byte of every buffer a kernel reads or writes."""

STEPS: dict[Callable[..., Any], bool] = {}
"""Every function that is a part of kernels; whether it is `inlined`."""
_MASK = (1 << 64) - 1


def kernel(function: Function) -> Function:
    """Return `function` as a kernel: compiled, to be called with arrays from Python, no lock held.

    What its parameters are is read from their annotations: ``Bytes``, ``Ints``, ``Words`` and
    ``Doubles`` are where an array's elements lie, to be indexed like the array made flat; ``int``
    and ``bool`` are Int64. It returns an ``int`` or nothing. Nothing is counted, and an index is
    never taken to be from the end: what has to be known of an array's size is passed beside it.
    """
    return cast("Function", Kernel(function))


def step(function: Function) -> Function:
    """Return `function` as a part of a kernel: it can be called from there only.

    It is compiled once for each combination of argument types. Left to itself the compiler would
    do so for each combination of constants as well, which takes three times as long.
    """
    STEPS[function] = False
    return function


def inlined(function: Function) -> Function:
    """Return `function` as a part of the one step that calls it, without code of its own.

    Each step is compiled together with all the steps below it, so a long chain of calls above the
    large steps would compile these many times over.
    """
    STEPS[function] = True
    return function


def load(data: Any, index: Any) -> Any:  # noqa: ANN401
    """Return the eight bytes from ``data[index]`` on as a little-endian UInt64."""
    return np.uint64(int.from_bytes(bytes(data[index : index + 8]), "little"))


def store(data: Any, index: Any, word: Any) -> None:  # noqa: ANN401
    """Write the eight bytes of `word` from ``data[index]`` on."""
    data[index : index + 8] = np.frombuffer(int(word).to_bytes(8, "little"), np.uint8)


def trailing_bytes(mask: Any) -> Any:  # noqa: ANN401
    """Return how many whole zero bytes come before the lowest set bit of `mask` (not 0)."""
    return ((int(mask) & -int(mask)).bit_length() - 1) // 8


def swapped(word: Any) -> Any:  # noqa: ANN401
    """Return the eight bytes of `word` in the opposite order."""
    return np.uint64(int.from_bytes(int(word).to_bytes(8, "little"), "big"))


def float_of(bits: Any) -> Any:  # noqa: ANN401
    """Return the double that is stored as the 64 bits of a whole number."""
    return np.uint64(int(bits) & _MASK).view(np.float64)


def apart() -> None:
    """Keep the step that calls this from being inlined: there is far less to compile."""


PRIMITIVES = (load, store, trailing_bytes, swapped, float_of, apart)
"""What `compiling` writes as machine code itself."""


def modules() -> list[dict[str, Any]]:
    """Return the names in each module of the kernels that is imported."""
    package = __name__.rpartition(".")[0]
    found = [name for name in sys.modules if name.startswith(f"{package}.")]
    return [vars(sys.modules[name]) for name in found]
