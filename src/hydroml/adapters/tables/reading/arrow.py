"""Arrow and Feather files, by way of Parquet; a process of its own reads them, since a damaged one can end it."""

from pathlib import Path

from hydroml.adapters.tables.reading import apart
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.sources import UnreadableFileError

_MEMORY = 3 << 30
_SECONDS = 3_600
_SCRIPT = Path(__file__).with_name("arrow_file.py")


def as_parquet(file: Path, out: Path, monitor: Monitor | None = None) -> tuple[str, ...]:
    """Writes the table as Parquet and gives remarks. Raises UnreadableFileError for a damaged file, or a bomb."""
    question = {"file": str(file), "out": str(out), "memory": _MEMORY, "seconds": _SECONDS}
    answer = apart.answer(_SCRIPT, question, monitor)
    if "notes" not in answer:
        reason = "the Arrow file is damaged, or needs far more memory than a table would"
        raise UnreadableFileError(answer.get("refused", reason))
    return tuple(answer["notes"])
