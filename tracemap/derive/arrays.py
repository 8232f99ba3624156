"""The types of the arrays that kernels work on."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracemap.compiled import kernel as kernel  # noqa: PLC0414  (kernels have it from here)

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
