"""Who needs a blob, and the removal of those that nobody does."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import UnitOfWork, UnitOfWorkFactory
from hydroml.application.ports.storage import BlobStore
from hydroml.domain.jobs import JobKind
from hydroml.domain.sources import Version

UNTOLD = timedelta(hours=1)
"""A job that works may have added a blob so long ago and not told the database yet."""
_ADD_NOTHING = frozenset((JobKind.ANALYSE, JobKind.CHECK_RULES, JobKind.COMPARE))


def blobs_in_use(uow: UnitOfWork, blobs: Collection[str]) -> set[str]:
    """Those of `blobs` that something needs: the one place that knows all that hold any."""
    return {
        *uow.versions.blobs_in_use(blobs),
        *uow.exports.blobs_in_use(blobs),
        *uow.runs.blobs_in_use(blobs),
    }


class BlobSweeper:
    """Removes blobs with what held them."""

    def __init__(self, *, uow: UnitOfWorkFactory, blobs: BlobStore, clock: Clock) -> None:
        self._uow, self._blobs, self._clock = uow, blobs, clock

    def size(self, versions: Sequence[Version]) -> int:
        """The bytes that go with these versions and their exports: those that nothing else shares."""
        own = {version.id for version in versions}
        sizes: dict[str, int] = {}
        for version in versions:
            sizes[version.fingerprint] = version.size
            sizes |= {original.blob: original.size for original in version.origin.originals}
            if version.origin.rejected is not None:
                sizes[version.origin.rejected.blob] = version.origin.rejected.size
        with self._uow() as uow:
            exports = uow.exports.of_versions(own)
            sizes |= {export.blob: export.size or 0 for export in exports if export.blob is not None}
            shared = {
                *uow.versions.blobs_in_use(sizes, but=own),
                *uow.exports.blobs_in_use(sizes, but=own),
                *uow.runs.blobs_in_use(sizes),
            }
        return sum(size for blob, size in sizes.items() if blob not in shared)

    def release(self, blobs: Collection[str]) -> None:
        """Deletes the blobs of what was removed, but for those that something needs, or that a job may have added once
        more without having told so yet: those are left to the garbage collection."""
        began = self._clock()
        with self._uow() as uow:
            needed = blobs_in_use(uow, blobs)
            adding = any(job.kind not in _ADD_NOTHING for job in uow.jobs.active())
        for key in set(blobs) - needed:
            self._blobs.delete(key, unless_added_after=began - UNTOLD if adding else began)
