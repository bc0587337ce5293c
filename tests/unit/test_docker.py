"""The container files name settings, commands and files that exist; nobody would notice otherwise until they deploy."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydroml.entrypoints.management.cli import commands
from hydroml.entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {
    name: service for name, service in SERVICES.items() if service["image"] == "hydroml" and "entrypoint" not in service
}
KNOWN = {f"HYDROML_{name.upper()}" for name in Settings.model_fields}


def variables(text: str) -> set[str]:
    return set(re.findall(r"\bHYDROML_[A-Z_]+\b", text))


def test_every_part_is_there() -> None:
    assert set(SERVICES) == {"migrate", "web", "worker", "scheduler", "postgres", "redis", "mlflow"}


@pytest.mark.parametrize("path", ["docker/Dockerfile", "docker/compose.yaml", "docker/env.example"])
def test_variables_are_settings(path: str) -> None:
    assert variables((ROOT / path).read_text()) <= KNOWN


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(name: str) -> None:
    assert OURS[name]["command"][0] in commands()


def test_image_serves_by_default() -> None:
    command = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert command is not None
    assert yaml.safe_load(command.group(1)) == SERVICES["web"]["command"]


def test_environment_makes_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the three secrets of env.example filled in, the containers' settings are accepted."""
    secrets = ("HYDROML_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD")
    given = dict.fromkeys(secrets, "0123456789abcdefghijklmnopqrstuvwxyz")
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)
    for name, value in SERVICES["web"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda m: given.get(m[1], m[2]), value))
    settings = Settings(data_dir=tmp_path)
    assert not settings.embedded
    assert settings.sentry_dsn is None
    assert settings.trusted_proxies == ()


def test_secrets_have_no_default() -> None:
    text = (ROOT / "docker" / "compose.yaml").read_text()
    for name in ("HYDROML_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert not re.findall(rf"\$\{{{name}:-", text)
        assert re.findall(rf"\$\{{{name}:\?", text)


def test_image_runs_as_an_ordinary_user_and_tells_its_health() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root)", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert "/readyz" in final
    assert all("healthcheck" in SERVICES[name] for name in SERVICES if name != "web")


def test_copied_files_exist() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_volumes_and_dependencies_are_declared() -> None:
    for service in SERVICES.values():
        named = {
            str(volume).partition(":")[0] for volume in service.get("volumes", []) if not str(volume).startswith(".")
        }
        assert named <= set(COMPOSE["volumes"])
        assert set(service.get("depends_on", {})) <= set(SERVICES)
