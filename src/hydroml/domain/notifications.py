"""Notifications: what somebody should hear of, kept until it is old."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from hydroml.domain.jobs import Job, JobKind, JobState
from hydroml.domain.projects import UserId

NotificationId = NewType("NotificationId", UUID)

KEPT = timedelta(days=90)
MOST_KEPT = 500
"""For each user; older ones go."""
_TEXT = 1_000


class Tone(StrEnum):
    SUCCESS = "success"
    WARNING = "warning"
    DANGER = "danger"


@dataclass(slots=True, kw_only=True)
class Notification:
    id: NotificationId
    user_id: UserId
    kind: str
    """job or rules"""
    tone: Tone
    title: str
    text: str = ""
    href: str | None = None
    """The page that shows it."""
    read: bool = False
    created_at: datetime
    sequence: int = 0
    """Grows over all notifications: what an event stream resumes from. Set by the repository."""


_UNHEARD = frozenset({JobKind.ANALYSE, JobKind.CHECK_RULES, JobKind.COMPARE})
"""Jobs that nobody waits for, or whose result speaks for itself."""
_DONE = {
    "import_file": "Imported",
    "save_session": "Saved",
    "apply_recipe": "Made by a recipe",
    "save_query": "Saved",
    "train": "Trained",
    "suite": "The suite is done",
    "predict": "Predicted",
    "export": "Exported",
}
_FAILED = {
    "import_file": "The import failed",
    "save_session": "Saving failed",
    "apply_recipe": "The recipe failed",
    "save_query": "Saving failed",
    "train": "The training failed",
    "suite": "The suite failed",
    "predict": "The prediction failed",
    "export": "The export failed",
}
_PAGES = {"source": "sources", "run": "runs", "suite": "suites", "session": "studio", "model": "models"}


def of_job(id_: NotificationId, job: Job, at: datetime) -> Notification | None:
    """What the end of a job is worth telling whoever started it; nothing of cancelled and quiet ones."""
    if job.kind in _UNHEARD or job.suite_id is not None or job.state not in (JobState.SUCCEEDED, JobState.FAILED):
        return None
    failed = job.state is JobState.FAILED
    if not failed and job.kind not in _DONE:
        return None
    name = job.subject.name if job.subject else ""
    words = _FAILED.get(job.kind, "A job failed") if failed else _DONE[job.kind]
    return Notification(
        id=id_,
        user_id=job.requested_by,
        kind="job",
        tone=Tone.DANGER if failed else Tone.SUCCESS,
        title=f"{words}: {name}" if name else words,
        text=(job.error or "")[:_TEXT] if failed else "",
        href=_page(job),
        created_at=at,
    )


def _page(job: Job) -> str | None:
    if job.subject is None:
        return None
    made = job.result.get("source_id")
    if job.state is JobState.SUCCEEDED and made and job.subject.kind != "run":
        return f"/sources/{made}"
    folder = _PAGES.get(job.subject.kind)
    return f"/{folder}/{job.subject.id}" if folder else None
