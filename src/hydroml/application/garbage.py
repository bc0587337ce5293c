"""What nothing needs any more, found and removed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from hydroml.application.blobs import UNTOLD, blobs_in_use
from hydroml.application.exports import ExportService
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore, Scratch, Stored
from hydroml.application.ports.tables import TableEngine
from hydroml.application.uploads import UploadService, waiting_names
from hydroml.domain.uploads import KEPT

FORGOTTEN = KEPT + timedelta(days=1)
"""After that time nobody comes back to an upload or a scratch folder."""
UNUSED = timedelta(days=7)
"""For so long the table engine keeps what nobody looks at."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Collected:
    """How many of each kind went, and the bytes they held together."""

    blobs: int = 0
    uploads: int = 0
    folders: int = 0
    exports: int = 0
    computed: int = 0
    """Files that the table engine keeps to be faster."""
    size: int = 0


class GarbageCollector:
    """Finds what crashes, and removed projects and runs, have left behind. Harms nothing while others work."""

    def __init__(
        self,
        *,
        uow: UnitOfWorkFactory,
        blobs: BlobStore,
        scratch: Scratch,
        uploads: UploadService,
        exports: ExportService,
        engine: TableEngine,
        clock: Clock,
    ) -> None:
        self._uow, self._blobs, self._scratch, self._clock = uow, blobs, scratch, clock
        self._uploads, self._exports, self._engine = uploads, exports, engine

    def collect(self, *, dry_run: bool = False) -> Collected:
        """With `dry_run` nothing is removed: what would be is counted, but for exports and uploads whose time has come
        since the scheduler looked last."""
        exports = uploads = 0
        if not dry_run:
            exports, uploads = _all(self._exports.expire), _all(self._uploads.expire)
        now = self._clock()
        with self._uow() as uow:
            active = uow.jobs.active()
        left_uploads = list(_left(self._blobs.uploads(), now, {name for job in active for name in waiting_names(job)}))
        left_folders = list(_left(self._scratch.folders(), now, {f"job-{job.id}" for job in active}))
        blobs = self._unneeded(now - UNTOLD)
        if not dry_run:
            for upload in left_uploads:
                self._blobs.discard(upload.name)
            for folder in left_folders:
                self._scratch.remove(folder.name)
            blobs = [blob for blob in blobs if self._blobs.delete(blob.name, unless_added_after=now - UNTOLD)]
        computed, computed_size = self._engine.forget(now - UNUSED, dry_run=dry_run)
        gone = (*left_uploads, *left_folders, *blobs)
        return Collected(
            blobs=len(blobs),
            uploads=uploads + len({upload.name for upload in left_uploads}),
            folders=len(left_folders),
            exports=exports,
            computed=computed,
            size=sum(stored.size for stored in gone) + computed_size,
        )

    def _unneeded(self, before: datetime) -> list[Stored]:
        found: list[Stored] = []
        old = (blob for blob in self._blobs.blobs() if blob.at < before)
        while some := list(islice(old, _BATCH)):
            with self._uow() as uow:
                needed = blobs_in_use(uow, [blob.name for blob in some])
            found += [blob for blob in some if blob.name not in needed]
        return found


def _all(expire: Callable[[], int]) -> int:
    """Some go at each turn."""
    return sum(iter(expire, 0))


def _left(stored: Iterable[Stored], now: datetime, needed: set[str]) -> Iterator[Stored]:
    return (one for one in stored if one.at < now - FORGOTTEN and one.name not in needed)
