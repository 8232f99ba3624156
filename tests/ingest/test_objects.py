"""Objects of a store that speaks as S3 does, started here on this machine."""

from __future__ import annotations

import io
import time
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
import xxhash

from tests.ingest.writers import json_line, traces
from tracemap.errors import InputError
from tracemap.ingest import Source, find_inputs, objects, open_sources
from tracemap.intake import take_in
from tracemap.store import Store

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI-secret"
OBJECTS = {
    "exports/a.jsonl": json_line(traces({"trace": 1, "span": 1})),
    "exports/deep/b.jsonl": json_line(traces({"trace": 2, "span": 2})),
    "exports/deep/.hidden": b"x",
    "exports/notes.txt": b"dear diary",
    "other/c.jsonl": json_line(traces({"trace": 3, "span": 3})),
    "other/day=1 $&é/d.jsonl": json_line(traces({"trace": 4, "span": 4})),
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(autouse=True)
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415

    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="traces")
    client.create_bucket(Bucket="more")
    for key, body in OBJECTS.items():
        client.put_object(Bucket="traces", Key=key, Body=body)
    return client


def names(*inputs: str) -> list[str]:
    return [source.path.removeprefix("s3://traces/") for source in find_inputs(inputs)]


def test_a_prefix_is_searched_like_a_folder() -> None:
    """To the bottom, in order, hidden objects left out."""
    expected = ["exports/a.jsonl", "exports/deep/b.jsonl", "exports/notes.txt"]

    assert names("s3://traces/exports") == names("s3://traces/exports/") == expected
    assert set(expected) < set(names("s3://traces"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("exports/*.jsonl", ["exports/a.jsonl"]),
        ("*/[ac].jsonl", ["exports/a.jsonl", "other/c.jsonl"]),
        ("**/?.jsonl", [name for name in OBJECTS if name.endswith(".jsonl")]),
        ("exports/dee*", ["exports/deep/b.jsonl"]),
        ("other/day=*/*", ["other/day=1 $&é/d.jsonl"]),
    ],
)
def test_patterns_work_as_for_files(pattern: str, expected: list[str]) -> None:
    """A star stays within one part, a prefix that matches is searched."""
    assert names(f"s3://traces/{pattern}") == sorted(expected)


def test_objects_are_taken_in_and_known_again(tmp_path: Any) -> None:  # noqa: ANN401
    """By their contents, from wherever they come."""
    local = tmp_path / "copy.jsonl"
    local.write_bytes(OBJECTS["exports/a.jsonl"])
    with Store.open(tmp_path / "db", create=True) as store:
        first = list(take_in(store, ["s3://traces/exports", "s3a://traces/other/c.jsonl"]))
        again = list(take_in(store, ["s3://traces/exports/a.jsonl", str(local)]))

    assert [each.appended.spans for each in first if each.appended] == [1, 1, 0, 1]
    assert [each.appended.known for each in again if each.appended] == [True, True]
    assert first[0].path == "s3://traces/exports/a.jsonl"


def test_a_large_object_is_streamed(store: Any) -> None:  # noqa: ANN401
    """In pieces, never as a whole; its hash is that of its bytes."""
    raw = b"".join(
        json_line(traces({"trace": at, "span": 1, "name": "x" * 999})) for at in range(1, 4000)
    )
    store.put_object(Bucket="more", Key="large/l.jsonl", Body=raw)
    with open_sources(Source("s3://more/large/l.jsonl")) as readings:
        for reading in readings:
            assert sum(batch.spans.height for batch in reading.batches()) == 3999
            assert reading.content_hash == xxhash.xxh3_128_hexdigest(raw)


def test_an_archive_in_a_store_is_read_where_it_lies(store: Any) -> None:  # noqa: ANN401
    """Its directory first, then its members."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        made.writestr("a.jsonl", OBJECTS["exports/a.jsonl"])
    store.put_object(Bucket="more", Key="zips/z.zip", Body=raw.getvalue())
    with open_sources(Source("s3://more/zips/z.zip")) as readings:
        found = [(each.path, sum(b.spans.height for b in each.batches())) for each in readings]

    assert found == [("s3://more/zips/z.zip!a.jsonl", 1)]


@pytest.mark.parametrize(
    "address",
    ["s3://traces/gone.jsonl", "s3://nobucket/a.jsonl", "s3://traces/no*", "s3://", "s3://*/a"],
)
def test_what_is_not_there_is_an_error_that_says_what(address: str) -> None:
    """With what to check."""
    with pytest.raises(InputError) as error:
        find_inputs([address])

    assert error.value.where == address
    assert error.value.hint


def test_an_object_that_went_away_is_an_error(store: Any) -> None:  # noqa: ANN401
    """Between the search and now."""
    store.put_object(Bucket="more", Key="brief", Body=b"x")
    (source,) = find_inputs(["s3://more/brief"])
    store.delete_object(Bucket="more", Key="brief")

    with pytest.raises(InputError, match="no such object"), open_sources(source) as readings:
        list(readings)


def test_a_store_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon, and without what was used to ask it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError) as error:
        find_inputs(["s3://traces/a"])

    assert "AWS_ENDPOINT_URL" in error.value.hint
    assert not any(secret in str(error.value) for secret in (KEY, SECRET))


@pytest.mark.parametrize(
    "address",
    [
        f"s3://{KEY}:{quote(SECRET)}@traces/a.jsonl",
        f"s3://traces/a.jsonl?access_key={KEY}&secret_key={SECRET}",
        f"https://{KEY}:{SECRET}@host/a.jsonl",
        f"https://host/a.jsonl?X-Amz-Signature={SECRET}",
        f"abfs://c:{SECRET}@account.dfs.core.windows.net/a",
    ],
)
def test_secrets_in_an_address_are_refused_and_not_repeated(address: str) -> None:
    """They would be kept in the database and shown in every report."""
    with pytest.raises(InputError) as error:
        find_inputs([address])

    assert not any(secret in str(error.value) for secret in (KEY, SECRET))


@pytest.mark.parametrize("address", ["https://host/a.jsonl", "ftp://host/a", "abfs://container/a"])
def test_other_addresses_are_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what addresses look like, or what is missing."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    with pytest.raises(InputError) as error:
        find_inputs([address])

    assert error.value.hint


def test_a_store_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's library tries again for a while; then it is said, with what to check."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    monkeypatch.setattr(objects, "_WAIT_SECONDS", 1)
    begun = time.monotonic()
    with pytest.raises(InputError, match="'gs://bucket/a': the store does not answer") as raised:
        names("gs://bucket/a")

    assert time.monotonic() - begun < 20
    assert "GOOGLE_APPLICATION_CREDENTIALS" in raised.value.hint


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("gs://b/a", "UNAVAILABLE: ... Could not create a OAuth2 access token"),
        ("abfs://c@account.dfs.core.windows.net/a", "Failed to get token from DefaultAzureCred"),
    ],
)
def test_missing_credentials_are_told(
    address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure's library raises an error of pyarrow's own, no OSError."""

    class Without:
        def get_file_info(self, _path: str) -> None:
            raise pa.ArrowException(said)

    for store in ("_google", "_azure"):
        monkeypatch.setattr(objects, store, lambda *_: Without())
    with pytest.raises(InputError, match="no credentials were found") as raised:
        names(address)
    assert said not in str(raised.value)
