"""Damaged files of every format: no crash, no hang, and every record is accounted for."""

from __future__ import annotations

import faulthandler
import gzip
from collections.abc import Iterator
from random import Random

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.ingest.mutations import check, damaged, seeds
from tests.ingest.writers import reading
from tracemap.ingest.registry import FORMATS
from tracemap.intake import take_in
from tracemap.store import Store

HANGS_AFTER_S = 300
NAMES = [each.name for each in FORMATS]
BOUNDED = settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))


@pytest.fixture(autouse=True)
def _ended_if_it_hangs() -> Iterator[None]:
    """A loop inside a kernel holds no lock and hears no signal: only the process can be ended."""
    faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("name", NAMES)
def test_files_to_be_damaged_are_good(name: str) -> None:
    """Each is of its format, holds spans and loses none."""
    for raw in seeds()[name]:
        found = reading(raw)
        listed = list(found.batches())
        assert found.format == name
        assert sum(batch.spans.height for batch in listed) > 0
        assert all(batch.rejects.is_empty() for batch in listed)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@BOUNDED
@given(seed=st.integers(0, 2**32), size=st.sampled_from([64, 1000, 1 << 24]))
def test_a_damaged_file_is_read(name: str, seed: int, size: int) -> None:
    """What comes out is what a store takes; what does not come out is in the rejects."""
    random = Random(seed)  # noqa: S311  (damage, not secrets)
    check(damaged(random.choice(seeds()[name]), random), size)


@pytest.mark.parametrize("name", NAMES)
@BOUNDED
@given(data=st.data())
def test_a_file_that_was_cut_says_so(name: str, data: st.DataObject) -> None:
    """Of a record that is cut, the spans that do not come out are in the rejects."""
    raw = seeds()[name][0]
    raw = data.draw(st.sampled_from([raw, gzip.compress(raw, mtime=0)]))
    whole = sum(batch.spans.height for batch in check(raw, 1 << 24))
    found = check(raw[: data.draw(st.integers(0, len(raw) - 1))], 1 << 24)
    spans = sum(batch.spans.height for batch in found)

    assert spans <= whole
    assert spans == whole or any(batch.rejects.height for batch in found)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 2**32))
def test_damaged_files_are_stored(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """records = spans + duplicates + rejected in every file; what is stored can be read."""
    random = Random(seed)  # noqa: S311  (damage, not secrets)
    base = tmp_path_factory.mktemp("damaged")
    for number in range(30):
        written = seeds()[random.choice(NAMES)]
        (base / f"{number:03}").write_bytes(damaged(random.choice(written), random))
    with Store.open(base / "t.duckdb", create=True, threads=1) as store:
        taken = list(take_in(store, [str(base / "0*")]))
        files = store.ledger().files

        assert len(taken) == 30
        assert not [each.error for each in taken if each.error]
        kept = pl.col("spans") + pl.col("duplicates") + pl.col("rejected")
        assert files.filter((pl.col("records") != kept) | (pl.col("duplicates") < 0)).is_empty()
        assert store.query("SELECT count(*) FROM spans").item() == files["spans"].sum()
