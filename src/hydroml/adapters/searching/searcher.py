"""The port `Searcher` on Optuna, with its tables in a schema of our database."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

import psycopg

from hydroml.application.ports.searching import Proposal
from hydroml.domain.errors import DomainError, UnavailableError
from hydroml.domain.experiments.algorithms import HyperparameterValue
from hydroml.domain.experiments.runs import SuiteId
from hydroml.domain.experiments.suites import Suite, Trial

# Every process builds the container, and Optuna takes a second to import. So this module does not import it: the one
# that does is imported at the first use.

SCHEMA = "optuna"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOCK = 0x4F7074756E61


class OptunaSearcher:
    """Connects at first use. Belongs to one process."""

    def __init__(self, database_url: str) -> None:
        url = urlsplit(database_url)
        self._plain = urlunsplit(url._replace(scheme="postgresql"))
        path = "options=" + quote(f"-csearch_path={SCHEMA}", safe="")
        query = f"{url.query}&{path}" if url.query else path
        self._url = urlunsplit(url._replace(scheme="postgresql+psycopg", query=query))
        self._made: Any = None

    def propose(self, suite: Suite, trials: Sequence[Trial]) -> Proposal | None:
        with _answering():
            proposal: Proposal | None = self._studies().propose(suite, trials)
            return proposal

    def suggest(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, HyperparameterValue]:
        from hydroml.adapters.searching.studies import suggest

        return suggest(suite, trials)

    def gives_up(self, suite: Suite, number: int, fold: int, score: float) -> bool:
        with _answering():
            return bool(self._studies().gives_up(suite, number, fold, score))

    def importance(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, float]:
        with _answering():
            found: Mapping[str, float] = self._studies().importance(suite, trials)
            return found

    def known(self) -> Sequence[SuiteId]:
        """Without Optuna, which the scheduler need not import to ask once a day."""
        with _answering(), psycopg.connect(self._plain, connect_timeout=5) as connection:
            there = connection.execute("SELECT to_regclass('optuna.studies')").fetchone()
            if there is None or there[0] is None:
                return []
            names = connection.execute("SELECT study_name FROM optuna.studies").fetchall()
        return [SuiteId(UUID(name)) for (name,) in names if _ID.fullmatch(name)]  # others may keep their own there

    def forget(self, suite_id: SuiteId) -> None:
        with _answering():
            self._studies().forget(suite_id)

    def _studies(self) -> Any:
        if self._made is None:
            with psycopg.connect(self._plain, connect_timeout=5, autocommit=True) as connection:
                # Held by the connection: no other process makes Optuna's tables at the same time.
                connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")

                from hydroml.adapters.searching.studies import Studies

                self._made = Studies(self._url)
        return self._made


@contextmanager
def _answering() -> Iterator[None]:
    """What the storage and the driver below it raise means that Optuna's tables are out of reach just now."""
    try:
        yield
    except DomainError:
        raise
    except psycopg.Error as error:
        raise UnavailableError(f"the search cannot be stored: {error}") from error
