"""Experiments: written, listed, changed."""

from dataclasses import dataclass, replace
from uuid import uuid4

from hydroml.application.access import experiment_of, project_of, version_of
from hydroml.application.activity import tell
from hydroml.application.ports.jobs import Clock
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.application.projects import check_revision
from hydroml.domain.errors import InvalidInputError, NotFoundError
from hydroml.domain.experiments.runs import Experiment, ExperimentId
from hydroml.domain.experiments.specification import Specification
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import Version


@dataclass(frozen=True, slots=True)
class ExperimentDetail:
    experiment: Experiment
    runs: int


class ExperimentService:
    def __init__(self, *, uow: UnitOfWorkFactory, clock: Clock) -> None:
        self._uow, self._clock = uow, clock

    def create(
        self,
        user: UserId,
        project_id: ProjectId,
        specification: Specification,
        parent_id: ExperimentId | None = None,
    ) -> ExperimentDetail:
        """A fork of `parent_id` remembers it. Raises InvalidInputError that names what is wrong with the specification
        for its version."""
        experiment = Experiment(
            id=ExperimentId(uuid4()),
            project_id=project_id,
            specification=specification,
            parent_id=parent_id,
            created_by=user,
            created_at=self._clock(),
        )
        with self._uow() as uow:
            project_of(uow, user, project_id, Role.EDITOR)
            _check(specification, version_in(uow, user, specification, project_id))
            uow.experiments.add(experiment)
            tell(uow, user, "created", experiment, experiment.created_at)
            uow.commit()
        return ExperimentDetail(experiment, 0)

    def get(self, user: UserId, experiment_id: ExperimentId) -> ExperimentDetail:
        with self._uow() as uow:
            experiment = experiment_of(uow, user, experiment_id)
            return ExperimentDetail(experiment, uow.experiments.run_counts([experiment_id]).get(experiment_id, 0))

    def list(self, user: UserId, project_id: ProjectId, listing: Listing) -> Slice[ExperimentDetail]:
        with self._uow() as uow:
            project_of(uow, user, project_id)
            found = uow.experiments.of_project(project_id, listing)
            counts = uow.experiments.run_counts([e.id for e in found.items])
        items = tuple(ExperimentDetail(e, counts.get(e.id, 0)) for e in found.items)
        return Slice(items, found.next_cursor, found.total)

    def update(
        self,
        user: UserId,
        experiment_id: ExperimentId,
        *,
        name: str | None = None,
        specification: Specification | None = None,
        revision: int | None = None,
    ) -> ExperimentDetail:
        """Earlier runs keep the specification they had."""
        with self._uow() as uow:
            experiment = experiment_of(uow, user, experiment_id, Role.EDITOR)
            check_revision(experiment.revision, revision)
            new = specification or experiment.specification
            if name is not None:
                new = replace(new, name=name)
            _check(new, version_in(uow, user, new, experiment.project_id))
            experiment.specification = new
            uow.experiments.save(experiment)
            tell(uow, user, "changed", experiment, self._clock())
            uow.commit()
        return self.get(user, experiment_id)

    def delete(self, user: UserId, experiment_id: ExperimentId) -> None:
        """Removes the experiment with its runs. Raises ConflictError while a model is made from one of them."""
        with self._uow() as uow:
            experiment = experiment_of(uow, user, experiment_id, Role.EDITOR)
            uow.experiments.delete(experiment_id)
            tell(uow, user, "deleted", experiment, self._clock())
            uow.commit()


def version_in(uow: UnitOfWork, user: UserId, specification: Specification, project_id: ProjectId) -> Version:
    """The specification's version; raises InvalidInputError when it is not one of the project's."""
    try:
        version, source = version_of(uow, user, specification.version_id)
    except NotFoundError:
        raise InvalidInputError.at("version_id", msg="there is no such version", code="unknown_version") from None
    if project_id not in source.project_ids:
        raise InvalidInputError.at(
            "version_id", msg=f"“{source.name}” is not in this project; add it first", code="other_project"
        )
    return version


def _check(specification: Specification, version: Version) -> None:
    faults = specification.faults(version.columns)
    if faults:
        raise InvalidInputError(faults[0].msg if len(faults) == 1 else f"{len(faults)} things are wrong", faults)
