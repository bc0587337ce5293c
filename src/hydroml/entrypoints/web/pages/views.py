"""The pages. Each view checks that the asker may see the subject, then renders a frame; the data comes from the API."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from hydroml.domain.errors import NotFoundError
from hydroml.entrypoints.bootstrap import container

Crumb = tuple[str, str]


def visible(request: HttpRequest, kind: str, subject_id: UUID) -> None:
    """Answer 404 unless the subject exists and the asker may see it."""
    try:
        container().access().check(request.user.pk, kind, subject_id)
    except NotFoundError as error:
        raise Http404(str(error)) from error


def page(
    request: HttpRequest,
    name: str,
    title: str,
    *,
    ids: dict[str, UUID] | None = None,
    crumbs: Sequence[Crumb] = (),
    section: str = "",
) -> HttpResponse:
    """Render the template of a page; `section` is the link of the rail that is marked."""
    context: dict[str, Any] = {
        "page": name,
        "title": title,
        "ids": {key: str(value) for key, value in (ids or {}).items()},
        "crumbs": [{"label": label, "href": href} for label, href in crumbs],
        "section": section or name,
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
    return render(request, f"pages/{name}.html", context)


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """My projects, what runs now, what came out lately."""
    return page(request, "dashboard", "Home", section="home")


@login_required
def projects(request: HttpRequest) -> HttpResponse:
    """All my projects, and a new one."""
    return page(request, "projects", "Projects")


def _in_project(request: HttpRequest, project_id: UUID, name: str, title: str, section: str) -> HttpResponse:
    visible(request, "project", project_id)
    crumbs = [("Projects", "/projects")]
    return page(request, name, title, ids={"project": project_id}, crumbs=crumbs, section=section)


@login_required
def project(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's data sources, with the upload."""
    return _in_project(request, project_id, "project", "Data", "data")


@login_required
def import_files(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """How uploaded files are to be read, before they are imported."""
    return _in_project(request, project_id, "import", "Import", "data")


@login_required
def sessions(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's sessions in the Studio: mine, shared with me, in the trash."""
    return _in_project(request, project_id, "sessions", "Studio", "studio")


@login_required
def recipes(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's recipes."""
    return _in_project(request, project_id, "recipes", "Recipes", "recipes")


@login_required
def recipe(request: HttpRequest, recipe_id: UUID) -> HttpResponse:
    """A recipe: its steps, what it needs, what it has made."""
    visible(request, "recipe", recipe_id)
    return page(request, "recipe", "Recipe", ids={"recipe": recipe_id}, section="recipes")


@login_required
def trash(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's data sources that were thrown away: back, or gone for good."""
    return _in_project(request, project_id, "trash", "Trash", "data")


@login_required
def sql(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Queries over a project's tables."""
    return _in_project(request, project_id, "sql", "SQL", "sql")


@login_required
def experiments(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's experiments and their runs."""
    return _in_project(request, project_id, "experiments", "Experiments", "experiments")


@login_required
def wizard(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A new experiment."""
    return _in_project(request, project_id, "wizard", "New experiment", "experiments")


@login_required
def suites(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's suites."""
    return _in_project(request, project_id, "suites", "Suites", "experiments")


@login_required
def new_suite(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """What a new suite is to try."""
    return _in_project(request, project_id, "new_suite", "New suite", "experiments")


@login_required
def suite(request: HttpRequest, suite_id: UUID) -> HttpResponse:
    """A suite, live or finished: its trials and the best of them."""
    visible(request, "suite", suite_id)
    return page(request, "suite", "Suite", ids={"suite": suite_id}, section="experiments")


@login_required
def project_models(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """A project's registered models."""
    return _in_project(request, project_id, "models", "Models", "project-models")


@login_required
def members(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Who may do what in a project."""
    return _in_project(request, project_id, "members", "Members", "members")


@login_required
def models(request: HttpRequest) -> HttpResponse:
    """My models in all projects."""
    return page(request, "models", "Models", section="models")


@login_required
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """A data source: its import, facts, columns, versions and rows."""
    visible(request, "source", source_id)
    return page(request, "source", "Data source", ids={"source": source_id}, section="data")


@login_required
def studio(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A session in the Data Studio."""
    visible(request, "session", session_id)
    return page(request, "studio", "Data Studio", ids={"session": session_id})


@login_required
def formulas(request: HttpRequest) -> HttpResponse:
    """The functions that formulas and queries may use."""
    return page(request, "formulas", "Functions of formulas", section="reference")


@login_required
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A training run, live or finished."""
    try:
        visible(request, "run", run_id)
    except Http404:
        visible(request, "logged run", run_id)
        return page(request, "logged_run", "Run", ids={"run": run_id}, section="experiments")
    return page(request, "run", "Run", ids={"run": run_id}, section="experiments")


@login_required
def compare_runs(request: HttpRequest) -> HttpResponse:
    """Runs side by side; the API says which of them one may see."""
    return page(request, "compare", "Compare runs", section="experiments")


@login_required
def gallery(request: HttpRequest) -> HttpResponse:
    """What people here have published."""
    return page(request, "gallery", "Gallery", section="gallery")


@login_required
def publication(request: HttpRequest, publication_id: UUID) -> HttpResponse:
    """A published run."""
    visible(request, "publication", publication_id)
    return page(request, "publication", "Gallery", ids={"publication": publication_id}, section="gallery")


@login_required
def model(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """A registered model: versions, aliases, predictions."""
    visible(request, "model", model_id)
    return page(request, "model", "Model", ids={"model": model_id}, section="project-models")


@login_required
def jobs(request: HttpRequest) -> HttpResponse:
    """All my jobs."""
    return page(request, "jobs", "Jobs")


@login_required
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job with its log."""
    visible(request, "job", job_id)
    return page(request, "job", "Job", ids={"job": job_id}, crumbs=[("Jobs", "/jobs")], section="jobs")
