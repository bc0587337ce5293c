"""DuckDB's engine on a folder of its own."""

from pathlib import Path

import pytest

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine
from tests.tables import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    blobs = FolderBlobStore(tmp_path / "blobs")
    return Workshop(DuckDbTableEngine(blobs, tmp_path / "tmp", 1 << 30, 2), blobs, tmp_path)
