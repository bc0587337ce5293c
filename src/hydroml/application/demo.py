"""The sample project: generated, so that nothing has to be brought along, and made once."""

from hydroml.application.imports import ImportService, Upload
from hydroml.application.ports.repositories import Listing, UnitOfWorkFactory
from hydroml.application.projects import ProjectService
from hydroml.domain.jobs import Job
from hydroml.domain.projects import Project, UserId
from hydroml.domain.sample import daily_catchments, water_samples

PROJECT = "Sample: two catchments"
DESCRIPTION = "Generated data to try things on: ten years of daily weather and flow, and a table of water samples."


class DemoService:
    def __init__(self, *, uow: UnitOfWorkFactory, projects: ProjectService, imports: ImportService) -> None:
        self._uow, self._projects, self._imports = uow, projects, imports

    def create(self, user: UserId) -> tuple[Project, list[Job]]:
        """The asker's sample project and the jobs that fill it; what is there already is left as it is."""
        mine = self._projects.list(user, Listing(search=PROJECT)).items
        project = next((p.project for p in mine if p.project.name == PROJECT), None)
        if project is None:
            project = self._projects.create(user, PROJECT, DESCRIPTION).project
        with self._uow() as uow:
            there = {source.name for source in uow.sources.of_project(project.id, Listing()).items}
        jobs = []
        for name, filename, text in (
            ("Daily catchments", "daily_catchments.csv", daily_catchments),
            ("Water samples", "water_samples.csv", water_samples),
        ):
            if name not in there:
                upload = Upload(filename, (text().encode(),), name=name)
                jobs.append(self._imports.create(user, project.id, upload)[1])
        return project, jobs
