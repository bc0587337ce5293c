"""Uploads that wait to be used."""

from datetime import timedelta
from uuid import uuid4

import pytest

from hydroml.application.ports.repositories import UnitOfWorkFactory
from hydroml.domain.projects import UserId
from hydroml.domain.uploads import FileUpload, UploadId, UploadNotFoundError
from tests.contracts.examples import NOON


def upload(owner: UserId, minutes: int = 0) -> FileUpload:
    return FileUpload(
        id=UploadId(uuid4()),
        owner_id=owner,
        filename="räume.csv",
        size=2**40,
        created_at=NOON + timedelta(minutes=minutes),
    )


def test_uploads_by_owner_and_age(uow: UnitOfWorkFactory) -> None:
    me, other = UserId(uuid4()), UserId(uuid4())
    first, second, theirs = upload(me), upload(me, 1), upload(other, 2)
    with uow() as work:
        for one in (second, theirs, first):
            work.uploads.add(one)
        work.commit()
    with uow() as work:
        assert work.uploads.get(first.id) == first
        assert list(work.uploads.of_owner(me)) == [second, first]
        assert list(work.uploads.begun_before(NOON + timedelta(minutes=1), 10)) == [first, second]
        assert list(work.uploads.begun_before(NOON + timedelta(minutes=5), 1)) == [first]
        work.uploads.delete(first.id)
        work.uploads.delete(first.id)
        with pytest.raises(UploadNotFoundError):
            work.uploads.get(first.id)
