"""Blobs in a folder or in S3, and folders for work in progress."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from hydroml.adapters.storage.folder import FolderBlobStore, FolderScratch
from hydroml.application.ports.storage import BlobStore

__all__ = ["FolderBlobStore", "FolderScratch", "blob_store_for"]


def blob_store_for(storage_url: str, data_dir: Path) -> BlobStore:
    """The store at `file:///folder` or `s3://bucket/prefix?endpoint=…&region=…`; S3's credentials come from where
    its client looks for them. Blobs of S3 that are being read are cached in `data_dir`."""
    url = urlsplit(storage_url)
    if url.scheme == "file":
        return FolderBlobStore(Path(unquote(url.path)))
    from hydroml.adapters.storage.s3 import S3BlobStore  # a large library that a folder does not need

    query = parse_qs(url.query)
    return S3BlobStore(
        bucket=url.netloc,
        prefix=url.path.strip("/"),
        endpoint=query.get("endpoint", [None])[0],
        region=query.get("region", [None])[0],
        cache=data_dir / "cache" / "blobs",
    )
