"""Blobs and scratch folders."""

import hashlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.adapters.memory import InMemoryBlobStore, InMemoryScratch
from hydroml.adapters.storage import FolderBlobStore, FolderScratch, blob_store_for
from hydroml.application.ports.storage import Blob, BlobNotFoundError, BlobStore, Scratch
from hydroml.domain.errors import ConflictError, InvalidInputError, TooLargeError, UnavailableError

Contents = Callable[[], list[str]]
NOWHERE = "0" * 64
BAD_NAMES = ["", "..", "../x", "a/b", "/etc/passwd", "a.b", "a\x00b", "a" * 201, ".hidden", "ü"]


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.services)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    match kind:
        case "memory":
            return InMemoryBlobStore()
        case "folder":
            return blob_store_for((tmp_path / "blobs with blanks").as_uri(), tmp_path)
        case _:
            return blob_store_for(request.getfixturevalue("s3_url"), tmp_path)


@pytest.fixture
def contents(kind: str, store: BlobStore, request: pytest.FixtureRequest, tmp_path: Path) -> Contents:
    """The names of all that the store holds, wherever it does."""
    if isinstance(store, InMemoryBlobStore):
        return lambda: [*store.held, *store.waiting]
    if kind == "folder":
        return lambda: sorted(
            p.name for p in (tmp_path / "blobs with blanks").rglob("*") if p.is_file() and p.name != ".lock"
        )
    import boto3

    url: str = request.getfixturevalue("s3_url")
    bucket = boto3.resource("s3", endpoint_url=url.partition("endpoint=")[2]).Bucket(url.split("/")[2])

    def held() -> list[str]:
        uploads = list(bucket.multipart_uploads.all())
        return sorted(item.key.rsplit("/", 1)[-1] for item in bucket.objects.all()) + [str(u.id) for u in uploads]

    return held


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read(store: BlobStore, key: str) -> bytes:
    with store.open(key) as blob:
        return blob.read()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=2_000))
def test_bytes_come_back_under_their_sha256(store: BlobStore, content: bytes) -> None:
    blob = store.add_bytes(content)
    assert blob == Blob(sha256(content), len(content))
    assert store.exists(blob.key)
    assert read(store, blob.key) == content
    with store.local(blob.key) as file:
        assert file.read_bytes() == content


def test_a_file_comes_back_and_is_kept_once(store: BlobStore, contents: Contents, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    for name in ("first", "second"):
        file = tmp_path / name
        file.write_bytes(content)
        assert store.add(file) == Blob(sha256(content), len(content))
    assert store.add_bytes(content) == Blob(sha256(content), len(content))
    assert contents() == [sha256(content)]
    assert read(store, sha256(content)) == content


def test_what_is_not_there_is_not_found(store: BlobStore) -> None:
    assert not store.exists(NOWHERE)
    with pytest.raises(BlobNotFoundError):
        store.open(NOWHERE)
    with pytest.raises(BlobNotFoundError), store.local(NOWHERE):
        pass
    with pytest.raises(BlobNotFoundError), store.received("upload-1"):
        pass
    with pytest.raises(BlobNotFoundError):
        store.keep("upload-1")
    store.delete(NOWHERE)
    store.discard("upload-1")


@pytest.mark.parametrize("key", ["", "..", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "é" * 64])
def test_a_malformed_key_is_not_found(store: BlobStore, key: str) -> None:
    with pytest.raises(BlobNotFoundError):
        store.open(key)
    with pytest.raises(BlobNotFoundError), store.local(key):
        pass


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_malformed_name_is_refused(store: BlobStore, contents: Contents, name: str) -> None:
    with pytest.raises(InvalidInputError):
        store.receive(name, [b"x"], 10)
    with pytest.raises(InvalidInputError):
        store.keep(name)
    with pytest.raises(InvalidInputError):
        store.discard(name)
    assert contents() == []


def test_what_is_held_is_listed(store: BlobStore) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=1)  # a bucket's clock is its own
    blob = store.add_bytes(b"content")
    store.receive("one", [b"12345"], 10)
    store.append("two", 0, [b"123"], 10)
    store.receive("three", [b"kept"], 10)
    kept = store.keep("three")
    assert {(found.name, found.size) for found in store.blobs()} == {(blob.key, 7), (kept.key, 4)}
    assert {found.name for found in store.uploads()} == {"one", "two", "three"}
    assert all(begun < found.at < begun + timedelta(minutes=5) for found in (*store.blobs(), *store.uploads()))


def test_a_blob_that_is_added_again_is_not_deleted_by_somebody_who_looked_before(store: BlobStore) -> None:
    blob = store.add_bytes(b"content")
    before = datetime.now(UTC) + timedelta(minutes=2)
    assert not store.delete(blob.key, unless_added_after=datetime.now(UTC) - timedelta(hours=1))
    assert store.exists(blob.key)
    assert store.delete(blob.key, unless_added_after=before)
    assert not store.delete(blob.key, unless_added_after=before)
    assert not store.exists(blob.key)


def test_a_deleted_blob_is_gone(store: BlobStore, contents: Contents) -> None:
    blob = store.add_bytes(b"content")
    with store.local(blob.key) as file:
        assert file.exists()
    store.delete(blob.key)
    store.delete(blob.key)
    assert not store.exists(blob.key)
    with pytest.raises(BlobNotFoundError):
        store.open(blob.key)
    with pytest.raises(BlobNotFoundError), store.local(blob.key):
        pass
    assert contents() == []
    assert store.add_bytes(b"content") == blob
    assert read(store, blob.key) == b"content"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=300), max_size=8))
def test_an_upload_is_its_chunks(store: BlobStore, chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    assert store.receive("upload-1", iter(chunks), len(whole)) == len(whole)
    with store.received("upload-1") as file:
        assert file.read_bytes() == whole
    blob = store.keep("upload-1")
    assert blob == Blob(sha256(whole), len(whole))
    assert store.keep("upload-1") == blob
    with store.received("upload-1") as file:
        assert file.read_bytes() == whole
    store.discard("upload-1")
    assert read(store, blob.key) == whole
    with pytest.raises(BlobNotFoundError):
        store.keep("upload-1")


def test_an_upload_of_many_parts_arrives_whole(store: BlobStore) -> None:
    chunks = [os.urandom(700_001) for _ in range(30)]
    assert store.receive("upload-1", iter(chunks), 100_000_000) == 30 * 700_001
    assert store.keep("upload-1").key == sha256(b"".join(chunks))


def test_a_discarded_upload_leaves_nothing(store: BlobStore, contents: Contents) -> None:
    store.receive("upload-1", [b"x"], 10)
    store.discard("upload-1")
    assert contents() == []


def test_a_kept_and_discarded_upload_leaves_its_blob_alone(store: BlobStore, contents: Contents) -> None:
    store.receive("upload-1", [b"x"], 10)
    blob = store.keep("upload-1")
    store.discard("upload-1")
    assert contents() == [blob.key]


def test_an_upload_that_is_too_large_leaves_nothing(store: BlobStore, contents: Contents) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield bytes(500_000)

    with pytest.raises(TooLargeError):
        store.receive("upload-1", chunks(), 20_000_000)
    assert contents() == []
    assert store.receive("upload-1", [b"12345"], 5) == 5


def test_an_interrupted_upload_leaves_nothing(store: BlobStore, contents: Contents) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield bytes(500_000)
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        store.receive("upload-1", chunks(), 100_000_000)
    assert contents() == []
    with pytest.raises(BlobNotFoundError), store.received("upload-1"):
        pass


def test_an_upload_under_the_same_name_replaces_the_first(store: BlobStore) -> None:
    store.receive("upload-1", [b"first"], 10)
    first = store.keep("upload-1")
    store.receive("upload-1", [b"second"], 10)
    assert store.keep("upload-1").key == sha256(b"second")
    assert read(store, first.key) == b"first"


def test_a_kept_upload_whose_blob_was_deleted_is_gone(store: BlobStore) -> None:
    store.receive("upload-1", [b"x"], 10)
    store.delete(store.keep("upload-1").key)
    with pytest.raises(BlobNotFoundError):
        store.keep("upload-1")


def test_several_may_add_the_same_at_once(store: BlobStore, contents: Contents) -> None:
    content = os.urandom(200_000)
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(store.add_bytes(content).key)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert keys == [sha256(content)] * 6
    assert read(store, sha256(content)) == content
    assert contents() == [sha256(content)]


def test_several_may_read_at_once(store: BlobStore) -> None:
    content = os.urandom(500_000)
    blob = store.add_bytes(content)
    seen: list[bool] = []

    def look() -> None:
        with store.local(blob.key) as file:
            seen.append(file.read_bytes() == content)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert seen == [True] * 6


def _receive_for_ever(root: Path, begun: Path) -> None:
    def chunks() -> Iterator[bytes]:
        while True:
            yield bytes(10_000)
            begun.touch()

    FolderBlobStore(root).receive("upload-1", chunks(), 10**12)


def test_what_a_killed_process_was_receiving_is_removed_by_the_next(tmp_path: Path) -> None:
    root, begun = tmp_path / "blobs", tmp_path / "begun"
    process = multiprocessing.get_context("spawn").Process(target=_receive_for_ever, args=(root, begun))
    process.start()
    while not begun.exists():
        process.join(0.02)
    process.kill()
    process.join()
    assert [p for p in root.rglob("*") if p.is_file()]
    blob = FolderBlobStore(root).add_bytes(b"x")
    assert [p.name for p in root.rglob("*") if p.is_file() and p.name != ".lock"] == [blob.key]


@pytest.fixture(params=["memory", "folder"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> Scratch:
    return InMemoryScratch() if request.param == "memory" else FolderScratch(tmp_path / "tmp")


def test_a_scratch_folder_is_empty_and_removed(scratch: Scratch) -> None:
    for _ in range(2):
        with scratch.folder("job-1") as folder:
            assert list(folder.iterdir()) == []
            (folder / "inner").mkdir()
            (folder / "inner" / "file").write_text("x")
        assert not folder.exists()


def test_a_scratch_folder_is_removed_after_an_error(scratch: Scratch) -> None:
    def fail() -> None:
        with scratch.folder("job-1") as folder:
            left.append(folder)
            raise RuntimeError

    left: list[Path] = []
    with pytest.raises(RuntimeError):
        fail()
    assert not left[0].exists()


def test_what_was_left_in_a_scratch_folder_is_removed(scratch: Scratch) -> None:
    with scratch.folder("job-1") as folder:
        path = folder
    path.mkdir()
    (path / "left").write_text("by a killed process")
    with scratch.folder("job-1") as folder:
        assert list(folder.iterdir()) == []
    path.mkdir()
    scratch.remove("job-1")
    scratch.remove("job-1")
    assert not path.exists()


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_malformed_scratch_name_is_refused(scratch: Scratch, name: str) -> None:
    with pytest.raises(InvalidInputError), scratch.folder(name):
        pass
    with pytest.raises(InvalidInputError):
        scratch.remove(name)


@pytest.mark.services
def test_parts_that_a_killed_process_left_in_s3_are_removed_in_the_end(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    from hydroml.adapters.storage import s3

    store = blob_store_for(s3_url, tmp_path)
    bucket = boto3.resource("s3", endpoint_url=s3_url.partition("endpoint=")[2]).Bucket(s3_url.split("/")[2])
    bucket.Object("prefix/incoming/upload-1").initiate_multipart_upload()
    # The test server says of every upload that it began in 2010.
    monkeypatch.setattr(s3, "ABANDONED", timedelta(days=365 * 100))
    store.receive("upload-2", [b"x"], 10)
    assert len(list(bucket.multipart_uploads.all())) == 1
    monkeypatch.setattr(s3, "ABANDONED", timedelta(days=1))
    store.receive("upload-2", [b"x"], 10)
    assert list(bucket.multipart_uploads.all()) == []


@pytest.mark.services
def test_the_cache_of_s3_is_bounded_and_spares_what_is_read(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hydroml.adapters.storage import s3

    monkeypatch.setattr(s3, "CACHE_BYTES", 250_000)
    store = blob_store_for(s3_url, tmp_path)
    first, *others = [store.add_bytes(os.urandom(100_000)) for _ in range(6)]
    with store.local(first.key) as held:
        for blob in others:
            with store.local(blob.key) as file:
                assert file.stat().st_size == 100_000
        assert held.stat().st_size == 100_000
    with store.local(others[-1].key):
        pass
    cached = [p for p in (tmp_path / "cache" / "blobs").iterdir() if len(p.name) == 64]
    assert sum(p.stat().st_size for p in cached) <= 250_000


def test_a_storage_that_is_away_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    store = blob_store_for("s3://bucket/prefix?endpoint=http://127.0.0.1:9&region=us-east-1", tmp_path)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with pytest.raises(UnavailableError):
        store.add(file)
    with pytest.raises(UnavailableError):
        store.receive("upload-1", [b"x"], 10)
    with pytest.raises(UnavailableError):
        store.open(NOWHERE)
    with pytest.raises(UnavailableError):
        store.exists(NOWHERE)


def test_an_upload_comes_in_parts(store: BlobStore, contents: Contents) -> None:
    assert store.appended("file-1") == 0
    assert store.append("file-1", 0, [b"ab", b"cd"], 10) == 4
    assert store.append("file-1", 4, [b"ef"], 10) == store.appended("file-1") == 6
    with store.received("file-1") as file:
        assert file.read_bytes() == b"abcdef"
    blob = store.keep("file-1")
    assert (blob.key, blob.size) == (sha256(b"abcdef"), 6)
    assert store.keep("file-1").key == blob.key
    store.discard("file-1")
    assert contents() == [blob.key]


def test_a_part_fits_where_the_last_one_ended(store: BlobStore) -> None:
    store.append("file-1", 0, [b"abcd"], 10)
    for offset in (0, 3, 5):
        with pytest.raises(ConflictError):
            store.append("file-1", offset, [b"x"], 10)
    with pytest.raises(TooLargeError):
        store.append("file-1", 4, [b"1234567"], 10)
    held = store.appended("file-1")
    assert store.append("file-1", held, [b"x"], 11) == held + 1


def test_a_broken_line_leaves_what_has_come(store: BlobStore, kind: str) -> None:
    def breaking() -> Iterator[bytes]:
        yield b"abc"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.append("file-1", 0, breaking(), 10)
    held = store.appended("file-1")
    assert held == (0 if kind == "s3" else 3)
    rest = b"abcdef"[held:]
    assert store.append("file-1", held, [rest], 10) == 6
    with store.received("file-1") as file:
        assert file.read_bytes() == b"abcdef"


def test_a_discarded_upload_is_gone(store: BlobStore, contents: Contents) -> None:
    store.append("file-1", 0, [b"abc"], 10)
    store.append("file-1", 3, [b"def"], 10)
    store.discard("file-1")
    assert store.appended("file-1") == 0
    assert contents() == []


def test_an_empty_upload_is_there(store: BlobStore) -> None:
    assert store.append("file-1", 0, (), 0) == 0
    with store.received("file-1") as file:
        assert file.read_bytes() == b""
