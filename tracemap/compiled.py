"""Kernels: functions over arrays that are compiled when they are first called, and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_lost: list[str] = []


def kernel(function: Function) -> Function:
    """Return `function` compiled: it works on arrays, without Python's lock, and is kept.

    It is kept beside its file, or in the account's cache folder, or in ``NUMBA_CACHE_DIR``. Where
    none of them may be written, every process compiles it again; `are_kept` knows then.

    What is kept is known by the file that the kernel itself stands in: after an edit to a function
    it calls from another file, remove ``__pycache__``.
    """
    import numba  # noqa: PLC0415  (takes a while, and most commands compile nothing)

    try:
        compiled = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        note_lost(function.__name__)
        compiled = numba.njit(**_OPTIONS)(function)
    return cast("Function", compiled)


def note_lost(name: str) -> None:
    """Note that a kernel could not be kept."""
    _lost.append(name)


def are_kept() -> bool:
    """Return whether all kernels that were needed so far are kept for the next process."""
    return not _lost
