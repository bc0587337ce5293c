"""What the table of a session is computed from: those of its steps that can run, and the other tables they read."""

from collections.abc import Iterable, Mapping

from hydroml.application.ports.repositories import UnitOfWork
from hydroml.application.ports.tables import TableEngine
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import Column, Table, VersionId
from hydroml.domain.studio.judging import Schema, judge, running
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.session import EntryId, Session
from hydroml.domain.studio.steps import Step

Others = Mapping[VersionId, Table]


def tables_of(uow: UnitOfWork, project_id: ProjectId, steps: Iterable[Step]) -> dict[VersionId, Table]:
    """Those of the steps' other versions whose data source is in the project; none that is in the trash."""
    found = uow.versions.get_many({other for step in steps for other in step.others})
    sources = {version.source_id: uow.sources.get(version.source_id) for version in found.values()}
    return {
        version.id: Table.of(version)
        for version in found.values()
        if project_id in sources[version.source_id].project_ids and sources[version.source_id].deleted_at is None
    }


def others_of(uow: UnitOfWork, session: Session, new: Iterable[Step] = ()) -> Others:
    """The other tables that the session's steps read, and new ones."""
    return tables_of(uow, session.project_id, [*(entry.step for entry in session.entries), *new])


def recipe_at(engine: TableEngine, table: Table, session: Session, tip: EntryId | None, others: Others) -> Recipe:
    """The steps on the way to `tip` that can run: the table as of any step is always there. Raises
    EntryNotFoundError."""
    steps = session.steps(session.path(tip), others)
    return running(steps, judge(steps, learnt_schema(engine, table)))


def learnt_schema(engine: TableEngine, table: Table) -> Schema:
    """The columns after a recipe, all of whose steps know what they have to learn."""

    def schema(recipe: Recipe) -> tuple[Column, ...]:
        if any(entry.step.learns and not entry.fitted for entry in recipe):
            raise InvalidInputError("it could not learn from the table before it; switch it off and on to try again")
        return engine.schema(table, recipe)

    return schema
