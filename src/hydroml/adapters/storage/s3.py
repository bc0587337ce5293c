"""Blobs in a bucket that speaks S3."""

import fcntl
import hashlib
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hydroml.adapters.names import check_key, check_name
from hydroml.adapters.storage.folder import check_offset, sha256_of, too_large
from hydroml.application.ports.storage import Blob, BlobNotFoundError, Stored
from hydroml.domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

CACHE_BYTES = 20_000_000_000
ABANDONED = timedelta(days=1)
SKEW = timedelta(minutes=1)
"""So much a bucket's clock may be behind."""


class S3BlobStore:
    """`<prefix>/blobs/abcdef…` holds a blob, `<prefix>/incoming/` what is not one yet.

    An object's time is that of its last writing, so bytes that are there already are written once more: a deletion
    that has looked before then leaves them. Between its look and its deletion lies the time of one request.

    DuckDB and scikit-learn read files, so a blob that is worked with is fetched into `cache`, whose least recently
    used files go when it exceeds 20 GB.
    """

    def __init__(self, *, bucket: str, prefix: str, endpoint: str | None, region: str | None, cache: Path) -> None:
        self._bucket, self._prefix, self._cache = bucket, prefix, cache
        self._endpoint, self._region = endpoint, region

    def add(self, file: Path) -> Blob:
        key, size = sha256_of(file), file.stat().st_size
        with _words():
            self._client.upload_file(str(file), self._bucket, self._blob(key))
        file.unlink()
        return Blob(key, size)

    def add_bytes(self, content: bytes) -> Blob:
        key = hashlib.sha256(content).hexdigest()
        with _words():
            self._client.put_object(Bucket=self._bucket, Key=self._blob(key), Body=content)
        return Blob(key, len(content))

    def open(self, key: str) -> BinaryIO:
        with _words(key):
            body = self._client.get_object(Bucket=self._bucket, Key=self._blob(key))["Body"]
        return cast(BinaryIO, body)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        path = self._cache / check_key(key)
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / f"{key}.lock").open("w") as lock:
            # Shared while it is read, so that making room in another process leaves it alone.
            fcntl.flock(lock, fcntl.LOCK_SH)
            if path.exists():
                path.touch()
            else:
                self._fetch(key, path)
            yield path
        self._make_room()

    def delete(self, key: str, *, unless_added_after: datetime | None = None) -> bool:
        head = self._head(self._blob(key))
        if head is None or (unless_added_after is not None and head["LastModified"] + SKEW > unless_added_after):
            return False
        with _words():
            self._client.delete_object(Bucket=self._bucket, Key=self._blob(key))
        (self._cache / key).unlink(missing_ok=True)
        return True

    def exists(self, key: str) -> bool:
        return self._size(self._blob(key)) is not None

    def blobs(self) -> Iterator[Stored]:
        return self._stored(self._blobs)

    def uploads(self) -> Iterator[Stored]:
        for found in self._stored(self._incoming):
            yield replace(found, name=found.name.partition("-part-")[0].removesuffix("-kept"))

    def receive(self, name: str, chunks: Iterable[bytes], limit: int) -> int:
        stream = _Limited(chunks, limit)
        self._abort_abandoned()
        with _words():
            # A multipart upload that fails is aborted by the client, so nothing of it stays.
            self._client.upload_fileobj(cast(Any, stream), self._bucket, self._waiting(name))
        return stream.size

    def append(self, name: str, offset: int, chunks: Iterable[bytes], limit: int) -> int:
        """Every call makes an object of its own, named by its offset: a bucket cannot add to one that is there."""
        check_offset(self.appended(name), offset)
        stream = _Limited(chunks, limit - offset)
        part = f"{self._parts(name)}{offset:020d}"
        if offset < limit or not limit:
            with _words():
                self._client.upload_fileobj(cast(Any, stream), self._bucket, part)
        return offset + stream.size

    def appended(self, name: str) -> int:
        return sum(size for _, size in self._parts_of(name))

    @contextmanager
    def received(self, name: str) -> Iterator[Path]:
        if parts := self._parts_of(name):
            self._cache.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._cache, prefix="incoming-") as whole:
                for key, _ in parts:
                    with _words(name):
                        shutil.copyfileobj(self._client.get_object(Bucket=self._bucket, Key=key)["Body"], whole)
                whole.flush()
                yield Path(whole.name)
            return
        if self._size(self._waiting(name)) is None:
            with self.local(self._kept(name)) as file:
                yield file
            return
        self._cache.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._cache, prefix="incoming-") as download:
            with _words(name):
                self._client.download_fileobj(self._bucket, self._waiting(name), download)
            download.flush()
            yield Path(download.name)

    def keep(self, name: str) -> Blob:
        """A note of the key stays under the name, so that a second call after a crash finds it."""
        if self._parts_of(name):
            with self.received(name) as file:
                blob = Blob(sha256_of(file), file.stat().st_size)
                with _words(name):
                    self._client.put_object(
                        Bucket=self._bucket, Key=self._waiting(f"{name}-kept"), Body=blob.key.encode()
                    )
                    self._client.upload_file(str(file), self._bucket, self._blob(blob.key))
            self._discard_parts(name)
            return blob
        waiting = self._waiting(name)
        size = self._size(waiting)
        if size is None:
            key = self._kept(name)
            with _words(key):  # once more, for the time of it
                self._client.copy(
                    {"Bucket": self._bucket, "Key": self._blob(key)}, self._bucket, self._blob(key),
                    ExtraArgs={"MetadataDirective": "REPLACE"},
                )  # fmt: skip
            return Blob(key, self._size(self._blob(key)) or 0)
        with self.received(name) as file:
            key = sha256_of(file)
        with _words(name):
            self._client.put_object(Bucket=self._bucket, Key=self._waiting(f"{name}-kept"), Body=key.encode())
            self._client.copy({"Bucket": self._bucket, "Key": waiting}, self._bucket, self._blob(key))
            self._client.delete_object(Bucket=self._bucket, Key=waiting)
        return Blob(key, size)

    def discard(self, name: str) -> None:
        self._discard_parts(name)
        with _words():
            for key in (self._waiting(name), self._waiting(f"{name}-kept")):
                self._client.delete_object(Bucket=self._bucket, Key=key)

    @cached_property
    def _client(self) -> "S3Client":
        config = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3})
        return boto3.client("s3", endpoint_url=self._endpoint, region_name=self._region, config=config)

    def _abort_abandoned(self) -> None:
        """The parts of uploads that a killed process was receiving are invisible, but cost what they weigh."""
        before = datetime.now(UTC) - ABANDONED
        with suppress(ClientError, BotoCoreError):  # not everybody may list them, and not every store can
            found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._incoming)
            for upload in found.get("Uploads", []):
                if upload["Initiated"] < before:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    def _parts(self, name: str) -> str:
        return f"{self._waiting(name)}-part-"

    def _parts_of(self, name: str) -> list[tuple[str, int]]:
        """Keys and sizes of what was added to an upload, in order."""
        with _words():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._parts(name)
            )
            return [(item["Key"], item["Size"]) for found in pages for item in found.get("Contents", [])]

    def _discard_parts(self, name: str) -> None:
        for key, _ in self._parts_of(name):
            with _words():
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def _stored(self, prefix: str) -> Iterator[Stored]:
        with _words():
            for found in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for item in found.get("Contents", []):
                    yield Stored(item["Key"].removeprefix(prefix), item["Size"], item["LastModified"])

    @property
    def _blobs(self) -> str:
        return "/".join(filter(None, (self._prefix, "blobs/")))

    @property
    def _incoming(self) -> str:
        return "/".join(filter(None, (self._prefix, "incoming/")))

    def _blob(self, key: str) -> str:
        return self._blobs + check_key(key)

    def _waiting(self, name: str) -> str:
        return self._incoming + check_name(name)

    def _kept(self, name: str) -> str:
        with _words(name):
            note = self._client.get_object(Bucket=self._bucket, Key=self._waiting(f"{name}-kept"))
            key = note["Body"].read().decode()
        if not self.exists(key):
            raise BlobNotFoundError(name)
        return key

    def _size(self, key: str) -> int | None:
        head = self._head(key)
        return None if head is None else head["ContentLength"]

    def _head(self, key: str) -> "HeadObjectOutputTypeDef | None":
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _is_missing(error):
                return None
            raise UnavailableError(f"the storage refuses: {error.response['Error'].get('Code', '')}") from None
        except BotoCoreError as error:
            raise UnavailableError(f"the storage does not answer: {type(error).__name__}") from None

    def _fetch(self, key: str, path: Path) -> None:
        with NamedTemporaryFile(dir=self._cache, prefix="fetch-", delete=False) as draft:
            try:
                with _words(key):
                    self._client.download_fileobj(self._bucket, self._blob(key), draft)
                draft.flush()
                Path(draft.name).replace(path)
            finally:
                Path(draft.name).unlink(missing_ok=True)

    def _make_room(self) -> None:
        for left in (*self._cache.glob("fetch-*"), *self._cache.glob("incoming-*")):
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > ABANDONED.total_seconds():
                    left.unlink()
        files = []
        for file in self._cache.glob("?" * 64):
            with suppress(FileNotFoundError):  # another process makes room, too
                files.append((file.stat().st_mtime, file.stat().st_size, file))
        files.sort(reverse=True)
        held = 0
        for _, size, file in files:
            held += size
            if held <= CACHE_BYTES:
                continue
            with file.with_suffix(".lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                file.unlink(missing_ok=True)


class _Limited:
    """Chunks as a file to read from, up to a limit."""

    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks, self._limit = iter(chunks), limit
        self._rest = b""
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        parts = [self._rest]
        held = len(self._rest)
        while size < 0 or held < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self.size += len(chunk)
            if self.size > self._limit:
                raise too_large(self._limit)
            parts.append(chunk)
            held += len(chunk)
        whole = b"".join(parts)
        size = held if size < 0 else size
        self._rest = whole[size:]
        return whole[:size]


@contextmanager
def _words(key: str = "") -> Iterator[None]:
    """The library's errors as ours."""
    try:
        yield
    except ClientError as error:
        if _is_missing(error):
            raise BlobNotFoundError(key) from None
        raise UnavailableError(f"the storage refuses: {error.response['Error'].get('Code', '')}") from None
    except (BotoCoreError, Boto3Error) as error:
        raise UnavailableError(f"the storage does not answer: {type(error).__name__}") from None


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"].get("Code") in ("404", "NoSuchKey", "NotFound")
