"""Merge the batches of several small files into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from tracemap.model import LINKS, OPERATIONS, REJECTS, RESOURCES, SPANS, Batch, ParcelBatch


def merged(found: Iterable[tuple[Batch, Sequence[int]]], count: int) -> ParcelBatch:
    """Return several batches as one.

    Args:
        found: Batches, and with each the numbers of the files it is from: of a `ParcelBatch` that
            of each of its files, of any other batch the one.
        count: How many files there are.
    """
    listed = [_of_files(batch, np.array(numbers, np.int64), count) for batch, numbers in found]
    if len(listed) == 1:
        return listed[0]
    spans, operations, resources = [SPANS.empty()], [OPERATIONS.empty()], [RESOURCES.empty()]
    for batch in listed:
        shifts = {
            "operation_id": sum(each.height for each in operations),
            "resource_id": sum(each.height for each in resources),
        }
        by_name = {name: pl.col(name) + shift for name, shift in shifts.items()}
        spans.append(batch.spans.with_columns(**by_name))
        operations.append(batch.operations.with_columns(operation_id=by_name["operation_id"]))
        resources.append(batch.resources.with_columns(resource_id=by_name["resource_id"]))
    return ParcelBatch(
        spans=pl.concat(spans),
        operations=pl.concat(operations),
        resources=pl.concat(resources),
        links=pl.concat([LINKS.empty(), *(batch.links for batch in listed)]),
        rejects=pl.concat([REJECTS.empty(), *(batch.rejects for batch in listed)]),
        span_files=_together([batch.span_files for batch in listed]),
        reject_files=_together([batch.reject_files for batch in listed]),
        skipped_of=sum((batch.skipped_of for batch in listed), np.zeros(count, np.int64)),
    )


def _together(numbers: Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *numbers])


def _of_files(
    batch: Batch, numbers: np.ndarray[tuple[int], np.dtype[np.int64]], count: int
) -> ParcelBatch:
    """Return a batch with its files numbered as `numbers` says."""
    skipped_of = np.zeros(count, np.int64)
    if isinstance(batch, ParcelBatch):
        np.add.at(skipped_of, numbers, batch.skipped_of)
        span_files, reject_files = numbers[batch.span_files], numbers[batch.reject_files]
    else:
        skipped_of[numbers] = sum(batch.skipped.values())
        span_files = np.repeat(numbers, batch.spans.height)
        reject_files = np.repeat(numbers, batch.rejects.height)
    return ParcelBatch(
        spans=SPANS.conform(batch.spans),
        operations=OPERATIONS.conform(batch.operations),
        resources=RESOURCES.conform(batch.resources),
        links=LINKS.conform(batch.links),
        rejects=REJECTS.conform(batch.rejects),
        span_files=span_files,
        reject_files=reject_files,
        skipped_of=skipped_of,
    )
