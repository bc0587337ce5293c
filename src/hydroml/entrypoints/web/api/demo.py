"""The sample project."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status

from hydroml.domain.projects import ProjectId
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.web.api.common import at_job
from hydroml.entrypoints.web.api.jobs import JobOut
from hydroml.entrypoints.web.api.projects import ProjectOut

router = Router(tags=["projects"])


class DemoOut(Schema):
    """The sample project and the jobs that fill it: none when it is there already."""

    project: ProjectOut
    job: JobOut | None
    jobs: list[JobOut]


@router.post("", response={202: DemoOut})
def create_demo(request: HttpRequest, response: HttpResponse) -> Status[DemoOut]:
    """My sample project, generated; asked again, it gives what is there and adds what is missing."""
    project, jobs = container().demo().create(request.auth)
    found = [JobOut.of(job) for job in jobs]
    if jobs:
        at_job(response, jobs[0].id)
    summary = container().projects().get(request.auth, ProjectId(project.id))
    return Status(202, DemoOut(project=ProjectOut.of(summary), job=found[0] if found else None, jobs=found))
