"""MLflow's own client against a whole installation, and what it logs in a real browser."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hydroml.entrypoints.supervisor.processes import wait_until
from tests.e2e.calls import call
from tests.e2e.conftest import Watched, axe_faults

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SCRIPT = textwrap.dedent("""
    import sys
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(sys.argv[1])
    mlflow.set_experiment(sys.argv[2])
    with mlflow.start_run(run_name="outer") as outer:
        mlflow.log_params({"depth": 3, "kernel": "rbf"})
        mlflow.log_metrics({"test_rmse": 0.42, "loss": 0.5})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 4), step=step)
        with mlflow.start_run(run_name="inner", nested=True):
            mlflow.log_metric("test_rmse", 0.25)
        mlflow.log_text("Herons.", "notes/herons.txt")
        mlflow.log_text("", "empty.txt")
        mlflow.log_text("x" * 3_000_000, "large.txt")
    found = mlflow.search_runs(order_by=["metrics.test_rmse ASC"])
    assert list(found["tags.mlflow.runName"]) == ["inner", "outer"], found
    client = mlflow.MlflowClient()
    assert len(client.get_metric_history(outer.info.run_id, "loss")) == 4
    assert mlflow.artifacts.load_text(f"runs:/{outer.info.run_id}/notes/herons.txt") == "Herons."
    assert len(mlflow.artifacts.load_text(f"runs:/{outer.info.run_id}/large.txt")) == 3_000_000
    assert len(client.search_experiments()) == 1
    for forbidden in (
        lambda: mlflow.set_experiment("Somebody else's"),
        lambda: client.search_runs(["0"]),
        lambda: client.get_run("0" * 32),
        lambda: client.create_registered_model("mine"),
        lambda: client.set_tag(outer.info.run_id, "hydroml.run_id", "x"),
    ):
        try:
            forbidden()
        except MlflowException as error:
            assert error.get_http_status_code() in (403, 404), error
        else:
            raise AssertionError("it was not refused")
    print(outer.info.run_id)
""")


def log(address: str, token: str, experiment: str, folder: Path) -> str:
    """What a script prints that logs runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    settings = {"MLFLOW_TRACKING_TOKEN": token, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"{address}/mlflow", experiment],
        env=environment | settings,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()[-1]


def test_runs_of_mlflows_client_stand_beside_ours(watched: Watched, address: str, sample: str, tmp_path: Path) -> None:
    page: Page = watched.page
    project = sample.rsplit("/", 1)[-1]
    page.goto(f"{sample}/experiments")
    page.get_by_role("button", name="Log with MLflow").click()
    code = page.get_by_label("Python code")
    expect(code).to_contain_text(f'mlflow.set_tracking_uri("{address}/mlflow")')
    assert axe_faults(page) == []
    experiment = re.search(r'set_experiment\("(.+)"\)', code.inner_text())
    assert experiment is not None
    page.get_by_role("button", name="Close").click()
    token = call(page, "POST", "/me/tokens", {"name": "laptop", "scopes": ["mlflow"]})["token"]

    mlflow_id = log(address, token, experiment[1], tmp_path)

    table = page.get_by_role("region", name="Runs", exact=True).get_by_role("table")
    outer = table.get_by_role("row").filter(has_text="outer")

    assert wait_until(lambda: len(call(page, "GET", f"/projects/{project}/runs?status=succeeded")["items"]) == 2, 120)
    page.goto(f"{sample}/experiments?sort=metrics.test.rmse&columns=status,metrics.test.rmse,metrics.logged.loss")
    expect(outer).to_contain_text(re.compile(r"logged with MLflow.*Succeeded.*0\.420.*0\.167", re.DOTALL))
    expect(table.get_by_role("row").nth(1)).to_contain_text("inner")
    assert axe_faults(page) == []
    page.get_by_label("Group by").select_option("origin")
    expect(page.get_by_role("region", name="Groups of runs")).to_contain_text("logged with MLflow")

    page.goto(f"{sample}/experiments")
    page.get_by_label("Tick all runs of this page").check()
    page.get_by_role("button", name="Compare 2 runs").click()
    expect(page.get_by_text("2 of 2 were logged with MLflow")).to_be_visible()
    best = page.get_by_role("region", name="Metrics of the runs").get_by_role("row").filter(has_text="RMSE")
    expect(best).to_contain_text("the best")

    page.get_by_role("region", name="Metrics of the runs").get_by_role("link", name="inner").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("inner")
    page.get_by_role("link", name="outer").click()
    expect(page.get_by_role("region", name="Parameters")).to_contain_text("rbf")
    expect(page.get_by_text("HydroML did not compute this run")).to_be_visible()
    assert axe_faults(page) == []
    shown = page.get_by_role("link", name="Open in MLflow").get_attribute("href")
    assert shown == f"/mlflow/#/runs/{mlflow_id}"
    watched.expected = re.compile("/mlflow/ajax-api/")  # its pages ask for more than they get
    page.goto(f"{address}{shown}")
    expect(page.get_by_text("kernel").first).to_be_visible()
    expect(page.get_by_text("test_rmse").first).to_be_visible()
