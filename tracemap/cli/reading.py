"""Opening the database to read it, with some patience while another process writes to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracemap.intake import Progress
    from tracemap.store import Store

_PATIENCE_S = 10.0
_PAUSE_S = 0.1


@contextmanager
def opened(db: Path, *, progress: Progress) -> Iterator[Store]:
    """Open the database for reading as it is.

    Raises:
        StoreError: If it cannot be opened, or is still in use after ten seconds.
    """
    from tracemap.store import Store

    with _patiently(lambda: Store.open(db, read_only=True), progress) as store:
        yield store


@contextmanager
def up_to_date(db: Path, *, progress: Progress) -> Iterator[Store]:
    """Open the database for reading, its facts up to date.

    Of several commands that find facts out of date, one derives them, and the others wait.

    Raises:
        StoreError: If it cannot be opened, or is still in use after ten seconds.
    """
    from tracemap import pipeline

    with _patiently(lambda: pipeline.up_to_date(db, progress=progress), progress) as store:
        yield store


@contextmanager
def _patiently(
    manager: Callable[[], AbstractContextManager[Store]], progress: Progress
) -> Iterator[Store]:
    """Enter `manager`, again and again for a while as long as the database is in use."""
    from tracemap.store import InUseError

    end_s = time.monotonic() + _PATIENCE_S
    with ExitStack() as stack:
        while True:
            try:
                store = stack.enter_context(manager())
                break
            except InUseError as error:
                if time.monotonic() >= end_s:
                    raise
                progress(f"waiting: {error.what}", 0, 0)
            # not in step with another command that waits for the same
            time.sleep(_PAUSE_S * random.uniform(1, 3))  # noqa: S311
        yield store
