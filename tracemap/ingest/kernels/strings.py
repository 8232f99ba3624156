"""Pieces of text in a buffer: hash, compare, copy, pack as a reference."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.layout import Bytes, Ints, Words
from tracemap.ingest.kernels.machine import kernel, load, signed, step, store

_SEED = np.uint64(0x9E3779B97F4A7C15)
_FACTOR = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(29)
_EIGHT = np.uint64(8)
_ONE = np.uint64(1)

OFFSET_MASK = (1 << 32) - 1
IN_EXTRA = 1 << 32
LENGTH_SHIFT = 33
LENGTH_MAX = (1 << 25) - 1
RANK_SHIFT = 58
BODY_MASK = (1 << RANK_SHIFT) - 1


@step
def mix(hashed: np.uint64, word: np.uint64) -> np.uint64:
    """Return the hash of what `hashed` is one of, and one more word."""
    hashed = (hashed ^ word) * _FACTOR
    return hashed ^ (hashed >> _SHIFT)


@step
def head(word: np.uint64, count: int) -> np.uint64:
    """Return the first `count` (1 to 7) bytes of `word`, the others zero."""
    return word & ((_ONE << (_EIGHT * np.uint64(count))) - _ONE)


@step
def hash_bytes(data: Bytes, start: int, length: int) -> np.uint64:
    """Return a hash of a piece of text; `text_hash` is the same in plain Python."""
    hashed = _SEED ^ np.uint64(length)
    index = start
    end = start + length
    while index + 8 <= end:
        hashed = mix(hashed, load(data, index))
        index += 8
    if index < end:
        hashed = mix(hashed, head(load(data, index), end - index))
    return mix(hashed, _SEED)


def text_hash(text: bytes) -> int:
    """Return `hash_bytes` of `text`, without compiling anything."""
    mask = (1 << 64) - 1
    hashed = int(_SEED) ^ len(text)
    words = [int.from_bytes(text[i : i + 8], "little") for i in range(0, len(text), 8)]
    for word in [*words, int(_SEED)]:
        hashed = ((hashed ^ word) * int(_FACTOR)) & mask
        hashed ^= hashed >> int(_SHIFT)
    return hashed


@step
def same_bytes(one: Bytes, start: int, other: Bytes, other_start: int, length: int) -> bool:
    """Return whether two pieces of text of the same length are equal."""
    index = 0
    while index + 8 <= length:
        if load(one, start + index) != load(other, other_start + index):
            return False
        index += 8
    if index == length:
        return True
    left = head(load(one, start + index), length - index)
    return bool(left == head(load(other, other_start + index), length - index))


@step
def copy_bytes(source: Bytes, start: int, length: int, target: Bytes, at: int) -> int:
    """Copy a piece of text and return where it ends; up to 7 bytes behind it are spoilt."""
    index = 0
    while index < length:
        store(target, at + index, load(source, start + index))
        index += 8
    return at + length


@step
def pack(start: int, length: int, place: int, rank: int) -> int:
    """Return the reference to a piece of text; 0 if it is empty or absurdly long."""
    if length <= 0 or length > LENGTH_MAX:
        return 0
    return start | place | (length << LENGTH_SHIFT) | (rank << RANK_SHIFT)


@step
def length_of(reference: int) -> int:
    """Return the length of the text that a reference names."""
    return (reference >> LENGTH_SHIFT) & LENGTH_MAX


@step
def reference_hash(data: Bytes, extra: Bytes, reference: int) -> np.uint64:
    """Return the hash of the text that a reference names."""
    start = reference & OFFSET_MASK
    if reference & IN_EXTRA:
        return hash_bytes(extra, start, length_of(reference))
    return hash_bytes(data, start, length_of(reference))


@step
def same_text(data: Bytes, extra: Bytes, one: int, other: int) -> bool:
    """Return whether two references name equal text."""
    one &= BODY_MASK
    other &= BODY_MASK
    if one == other:
        return True
    length = length_of(one)
    if length != length_of(other):
        return False
    first = one & OFFSET_MASK
    second = other & OFFSET_MASK
    if one & IN_EXTRA:
        if other & IN_EXTRA:
            return same_bytes(extra, first, extra, second, length)
        return same_bytes(extra, first, data, second, length)
    if other & IN_EXTRA:
        return same_bytes(data, first, extra, second, length)
    return same_bytes(data, first, data, second, length)


@step
def lookup(table: Words, hashes: int, codes: int, hashed: np.uint64) -> int:
    """Return the code that a table of known words has for a hash; 0: unknown word."""
    index = signed(hashed & np.uint64(1023))
    while True:
        found = table[hashes + index]
        if found == hashed:
            return signed(table[codes + index])
        if found == 0:
            return 0
        index = (index + 1) & 1023


@step
def _gather(
    data: Bytes, extra: Bytes, references: Ints, count: int, offsets: Ints, target: Bytes
) -> None:
    at = 0
    for row in range(count):
        offsets[row] = at
        start = references[row] & OFFSET_MASK
        length = length_of(references[row])
        if references[row] & IN_EXTRA:
            at = copy_bytes(extra, start, length, target, at)
        else:
            at = copy_bytes(data, start, length, target, at)
    offsets[count] = at


@kernel
def gather(
    data: Bytes, extra: Bytes, references: Ints, count: int, offsets: Ints, target: Bytes
) -> None:
    """Copy the texts of `references` behind one another; `offsets` gets where each one starts."""
    _gather(
        data,
        extra,
        references,
        count,
        offsets,
        target,
    )
