"""Reports and cards through the services: what they are made of, and whose they are."""

import json
from uuid import uuid4

import pytest

from hydroml.adapters.reporting import HtmlWriter, MarkdownWriter
from hydroml.application.documents import read_specification
from hydroml.application.reporting import Format, ReportService
from hydroml.application.run_comparison import RunComparisonService
from hydroml.domain.experiments.runs import RunNotFoundError, RunStateError
from hydroml.domain.models import ModelId, ModelNotFoundError, ModelVersionNotFoundError
from hydroml.domain.projects import ProjectId, UserId
from tests.harness import Harness
from tests.unit.application.test_experiments import specification, trained


@pytest.fixture
def reports(app: Harness) -> ReportService:
    return ReportService(
        uow=app.uow,
        engine=app.engine,
        preflight=app.preflight,
        comparisons=RunComparisonService(uow=app.uow),
        blobs=app.blobs,
        writers={Format.HTML: HtmlWriter(), Format.MARKDOWN: MarkdownWriter()},
        clock=app.clock,
    )


def test_a_report_has_the_figures_of_its_run(
    app: Harness, me: UserId, project: ProjectId, reports: ReportService
) -> None:
    version = app.imported(me, project)
    run = trained(app, me, project, version)
    found = reports.file(reports.report(me, run.id), Format.MARKDOWN)
    told = found.content.decode()
    assert found.name == "Flow, report of a model run.md"
    listing = told.partition("```\n{")[2].partition("\n```")[0]
    assert read_specification(json.loads("{" + listing)) == run.specification
    assert version.fingerprint in told
    assert f"{run.outcome.metrics['test']['rmse']:.3f}" in told
    assert f"{run.outcome.counts.train} rows trained" in told
    assert "6 rows were left out because “flow” is missing in them, and 54 were used" in told
    assert "“flow” is missing in 6 rows (10.0 %); they are left out" in told, "what pre-flight says"


def test_a_run_without_a_result_has_no_report(
    app: Harness, me: UserId, project: ProjectId, reports: ReportService
) -> None:
    wanted = specification(app.imported(me, project))
    run, _ = app.runs.request(me, app.experiments.create(me, project, wanted).experiment.id)
    with pytest.raises(RunStateError):
        reports.report(me, run.id)


def test_strangers_see_neither_reports_nor_cards(
    app: Harness, me: UserId, project: ProjectId, reports: ReportService
) -> None:
    run = trained(app, me, project, app.imported(me, project))
    model = app.models.register(me, run.id, "Floods").model
    stranger = app.user()
    with pytest.raises(RunNotFoundError):
        reports.report(stranger, run.id)
    with pytest.raises(ModelNotFoundError):
        reports.card(stranger, model.id, 1)
    with pytest.raises(ModelNotFoundError):
        reports.card(me, ModelId(uuid4()), 1)


def test_runs_are_compared_for_whoever_sees_them(
    app: Harness, me: UserId, project: ProjectId, reports: ReportService
) -> None:
    version = app.imported(me, project)
    one, other = (trained(app, me, project, version) for _ in range(2))
    told = reports.file(reports.comparison(me, [one.id, other.id]), Format.MARKDOWN).content.decode()
    assert told.startswith("# 2 runs compared")
    assert f"{one.outcome.metrics['test']['rmse']:.3f}" in told
    assert "Nothing: they are of the same specification." in told
    with pytest.raises(RunNotFoundError):
        reports.comparison(app.user(), [one.id, other.id])


def test_a_card_is_of_one_version(app: Harness, me: UserId, project: ProjectId, reports: ReportService) -> None:
    version = app.imported(me, project)
    first, second = (trained(app, me, project, version) for _ in range(2))
    app.models.register(me, first.id, "Floods")
    model = app.models.register(me, second.id, "Floods").model
    told = reports.file(reports.card(me, model.id, 2), Format.HTML).content.decode()
    assert f"run {second.id}" in told
    assert str(first.id) not in told
    with pytest.raises(ModelVersionNotFoundError):
        reports.card(me, model.id, 3)
