"""Kernels that cannot be kept work all the same."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from tracemap import compiled
from tracemap.cli.progress import progress_line


def doubled(values: object) -> object:
    return values + values  # type: ignore[operator]


def test_nowhere_to_keep_a_kernel(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a read-only container without a home: it is compiled each time, and that is said."""
    monkeypatch.setattr(compiled, "_lost", [])
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "ZipCacheLocator", raising=False)

    assert compiled.kernel(doubled)(np.arange(3)).tolist() == [0, 2, 4]  # type: ignore[attr-defined]
    assert not compiled.are_kept()
    with progress_line():
        pass
    assert "set NUMBA_CACHE_DIR" in capsys.readouterr().err


def test_a_kernel_is_kept_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said then."""
    monkeypatch.setattr(compiled, "_lost", [])
    compiled.kernel(doubled)

    assert compiled.are_kept()
