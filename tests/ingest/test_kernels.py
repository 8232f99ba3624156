"""Kernels as machine code: kept, loaded again, compiled anew when what was kept is no good."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tracemap import compiled
from tracemap.ingest.kernels import loading
from tracemap.ingest.kernels.bounds import line_bounds
from tracemap.ingest.kernels.loading import Code, Kernel
from tracemap.ingest.kernels.machine import PRIMITIVES, SLACK

LINES = np.frombuffer(b"a\nbc\n" + bytes(SLACK), np.uint8)


def found_lines(kernel: Kernel) -> list[list[int]]:
    bounds = np.zeros((5, 2), np.int64)
    found = kernel(LINES, 5, bounds)
    lines: list[list[int]] = bounds[:found].tolist()
    return lines


def anew() -> Kernel:
    """Return a kernel that has not been called yet."""
    assert isinstance(line_bounds, Kernel)
    return Kernel(line_bounds.function)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which kernels are kept."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_a_kernel_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second process only loads it."""
    assert found_lines(anew()) == [[0, 1], [2, 4]]
    (kept,) = folder.iterdir()
    monkeypatch.setattr(loading, "_compiling", lambda: pytest.fail("compiled again"))

    assert kept.name.startswith("bounds.line_bounds.")
    assert found_lines(anew()) == [[0, 1], [2, 4]]


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_damaged_kernel_is_compiled_anew(folder: Path, left: int) -> None:
    """What a crash left half written is never run."""
    found_lines(anew())
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:left])
    assert Code.unpacked(kept.read_bytes()) is None

    assert found_lines(anew()) == [[0, 1], [2, 4]]
    assert Code.unpacked(kept.read_bytes()) is not None


def test_a_kernel_works_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only installation and no home: then each process compiles, and says so."""
    monkeypatch.setattr(compiled, "_lost", [])
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "below"))

    assert found_lines(anew()) == [[0, 1], [2, 4]]
    assert not compiled.are_kept()


@pytest.mark.parametrize("wrong", [LINES.view(np.int8), LINES[::2]])
def test_an_array_of_another_shape_is_turned_down(wrong: np.ndarray) -> None:
    """A kernel would read what lies beside it."""
    with pytest.raises(TypeError):
        line_bounds(wrong, 5, np.zeros((5, 2), np.int64))


def test_a_kernel_that_is_kept_needs_no_compiler() -> None:
    """Importing numba takes longer than most files do."""
    program = """
import sys
from tests.ingest.writers import json_line, reading, traces
list(reading(json_line(traces({}))).batches())
assert "numba" not in sys.modules
"""
    for _ in range(2):  # at the first time it may have to compile
        done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 0


def test_primitives_say_in_python_what_they_do_as_machine_code() -> None:
    """A step can be read, and run, as what it is written as."""
    load, store, trailing_bytes, swapped, float_of, _ = PRIMITIVES
    data = np.frombuffer(bytes(range(1, 10)), np.uint8).copy()

    assert load(data, 1) == 0x0908070605040302
    assert swapped(load(data, 1)) == 0x0203040506070809
    assert trailing_bytes(np.uint64(0x00FF_0000)) == 2
    assert float_of(0x3FF0_0000_0000_0000) == 1.0
    store(data, 0, np.uint64(0x0807060504030201) ^ np.uint64(0xFF))
    assert data.tolist() == [254, 2, 3, 4, 5, 6, 7, 8, 9]
