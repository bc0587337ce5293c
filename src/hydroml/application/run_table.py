"""The table of a project's runs: what is shown of how many, in which order, in which groups."""

from collections.abc import Sequence

from hydroml.application.access import project_of
from hydroml.application.ports.repositories import MAX_LIMIT, UnitOfWorkFactory
from hydroml.application.ports.run_table import FIELDS, GROUPS, PREFIXES, RunGroup, RunQuery, RunSlice
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import ProjectId, UserId

MAX_COLUMNS = 200
MAX_GROUPS = 500
MAX_OFFSET = 1_000_000


class RunTableService:
    def __init__(self, *, uow: UnitOfWorkFactory) -> None:
        self._uow = uow

    def page(self, user: UserId, which: RunQuery) -> RunSlice:
        """Raises InvalidInputError for what the table cannot be sorted or grouped by, and for too much at once."""
        _check(which)
        with self._uow() as uow:
            project_of(uow, user, which.project_id)
            return uow.run_table.find(which)

    def groups(self, user: UserId, which: RunQuery) -> Sequence[RunGroup]:
        """The groups of `which.group_by`, the largest first."""
        if which.group_by is None:
            raise InvalidInputError.at("group_by", msg="name what to group by", code="required")
        _check(which)
        with self._uow() as uow:
            project_of(uow, user, which.project_id)
            return uow.run_table.groups(which, MAX_GROUPS)

    def columns(self, user: UserId, project_id: ProjectId) -> Sequence[str]:
        """Metrics and parameters that some run of the project has."""
        with self._uow() as uow:
            project_of(uow, user, project_id)
            return uow.run_table.names(project_id)


def _check(which: RunQuery) -> None:
    if which.sort_field not in FIELDS and not which.sort_field.startswith(PREFIXES):
        fields = ", ".join(FIELDS)
        raise InvalidInputError.at("sort", msg=f"{fields}, or a place such as metrics.test.rmse", code="sort")
    by = which.group_by
    if by is not None and by not in GROUPS and not by.startswith("parameters."):
        raise InvalidInputError.at("group_by", msg=f"{', '.join(GROUPS)}, or a parameter", code="group_by")
    if which.group is not None and by is None:
        raise InvalidInputError.at("group", msg="a group needs group_by", code="required")
    if len(which.columns) > MAX_COLUMNS:
        raise InvalidInputError.at("columns", msg=f"at most {MAX_COLUMNS} columns", code="too_many")
    for name in which.columns:
        if not name.startswith(PREFIXES):
            raise InvalidInputError.at("columns", msg=f"“{name}” is neither a metric nor a parameter", code="columns")
    if not 1 <= which.limit <= MAX_LIMIT:
        raise InvalidInputError.at("limit", msg=f"a number from 1 to {MAX_LIMIT}", code="range")
    if not 0 <= which.offset <= MAX_OFFSET:
        raise InvalidInputError.at("offset", msg=f"a number from 0 to {MAX_OFFSET:,}", code="range")
