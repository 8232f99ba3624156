"""What is opened: files and pipes, nothing else, and never waited for in vain."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.ingest.writers import json_line, traces
from tracemap.errors import InputError
from tracemap.ingest import Source, find_inputs, open_source, opening

GOOD = json_line(traces({}))


def test_a_pipe_is_read_like_standard_input(tmp_path: Path) -> None:
    """So that the shell's <(...) works."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(GOOD * 3,))
    writer.start()
    with open_source(Source(str(pipe))) as found:
        spans = sum(batch.spans.height for batch in found.batches())
    writer.join()

    assert spans == 3
    assert found.content_hash
    assert found.size_bytes == 3 * len(GOOD)


def test_a_pipe_that_nobody_writes_to_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error after a while."""
    monkeypatch.setattr(opening, "_PIPE_TRIES", 2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(InputError, match="nobody writes"), open_source(Source(str(pipe))):
        pass


def test_devices_are_refused() -> None:
    """They may have no end."""
    for path in ("/dev/zero", "/dev/null"):
        with pytest.raises(InputError, match="neither"), open_source(Source(path)):
            pass


def test_only_files_are_found(tmp_path: Path) -> None:
    """A pipe in a folder is not what was meant, by a pattern neither."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.json").write_bytes(GOOD)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    for text in (str(tmp_path), str(tmp_path / "*")):
        assert [Path(each.path).name for each in find_inputs([text])] == ["a.json"]
