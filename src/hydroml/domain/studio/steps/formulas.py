"""What can be told of a formula without knowing its language in full."""

import re

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_OVER = re.compile(r"\bover\b", re.IGNORECASE)


def looks_at_other_rows(formula: str) -> bool:
    """Whether it has a window: the word OVER outside of quotes and comments. A column called over, without quotes, is
    taken for one too; the table engine refuses a formula whose window this overlooks."""
    return _OVER.search(_QUOTED.sub(" ", formula)) is not None
