"""What the documents claim."""

import re
from pathlib import Path

from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.quality.kinds import KINDS
from hydroml.domain.rules import CHECKS
from hydroml.domain.studio.steps import STEPS
from hydroml.entrypoints.management.cli import commands
from hydroml.entrypoints.settings import Settings

ROOT = Path(__file__).parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_documented() -> None:
    names = {"SENTRY_DSN" if name == "sentry_dsn" else f"HYDROML_{name.upper()}" for name in Settings.model_fields}
    assert names - set(re.findall(r"`(HYDROML_[A-Z_]+|SENTRY_DSN)`", text("docs/operation.md"))) == set()


def test_every_command_is_documented() -> None:
    assert set(commands()) - set(re.findall(r"`([a-z_]+)[ `]", text("docs/commands.md"))) == set()


def test_every_step_algorithm_and_metric_is_documented() -> None:
    assert [kind.info.title for kind in STEPS if f"### {kind.info.title}\n" not in text("docs/steps.md")] == []
    experiments = text("docs/experiments.md")
    assert [name for name in ALGORITHMS if f"`{name}`" not in experiments] == []
    told = [(f"| `{m.name}` | {m.title} | ", m.definition.replace("|", "\\|")) for m in METRICS.values()]
    assert [begin + definition for begin, definition in told if begin + definition not in experiments] == []


def test_every_kind_of_finding_and_rule_is_documented() -> None:
    findings = text("docs/data/quality.md")
    assert [kind for kind in KINDS if f"`{kind}`" not in findings] == []
    rules = text("docs/data/rules.md")
    assert [kind for kind in CHECKS if f"| `{kind.__dataclass_fields__['kind'].default}` |" not in rules] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} names {target}"


def test_every_folder_the_architecture_names_is_there() -> None:
    tree = text("ARCHITECTURE.md").split("```")[1]
    for name in ("domain", "application", "adapters", "entrypoints"):
        assert f"  {name}/" in tree
    for folder in (ROOT / "src/hydroml/adapters").iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            assert f"{folder.name}/" in tree
