"""What people script: output, exit codes, and the same result as through the pages."""

import json
import os
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from sqlalchemy import text

from hydroml.domain.experiments.runs import RunId, SuiteId
from hydroml.domain.jobs import JobId, JobState
from hydroml.domain.projects import ProjectId, UserId
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Filter
from hydroml.entrypoints import checks
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management import cli
from hydroml.entrypoints.management.commands import _acting
from hydroml.entrypoints.web.accounts import users
from hydroml.entrypoints.web.accounts.models import User
from tests.reproducing import said_by

COMMANDS = (
    "apply_recipe", "collect_garbage", "create_token", "create_user", "demo", "doctor", "export_run", "export_version",
    "import_source", "migrate",
    "predict", "review_model", "run_experiment", "sync_mlflow", "verify_audit",
    "write_card", "write_comparison", "write_report",
)  # fmt: skip
CSV = "date,flow,site\n" + "".join(f"2020-01-{d:02},{d}.5,{'A' if d % 2 else 'B'}\n" for d in range(1, 31))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flows.csv"
    path.write_text(CSV)
    return path


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an embedded installation that is not being served: jobs are done by the command itself."""
    monkeypatch.setattr(_acting, "UNTAKEN_SECONDS", 0.0)
    monkeypatch.setattr(type(container().settings()), "embedded", True)


def finish(job_id: Any) -> None:
    container().runner().execute(JobId(UUID(str(job_id))), f"test-{uuid4()}", lambda: None)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_listed_and_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.commands()[name]
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--help")
    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_migrate_can_be_repeated(run: Any) -> None:
    assert run("migrate") == {"migrated": True}
    assert run("migrate") == {"migrated": True}


def test_a_created_user_can_log_in(run: Any) -> None:
    made = run("create_user", "dora", "--admin")
    user = User.objects.get(pk=made["id"])
    assert user.check_password(made["password"])
    assert user.is_superuser
    assert Client().login(username="dora", password=made["password"])


def test_a_password_comes_on_standard_input(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("a long enough pass phrase\n"))
    made = run("create_user", "dora", "--password-stdin")
    assert "password" not in made
    assert User.objects.get(username="dora").check_password("a long enough pass phrase")


@pytest.mark.parametrize("password", ["short\n", "password1234\n", "\n"])
def test_a_weak_password_is_refused(password: str, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(password))
    with pytest.raises(CommandError) as refused:
        run("create_user", "dora", "--password-stdin")
    assert refused.value.returncode == 1
    assert not User.objects.exists()


def test_a_name_is_given_once(run: Any, admin: User) -> None:
    with pytest.raises(CommandError, match="already"):
        run("create_user", "ADMIN")
    assert run("create_user", "admin", "--admin", "--generated-password") == {"username": "admin", "created": False}
    assert User.objects.get(pk=admin.pk).check_password("a long enough pass phrase")


@pytest.mark.parametrize(("arguments", "scopes"), [((), ["read", "write"]), (("--scope", "read"), ["read"])])
def test_a_created_token_opens_the_api(run: Any, admin: User, arguments: tuple[str, ...], scopes: list[str]) -> None:
    made = run("create_token", "admin", "--days", "1", *arguments)
    assert made["scopes"] == scopes
    assert Client(headers={"Authorization": f"Bearer {made['token']}"}).get("/api/v1/me").status_code == 200


def test_a_token_needs_somebody(run: Any) -> None:
    with pytest.raises(CommandError, match="no user"):
        run("create_token", "nobody")


def test_imports_a_file_like_an_upload(run: Any, admin: User, file: Path) -> None:
    done = run("import_source", str(file), "--project", "Rivers", "--name", "Flows", "--wait")
    assert (done["rows"], done["columns"]) == (30, 3)
    again = run("import_source", str(file), "--project", "Rivers", "--wait")
    assert again["project_id"] == done["project_id"]
    detail = container().sources().get(UserId(admin.pk), UUID(done["source_id"]))
    assert detail.source.name == "Flows"
    assert detail.current is not None
    assert [original.filename for original in detail.current.origin.originals] == ["flows.csv"]


def test_an_import_that_is_not_waited_for_is_queued(run: Any, admin: User, file: Path) -> None:
    queued = run("import_source", str(file), "--project", "Rivers")
    job = container().jobs().get(UserId(admin.pk), JobId(UUID(queued["job_id"])))
    assert job.state is JobState.QUEUED


def test_a_broken_file_fails_with_its_reason(run: Any, admin: User, tmp_path: Path) -> None:
    broken = tmp_path / "empty.csv"
    broken.write_bytes(b"")
    with pytest.raises(CommandError) as failed:
        run("import_source", str(broken), "--project", "Rivers", "--wait")
    assert failed.value.returncode == 1
    assert "import_file failed" in str(failed.value)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import_source", "/no/such/file", "--project", "x"), 2),
        (("import_source", "FILE", "--project", "x", "--option", "nonsense"), 2),
        (("import_source", "FILE", "--project", "x", "--option", "delimiter=;;"), 1),
        (("run_experiment", "/no/such/file", "--project", "x"), 2),
        (("run_experiment", "FILE", "--project", "x"), 2),
        (("predict", "model", "/no/such/file", "out.csv"), 2),
        (("predict", "model", "FILE", "/no/such/folder/out.csv"), 2),
        (("predict", "model", "FILE", "out.csv"), 1),
        (("write_report", "00000000-0000-0000-0000-000000000001", "report.docx"), 2),
        (("write_report", "00000000-0000-0000-0000-000000000001", "/no/such/folder/report.pdf"), 2),
        (("write_report", "00000000-0000-0000-0000-000000000001", "report.pdf"), 1),
        (("write_card", "model", "card.md"), 1),
    ],
)
def test_wrong_use_is_told_from_failure(
    run: Any, admin: User, file: Path, arguments: tuple[str, ...], code: int
) -> None:
    with pytest.raises(CommandError) as refused:
        run(*(str(file) if argument == "FILE" else argument for argument in arguments))
    assert refused.value.returncode == code


def test_without_anybody_nothing_can_act(run: Any, file: Path) -> None:
    with pytest.raises(CommandError, match="create_user") as refused:
        run("import_source", str(file), "--project", "x")
    assert refused.value.returncode == 2


def test_a_specification_may_name_its_source(run: Any, admin: User, file: Path, tmp_path: Path) -> None:
    run("import_source", str(file), "--project", "Rivers", "--name", "Flows", "--wait")
    specification = tmp_path / "flow.json"
    document = {"name": "Flow", "source": "Flows", "target": "flow", "features": ["site"]}
    specification.write_text(json.dumps(document))
    checked = run("run_experiment", str(specification), "--project", "Rivers", "--check")
    assert checked["estimate"]["training_rows"] == 24
    started = run("run_experiment", str(specification), "--project", "Rivers")
    found = container().runs().get(UserId(admin.pk), UUID(started["run_id"])).run
    assert found.specification.target == "flow"
    specification.write_text(json.dumps(document | {"target": "nothing"}))
    with pytest.raises(CommandError, match="target: there is no column “nothing”"):
        run("run_experiment", str(specification), "--project", "Rivers", "--check")
    with pytest.raises(CommandError, match="nothing"):
        run("run_experiment", str(specification), "--project", "Rivers")


def test_a_report_and_a_card_are_written(run: Any, admin: User, file: Path, tmp_path: Path) -> None:
    run("import_source", str(file), "--project", "Rivers", "--name", "Flows", "--wait")
    specification = tmp_path / "flow.json"
    algorithm = {"name": "linear_regression"}
    specification.write_text(json.dumps({"name": "F", "source": "Flows", "target": "flow", "algorithm": algorithm}))
    done = run("run_experiment", str(specification), "--project", "Rivers", "--wait")
    run("write_report", done["run_id"], str(tmp_path / "report.md"))
    report = (tmp_path / "report.md").read_text()
    assert f"{done['metrics']['test']['mae']:.3f}" in report
    assert "Linear regression" in report
    run("write_report", done["run_id"], str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    again = run("run_experiment", str(specification), "--project", "Rivers", "--wait")
    run("write_comparison", str(tmp_path / "both.md"), done["run_id"], again["run_id"])
    assert f"{done['metrics']['test']['mae']:.3f}" in (tmp_path / "both.md").read_text()
    container().models().register(UserId(admin.pk), RunId(UUID(done["run_id"])), "Floods")
    written = run("write_card", "Floods", str(tmp_path / "card.HTML"), "--project", "Rivers", "--version", "1")
    assert written["version"] == 1
    assert "Floods, version 1" in (tmp_path / "card.HTML").read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_suite_is_run_from_a_document(run: Any, admin: User, file: Path, tmp_path: Path) -> None:
    run("import_source", str(file), "--project", "Rivers", "--name", "Flows", "--wait")
    suite = tmp_path / "suite.json"
    specification = {"name": "Flow", "source": "Flows", "target": "flow", "features": ["site"]}
    document = {"specification": specification, "plan": {"kind": "sweep"}, "parallel": 1}
    suite.write_text(json.dumps(document))
    started = run("run_suite", str(suite), "--project", "Rivers")
    detail = container().suites().get(UserId(admin.pk), SuiteId(UUID(started["suite_id"])))
    assert detail.suite.status == "running"
    suite.write_text(json.dumps(document | {"plans": {}}))
    with pytest.raises(CommandError, match="unknown plans"):
        run("run_suite", str(suite), "--project", "Rivers")


def test_the_sample_project_is_made_once(run: Any, admin: User) -> None:
    first = run("demo")
    assert len(first["jobs"]) == 2
    again = run("demo")
    assert (again["project_id"], again["jobs"]) == (first["project_id"], [])


def test_somebody_else_may_act(run: Any, admin: User) -> None:
    dora = users.create("dora", "a long enough pass phrase")[0]
    made = run("demo", "--user", "dora", "--no-wait")
    container().access().check(UserId(dora.pk), "project", UUID(made["project_id"]))


def test_doctor_finds_all_well_but_for_the_front_end(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "front_end", lambda _: "built")
    monkeypatch.setattr(checks, "disk", lambda _: "enough")
    monkeypatch.setattr(checks, "memory", lambda _: "enough")
    out = StringIO()
    call_command("doctor", stdout=out)
    assert "FAULT" not in out.getvalue()


def test_doctor_says_what_to_mend(tmp_path: Path) -> None:
    out = StringIO()
    with pytest.raises(CommandError) as found:
        call_command("doctor", "--json", stdout=out)
    assert found.value.returncode == 1
    document = json.loads(out.getvalue())
    faults = {check["name"]: check["remedy"] for check in document["checks"] if not check["ok"]}
    assert not document["ok"]
    assert "create_user" in faults["users"]


def test_doctor_sees_open_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "secret_key").write_text("x")
    (folder / "secret_key").chmod(0o644)
    settings = container().settings().model_copy(update={"data_dir": tmp_path})
    with pytest.raises(RuntimeError, match="secret_key"):
        checks.secrets(settings)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis+socket://:pw@/run/valkey.sock?virtual_host=3", "unix://:pw@/run/valkey.sock?db=3"),
    ],
)
def test_the_brokers_address_is_understood(given: str, read: str) -> None:
    assert checks.for_redis(given) == read


def test_a_version_is_exported_to_a_file(run: Any, admin: User, file: Path, tmp_path: Path) -> None:
    imported = run("import_source", str(file), "--project", "Rivers", "--wait")
    out = tmp_path / "out.tsv"
    made = run(
        "export_version", imported["version_id"], str(out), "--columns", "site,flow", "--filter", "flow > 28",
        "--sort=-flow", "--limit", "2", "--option", "decimal=,", "--option", "header=false",
    )  # fmt: skip
    assert (made["rows"], out.read_text()) == (2, "B\t30,5\nA\t29,5\n")
    assert run("export_version", imported["version_id"], str(tmp_path / "out.xlsx"))["rows"] == 30
    out.write_text("kept")
    for arguments in ((str(out), "--filter", "no >"), (str(tmp_path / "out.pdf"),), (str(out), "--option", "colour=1")):
        with pytest.raises(CommandError):
            run("export_version", imported["version_id"], *arguments)
    assert out.read_text() == "kept"
    with pytest.raises(CommandError, match="does not exist"):
        run("export_version", str(uuid4()), str(out))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flows.csv", "out.tsv", "out.xlsx"]


def test_a_run_is_exported_and_says_the_same(run: Any, admin: User, file: Path, tmp_path: Path) -> None:
    run("import_source", str(file), "--project", "Rivers", "--name", "Flows", "--wait")
    specification = tmp_path / "flow.json"
    algorithm = {"name": "ridge", "hyperparameters": {}}
    document = {"name": "Flow", "source": "Flows", "target": "flow", "features": ["site"], "algorithm": algorithm}
    specification.write_text(json.dumps(document))
    made = run("run_experiment", str(specification), "--project", "Rivers", "--wait")
    folder, script = tmp_path / "code", tmp_path / "flow.py"
    run("export_run", made["run_id"], str(tmp_path / "code.zip"))
    run("export_run", made["run_id"], str(tmp_path / "flow.ipynb"))
    run("export_run", made["run_id"], str(script))
    with zipfile.ZipFile(tmp_path / "code.zip") as archive:
        archive.extractall(folder)
    assert (folder / "experiment.py").read_text("utf-8") == script.read_text("utf-8")
    assert (folder / "experiment.ipynb").read_text("utf-8") == (tmp_path / "flow.ipynb").read_text("utf-8")
    assert said_by(folder / "experiment.py").endswith(" figures are identical.\n")
    for identity, out in ((made["run_id"], "flow.pdf"), (str(uuid4()), "other.py")):
        with pytest.raises(CommandError):
            run("export_run", identity, str(tmp_path / out))
        assert not (tmp_path / out).exists()


def test_a_changed_entry_of_the_activity_is_found(run: Any, admin: User, file: Path) -> None:
    run("import_source", str(file), "--project", "Rivers", "--wait")
    sound = run("verify_audit")
    assert (sound["entries"], sound["breaks"], len(sound["hash"])) == (3, [], 64)
    with container().engine().begin() as connection:
        connection.execute(text("UPDATE hydroml.activity SET verb = 'deleted' WHERE sequence = 2"))
    out = StringIO()
    with pytest.raises(CommandError, match="broken in 1 places") as broken:
        call_command("verify_audit", "--json", stdout=out)
    assert broken.value.returncode == 1
    assert json.loads(out.getvalue())["breaks"] == [{"sequence": 2, "reason": "it was changed, moved or put in"}]


def test_garbage_is_counted_and_collected(run: Any, admin: User, file: Path) -> None:
    run("import_source", str(file), "--project", "Rivers", "--wait")
    left = container().blobs().add_bytes(b"nobody told the database of me")
    os.utime(container().settings().data_dir / "blobs" / left.key[:2] / left.key, (0, 0))
    counted = {"blobs": 1, "uploads": 0, "folders": 0, "exports": 0, "computed": 0, "size": left.size}
    assert run("collect_garbage", "--dry-run") == {**counted, "dry_run": True}
    assert container().blobs().exists(left.key)
    assert run("collect_garbage") == {**counted, "dry_run": False}
    assert not container().blobs().exists(left.key)


def test_what_others_logged_is_read_at_once(run: Any, admin: User) -> None:
    from mlflow import MlflowClient

    user = UserId(admin.pk)
    project = container().projects().create(user, "Rivers").project
    uri = container().settings().mlflow_tracking_uri
    client = MlflowClient(uri, uri)
    client.create_run(container().tracker().experiment(project.id, project.name), run_name="theirs")
    assert run("sync_mlflow", "--project", "Rivers") == {"recorded": 0, "read": 1}
    assert run("sync_mlflow") == {"recorded": 0, "read": 0}
    with container().uow() as uow:
        assert len(uow.logged_runs.ids(project.id)) == 1


def test_a_recipe_is_applied_by_name_in_part_and_to_a_new_source(run: Any, admin: User, file: Path) -> None:
    user = UserId(admin.pk)
    imported = run("import_source", str(file), "--project", "Rivers", "--name", "Flows", "--wait")
    project = ProjectId(UUID(imported["project_id"]))
    steps = (RecipeStep(Filter("flow > 20")), RecipeStep(Filter("snow > 1")))
    recipe = container().recipes().create(user, project, "High", steps)
    with pytest.raises(CommandError, match="snow") as refused:
        run("apply_recipe", "High", "--source", "Flows")
    assert refused.value.returncode == 1
    done = run("apply_recipe", "High", "--source", "Flows", "--partial", "--wait")
    assert (done["source_id"], done["left_out"]) == (imported["source_id"], ["keep rows where snow > 1"])
    assert done["rows"] < 30
    ids = ("apply_recipe", str(recipe.id), "--source", imported["source_id"], "--project", "Rivers", "--partial")
    queued = run(*ids, "--name", "High flows")
    assert queued["source_id"] != imported["source_id"]
    for name, source in (("None", "Flows"), ("High", "None"), (str(uuid4()), "Flows")):
        with pytest.raises(CommandError):
            run("apply_recipe", name, "--source", source)
    container().recipes().create(user, project, "High", steps)
    with pytest.raises(CommandError, match="give the id") as doubtful:
        run("apply_recipe", "High", "--source", "Flows", "--partial")
    assert doubtful.value.returncode == 2
