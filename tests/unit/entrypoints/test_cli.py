"""The console script, as far as it works without Django."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hydroml
from hydroml.entrypoints.management import cli


def test_help_lists_every_command_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, text in cli.commands().items():
        assert text, f"{name} has no help"
        assert f"  {name} " in shown


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'django', 'celery', 'mlflow', 'pandas', 'pydantic', 'sqlalchemy'}"
    code = (
        "import sys; from hydroml.entrypoints.management.cli import main; "
        f"main(['--help']); print({heavy} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(hydroml.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "set()"


def test_nothing_given_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2


def test_unknown_command_is_wrong_use_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serv"]) == 2
    assert "did you mean serve?" in capsys.readouterr().err


def test_wrong_option_is_wrong_use() -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["serve", "--prot", "1"])
    assert caught.value.code == 2


def test_wrong_configuration_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HYDROML_SECRET_KEY", "short")
    assert cli.main(["serve"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hydroml serve: HYDROML_SECRET_KEY must be")
    assert error.count("\n") == 1
