"""What must not get into the database, in either encoding."""

from __future__ import annotations

import pytest

from tests.ingest.writers import attributes, json_line, only_span, traces
from tracemap.ingest.semconv import SECRET_PREFIXES, SECRETS


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_secrets_are_left_out(encoding: str) -> None:
    """Headers, statements, bodies, prompts: by the meaning of their key."""
    said = dict.fromkeys((*SECRETS, *(prefix + "x" for prefix in SECRET_PREFIXES)), "hunter2")
    data = traces(
        {"attributes": {"first": 1, **said, "last": 2}},
        resource={"service.name": "shop", "process.command_line": "run --password hunter2"},
    )
    raw = json_line(data) if encoding == "json" else data.SerializeToString()
    row = only_span(raw)

    assert attributes(row["attributes"]) == {"first": 1, "last": 2}
    assert "hunter2" not in str(row)


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("key", ["url.full", "http.url", "http.target"])
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:pw@host/a?token=x#y", "https://host/a"),
        ("https://host/a", "https://host/a"),
        ("/a/b?token=x", "/a/b"),
        ("https://host/@me?x", "https://host/@me"),
        ("https://host#secret", "https://host"),
    ],
)
def test_of_urls_only_host_and_path_are_kept(encoding: str, key: str, url: str, kept: str) -> None:
    """Queries and user names are where tokens travel."""
    data = traces({"attributes": {key: url}})
    raw = json_line(data) if encoding == "json" else data.SerializeToString()

    assert attributes(only_span(raw)["attributes"]) == {key: kept}


def test_an_escaped_url_hides_nothing() -> None:
    """A question mark may be written as an escape, slashes too."""
    data = traces({"attributes": {"http.url": "https://u:p@host/a?t=1"}})
    raw = json_line(data).replace(b"/", rb"\/").replace(b"?", rb"\u003f")

    row = only_span(raw)
    assert attributes(row["attributes"]) == {"http.url": "https://host/a"}
    assert "t=1" not in str(row)
