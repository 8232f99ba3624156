"""How kernels are compiled, the types of their arrays, and grouping rows of integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Bytes: TypeAlias = NDArray[np.uint8]
Codes: TypeAlias = NDArray[np.int32]
"""Codes of texts, numbers of steps."""
Rows: TypeAlias = NDArray[np.signedinteger[Any]]
"""Numbers of spans; -1: none."""
Ints: TypeAlias = NDArray[np.int64]
"""Times and durations in ns, sums."""
Weights: TypeAlias = NDArray[np.float64]
"""How many spans, or requests, one stands for."""
Ids: TypeAlias = NDArray[np.uint64]
"""Span ids, hashes."""

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Return `function` compiled: it works on arrays, without Python's lock, and is cached.

    The cache knows only the file that the kernel itself stands in: after an edit to a kernel it
    calls from another file, remove ``__pycache__``.
    """
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
