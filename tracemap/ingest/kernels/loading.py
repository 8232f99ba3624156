"""Kernels as machine code: loaded from where it was kept, compiled where there is none.

numba keeps what it compiled as well, but has to be imported and made ready to load it again, which
takes longer than reading a file of a hundred thousand spans. Machine code by itself needs
only its loader. It is kept by the contents of all kernels, the versions of the compiler and
the processor, so an edit anywhere is noticed.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, update_wrapper
from importlib.metadata import version
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import xxhash

from tracemap.compiled import note_lost

BUFFERS = {"Bytes": np.uint8, "Ints": np.int64, "Words": np.uint64, "Doubles": np.float64}
"""What an annotation of a parameter says about the elements of an array."""
SUFFIX = ".kernel"
_DIGEST_BYTES = 16
_LOCK = RLock()
_KEPT: list[object] = []


@dataclass(frozen=True)
class Code:
    """Machine code: an object file, and the name of the function in it."""

    symbol: str
    image: bytes

    def packed(self) -> bytes:
        """Return it as it is kept, behind a hash of itself."""
        packed = self.symbol.encode() + b"\n" + self.image
        return xxhash.xxh3_128_digest(packed) + packed

    @staticmethod
    def unpacked(raw: bytes) -> Code | None:
        """Return what was kept; None: it is damaged."""
        packed = raw[_DIGEST_BYTES:]
        if xxhash.xxh3_128_digest(packed) != raw[:_DIGEST_BYTES]:
            return None
        symbol, _, image = packed.partition(b"\n")
        return Code(symbol.decode(), image)


class Kernel:
    """A function that runs as machine code, from its first call on.

    Args:
        function: What it does, in Python.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.function = function
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        types = dict(function.__annotations__)
        self.returns = types.pop("return") != "None"
        self.parameters = tuple(types.values())
        self._buffers: tuple[Any, ...] = tuple(map(BUFFERS.get, self.parameters))
        self._ready: Callable[..., int | None] | None = None

    def __call__(self, *arguments: Any) -> int | None:  # noqa: ANN401
        """Run it.

        Raises:
            TypeError: If an array is not of the type that the parameter says, or not in one piece.
        """
        ready = self._ready or self._made_ready()
        return ready(*arguments)

    def _made_ready(self) -> Callable[..., int | None]:
        with _LOCK:
            if self._ready is None:
                if is_checked():
                    self._ready = _compiling().checked(self)
                else:
                    self._ready = self._native(_address(self))
            return self._ready

    def _native(self, address: int) -> Callable[..., int | None]:
        types = [ctypes.c_void_p if each else ctypes.c_int64 for each in self._buffers]
        # As numba compiles it: room for the result and for an error come first.
        function = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, *types)(address)

        def run(*arguments: Any) -> int | None:  # noqa: ANN401
            result, error = ctypes.c_int64(), ctypes.c_void_p()
            passed = map(_passed, self._buffers, arguments)
            if function(ctypes.byref(result), ctypes.byref(error), *passed):
                raise RuntimeError(self.name)
            return result.value if self.returns else None

        return run


def _passed(buffer: Any, argument: Any) -> int:  # noqa: ANN401
    if buffer is None:
        return int(argument)
    if argument.dtype != buffer or not argument.flags.c_contiguous:
        raise TypeError(argument.dtype, argument.strides)
    address: int = argument.ctypes.data
    return address


def is_checked() -> bool:
    """Return whether every index is to be checked (``NUMBA_BOUNDSCHECK=1``, CONTRIBUTING.md)."""
    return os.environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0")


def _compiling() -> Any:  # noqa: ANN401
    from tracemap.ingest.kernels import compiling  # noqa: PLC0415  (needed once only, and large)

    return compiling


def _address(kernel: Kernel) -> int:
    """Return where a kernel is in memory."""
    name = f"{kernel.name}.{_key()}{SUFFIX}"
    code = next(_found(name), None)
    if code is not None:
        return _loaded(code)
    address, made = _compiling().compiled(kernel)
    if made is not None:
        _keep(name, made)
        return _loaded(made)
    found: int = address
    return found


def _folders() -> list[Path]:
    """Return where machine code may be kept, best first."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return [Path(given)]
    own = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    folders = [Path(__file__).parent / "__pycache__"]
    with suppress(RuntimeError):  # nobody's home
        folders.append((Path(own) if own else Path.home() / ".cache") / "tracemap")
    return folders


def _found(name: str) -> Iterator[Code]:
    for folder in _folders():
        with suppress(OSError):
            code = Code.unpacked((folder / name).read_bytes())
            if code is not None:
                yield code


def _keep(name: str, code: Code) -> None:
    """Keep machine code in the first folder that can be written, whole or not at all."""
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(code.packed())
            Path(file.name).chmod(0o644)  # others may use the same installation
            Path(file.name).replace(folder / name)
        except OSError:
            continue
        return
    note_lost(name)


@cache
def _key() -> str:
    """Return what machine code depends on, as a hash."""
    llvm = _llvm()
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    digest = xxhash.xxh3_64(" ".join((version("numba"), version("llvmlite"), *processor)).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    key: str = digest.hexdigest()
    return key


@cache
def _llvm() -> Any:  # noqa: ANN401
    import llvmlite.binding  # type: ignore[import-untyped]  # noqa: PLC0415

    llvmlite.binding.initialize_native_target()
    llvmlite.binding.initialize_native_asmprinter()
    return llvmlite.binding


def target_machine() -> Any:  # noqa: ANN401
    """Return LLVM's description of this machine."""
    llvm = _llvm()
    return llvm.Target.from_default_triple().create_target_machine(
        opt=3,
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        jit=True,
        codemodel="jitdefault",
    )


def _loaded(code: Code) -> int:
    """Return where a function is, put into memory for as long as the process runs."""
    llvm = _llvm()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.image))
    engine.finalize_object()
    _KEPT.append(engine)
    address: int = engine.get_function_address(code.symbol)
    return address
