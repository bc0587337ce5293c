"""What import-linter cannot say: it knows packages by name, and the domain may use none at all."""

import ast
import sys
from pathlib import Path

import pytest

import hydroml.domain

DOMAIN = Path(hydroml.domain.__file__).parent


@pytest.mark.parametrize("path", sorted(DOMAIN.rglob("*.py")), ids=lambda path: str(path.relative_to(DOMAIN)))
def test_domain_needs_the_standard_library_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        for module in modules:
            assert module.partition(".")[0] in sys.stdlib_module_names or module.startswith("hydroml.domain"), module
