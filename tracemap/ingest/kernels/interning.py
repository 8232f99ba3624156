"""Rows of both decoders into columns: distinct operations and errors by number, numbers as such.

A *signature* is everything about a span that decides what its operation is called and whom it
talks to, except its name: kind and canonical attributes. Signatures are few; what they mean is
worked out once for each (`tracemap.ingest.semconv`), not once a span.
"""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.json_scan import NINE, ZERO
from tracemap.ingest.kernels.layout import (
    END,
    ERROR_TYPE,
    EXCEPTION_TYPE,
    EXTRA,
    FIRST_SLOT,
    FLAGS,
    HTTP_STATUS,
    KIND,
    MESSAGING_DESTINATION,
    MESSAGING_VOLATILE,
    NAME,
    PARENT_ID,
    QUALITY,
    RESEND,
    RESOURCE,
    RPC_STATUS,
    SCOPE,
    SIGNATURE_SLOTS,
    SPAN_ID,
    START,
    STATUS,
    TEXT_END,
    TEXT_START,
    TRACE_HIGH,
    TRACE_LOW,
    TRACE_STATE,
    WIDTH,
    Bytes,
    Doubles,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, inlined, kernel, signed, step
from tracemap.ingest.kernels.paths import plain_url
from tracemap.ingest.kernels.strings import (
    BODY_MASK,
    IN_EXTRA,
    OFFSET_MASK,
    RANK_SHIFT,
    length_of,
    mix,
    reference_hash,
    same_text,
)
from tracemap.ingest.kernels.weights import trace_state_weight

END_MISSING, NEGATIVE_DURATION, START_INVALID = 128, 256, 512
NAME_EMPTY, NO_SAMPLING_INFORMATION, KIND_UNSPECIFIED = 8192, 262144, 1048576
NO_DURATION = -1

# What comes out, one column after the other: numbers found here, and what is copied from the rows,
# where a column lies apart, an element to a line of the cache.
(
    OUT_OPERATION,
    OUT_ERROR,
    OUT_HTTP_STATUS,
    OUT_RESEND,
    OUT_START,
    OUT_DURATION,
    OUT_QUALITY,
    OUT_TRACE_HIGH,
    OUT_TRACE_LOW,
    OUT_SPAN_ID,
    OUT_PARENT_ID,
    OUT_STATUS,
    OUT_FLAGS,
    OUT_RESOURCE,
    OUT_TEXT_START,
    OUT_TEXT_END,
) = range(16)
OUT_COLUMNS = 16

# Where a type of error came from; kept apart, for they are read differently.
FROM_TYPE, FROM_RPC_STATUS, FROM_HTTP_STATUS = range(3)

# Counters.
SIGNATURES, OPERATIONS, ERRORS = range(3)

_EARLIEST_NS = 946_684_800_000_000_000  # 2000-01-01
_LATEST_NS = 4_102_444_800_000_000_000  # 2100-01-01
_ERROR_STATUS = 2


@step
def _signature_hash(data: Bytes, extra: Bytes, spans: Ints, row: int) -> np.uint64:
    hashed = np.uint64(spans[row + KIND] + 1)
    for slot in range(FIRST_SLOT, FIRST_SLOT + SIGNATURE_SLOTS):
        reference = spans[row + slot]
        if reference:
            hashed = mix(hashed, reference_hash(data, extra, reference) + np.uint64(slot))
    return hashed


@step
def _same_signature(data: Bytes, extra: Bytes, spans: Ints, one: int, other: int) -> bool:
    if spans[one + KIND] != spans[other + KIND]:
        return False
    for slot in range(FIRST_SLOT, FIRST_SLOT + SIGNATURE_SLOTS):
        first = spans[one + slot]
        second = spans[other + slot]
        if (first | second) and not same_text(data, extra, first, second):
            return False
    return True


@step
def _signature(
    data: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    index: Ints,
    mask: int,
    signatures: Ints,
    counts: Ints,
) -> int:
    """Return the number of the span's signature; a new one is represented by this row."""
    apart()
    place = signed(_signature_hash(data, extra, spans, row)) & mask
    while index[place] >= 0:
        found = signed(index[place])
        if _same_signature(data, extra, spans, row, signatures[found]):
            return found
        place = (place + 1) & mask
    number = signed(counts[SIGNATURES])
    index[place] = number
    signatures[number] = row
    counts[SIGNATURES] = number + 1
    return number


@step
def _operation(
    data: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    signature: int,
    index: Ints,
    mask: int,
    operations: Ints,
    counts: Ints,
) -> int:
    """Return the number of the span's signature, name and scope together."""
    apart()
    name = spans[row + NAME]
    scope = spans[row + SCOPE]
    hashed = mix(reference_hash(data, extra, name), np.uint64(signature))
    hashed = mix(hashed, reference_hash(data, extra, scope))
    place = signed(hashed) & mask
    while index[place] >= 0:
        found = signed(index[place])
        at = found * 3
        if (
            operations[at] == signature
            and same_text(data, extra, operations[at + 1], name)
            and same_text(data, extra, operations[at + 2], scope)
        ):
            return found
        place = (place + 1) & mask
    number = signed(counts[OPERATIONS])
    index[place] = number
    operations[number * 3] = signature
    operations[number * 3 + 1] = name & BODY_MASK
    operations[number * 3 + 2] = scope & BODY_MASK
    counts[OPERATIONS] = number + 1
    return number


@step
def _error(
    data: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    index: Ints,
    mask: int,
    errors: Ints,
    counts: Ints,
) -> int:
    """Return the number of the span's type of error; -1: none is given."""
    apart()
    origin = FROM_TYPE
    reference = spans[row + ERROR_TYPE]
    if reference == 0:
        reference = spans[row + EXCEPTION_TYPE]
    if reference == 0 and spans[row + STATUS] == _ERROR_STATUS:
        reference = spans[row + RPC_STATUS]
        origin = FROM_RPC_STATUS
        if reference == 0:
            reference = spans[row + HTTP_STATUS]
            origin = FROM_HTTP_STATUS
    if reference == 0:
        return -1
    place = signed(reference_hash(data, extra, reference)) & mask
    while index[place] >= 0:
        found = signed(index[place])
        if errors[found * 2] == origin and same_text(data, extra, errors[found * 2 + 1], reference):
            return found
        place = (place + 1) & mask
    number = signed(counts[ERRORS])
    index[place] = number
    errors[number * 2] = origin
    errors[number * 2 + 1] = reference & BODY_MASK
    counts[ERRORS] = number + 1
    return number


@step
def _small_number(data: Bytes, extra: Bytes, reference: int) -> int:
    """Return the number that a text says if it is at most 4 digits and nothing else; else -1."""
    length = length_of(reference)
    if length == 0 or length > 4:
        return -1
    source = extra if reference & IN_EXTRA else data
    start = reference & OFFSET_MASK
    value = 0
    for at in range(start, start + length):
        if source[at] < ZERO or source[at] > NINE:
            return -1
        value = value * 10 + signed(source[at]) - ZERO
    return value


@step
def _times(spans: Ints, row: int, out: Ints, number: int, count: int) -> int:
    """Write start and duration; return what is wrong with them."""
    start = spans[row + START]
    end = spans[row + END]
    flags = 0
    out[OUT_START * count + number] = start
    out[OUT_DURATION * count + number] = NO_DURATION
    if start < _EARLIEST_NS or start > _LATEST_NS:
        flags |= START_INVALID
    if end == 0:
        flags |= END_MISSING
    elif end < start:
        flags |= NEGATIVE_DURATION
    else:
        out[OUT_DURATION * count + number] = end - start
    return flags


@step
def _copy(spans: Ints, row: int, out: Ints, number: int, count: int) -> None:
    """Write what is taken as it is."""
    out[OUT_TRACE_HIGH * count + number] = spans[row + TRACE_HIGH]
    out[OUT_TRACE_LOW * count + number] = spans[row + TRACE_LOW]
    out[OUT_SPAN_ID * count + number] = spans[row + SPAN_ID]
    out[OUT_PARENT_ID * count + number] = spans[row + PARENT_ID]
    out[OUT_STATUS * count + number] = spans[row + STATUS]
    out[OUT_FLAGS * count + number] = spans[row + FLAGS]
    out[OUT_RESOURCE * count + number] = spans[row + RESOURCE]
    out[OUT_TEXT_START * count + number] = spans[row + TEXT_START]
    out[OUT_TEXT_END * count + number] = spans[row + TEXT_END]


@step
def _forget_volatile(spans: Ints, row: int) -> None:
    """Drop the name of a temporary or anonymous destination; a template stays."""
    destination = spans[row + MESSAGING_DESTINATION]
    if length_of(spans[row + MESSAGING_VOLATILE]) == 4 and (destination >> RANK_SHIFT) > 0:
        spans[row + MESSAGING_DESTINATION] = 0
    spans[row + MESSAGING_VOLATILE] = 0


@inlined
def _all_spans(
    data: Bytes,
    extra: Bytes,
    room: int,
    spans: Ints,
    count: int,
    signature_index: Ints,
    operation_index: Ints,
    error_index: Ints,
    mask: int,
    signatures: Ints,
    operations: Ints,
    errors: Ints,
    out: Ints,
    weights: Doubles,
    state: Ints,
    counts: Ints,
) -> None:
    for number in range(count):
        row = number * WIDTH
        _forget_volatile(spans, row)
        before = state[EXTRA]
        plain_url(data, extra, room, spans, row, state)
        known = counts[SIGNATURES]
        signature = _signature(data, extra, spans, row, signature_index, mask, signatures, counts)
        if signature < known:
            state[EXTRA] = before
        out[OUT_OPERATION * count + number] = _operation(
            data, extra, spans, row, signature, operation_index, mask, operations, counts
        )
        out[OUT_ERROR * count + number] = _error(
            data, extra, spans, row, error_index, mask, errors, counts
        )
        out[OUT_HTTP_STATUS * count + number] = _small_number(data, extra, spans[row + HTTP_STATUS])
        out[OUT_RESEND * count + number] = max(0, _small_number(data, extra, spans[row + RESEND]))
        quality = spans[row + QUALITY] | _times(spans, row, out, number, count)
        _copy(spans, row, out, number, count)
        weight = 0.0
        reference = spans[row + TRACE_STATE]
        if reference:
            source = extra if reference & IN_EXTRA else data
            start = reference & OFFSET_MASK
            weight = trace_state_weight(source, start, start + length_of(reference))
        weights[number] = weight if weight > 0.0 else 1.0
        if weight == 0.0:
            quality |= NO_SAMPLING_INFORMATION
        if spans[row + NAME] == 0:
            quality |= NAME_EMPTY
        if spans[row + KIND] == 0:
            quality |= KIND_UNSPECIFIED
        out[OUT_QUALITY * count + number] = quality


@kernel
def intern(
    data: Bytes,
    extra: Bytes,
    room: int,
    spans: Ints,
    count: int,
    signature_index: Ints,
    operation_index: Ints,
    error_index: Ints,
    mask: int,
    signatures: Ints,
    operations: Ints,
    errors: Ints,
    out: Ints,
    weights: Doubles,
    state: Ints,
    counts: Ints,
) -> None:
    """Number the distinct signatures, operations and errors of the first `count` spans.

    Args:
        data: The block as decoded.
        extra: Its unescaped text; templated paths are added.
        room: Size of `extra`.
        spans: Rows of the decoder.
        count: How many of them there are.
        signature_index: As many -1 as a power of two that is at least twice `count`.
        operation_index: As many again.
        error_index: As many again.
        mask: That power of two, less 1.
        signatures: Gets the first row of each signature.
        operations: Gets signature, name and scope of each operation.
        errors: Gets origin and text of each type of error.
        out: Gets the columns ``OUT_*``, of `count` numbers each.
        weights: Gets how many spans each one stands for.
        state: Registers of the decoder.
        counts: Gets how many signatures, operations and errors there are.
    """
    _all_spans(
        data,
        extra,
        room,
        spans,
        count,
        signature_index,
        operation_index,
        error_index,
        mask,
        signatures,
        operations,
        errors,
        out,
        weights,
        state,
        counts,
    )
