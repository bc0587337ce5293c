"""What of a run of MLflow's stands in which column."""

from math import inf, nan
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from hydroml.domain.experiments.logged import MAX_TEXT, MAX_VALUES, kept, logged_run_id
from tests.contracts import examples


def test_names_that_hydroml_logs_itself_stand_in_its_own_columns() -> None:
    metrics = {
        "test_rmse": 1.0,
        "train_rmse": 0.5,
        "rmse": 2.0,
        "test_loss": 3.0,
        "val.loss": inf,
        "validation_nse": 0.1,
    }
    run = examples.logged_run(examples.project(), metrics=metrics, params={"lr": "1e-3", "kind": "nan", "a.b": "x"})
    assert run.columns == {
        "metrics.test.rmse": 1.0,
        "metrics.train.rmse": 0.5,
        "metrics.validation.nse": 0.1,
        "metrics.logged.rmse": 2.0,
        "metrics.logged.test_loss": 3.0,
        "parameters.lr": 0.001,
        "parameters.kind": "nan",
        "parameters.a.b": "x",
    }
    assert run.score is not None
    assert run.score.metric == "rmse"
    assert examples.logged_run(examples.project(), metrics={"test_rmse": nan, "loss": 1.0}).score is None


@given(st.dictionaries(st.text(max_size=600), st.text(max_size=600), max_size=30))
def test_what_is_kept_can_be_stored(values: dict[str, str]) -> None:
    for name, value in kept(values | {"mlflow.user": "x", "hydroml.run_id": "y"}).items():
        assert not name.startswith(("mlflow.", "hydroml."))
        assert max(len(name), len(value)) <= MAX_TEXT
        assert "\x00" not in name + value


def test_not_more_than_so_many_are_kept() -> None:
    assert len(kept({str(number): "" for number in range(MAX_VALUES + 10)})) == MAX_VALUES


def test_an_id_is_always_the_same_and_never_another_runs() -> None:
    one, other = uuid4().hex, uuid4().hex
    assert logged_run_id(one) == logged_run_id(one) != logged_run_id(other)
