"""Does what HydroML needs answer, and what has to be mended if not? For `/readyz` and `hydroml doctor`."""

import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import redis

from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.settings import Settings

logger = logging.getLogger(__name__)

LEAST_DISK = 2 * 2**30
LEAST_MEMORY = 2**30


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `remedy` says what to do when it is not well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def attempt(name: str, check: Callable[[], str], remedy: str) -> Check:
    """Runs a check; whatever it raises is the fault."""
    try:
        return Check(name, True, check())
    except Exception as error:  # whatever is wrong is the answer
        logger.info("the check of the %s failed", name, exc_info=True)
        return Check(name, False, " ".join(str(error).split())[:300] or type(error).__name__, remedy)


def service_checks() -> list[Check]:
    """Database, broker and storage, each asked one small thing."""
    return [
        attempt("database", database, "start PostgreSQL, look at HYDROML_DATABASE_URL, and run: hydroml migrate"),
        attempt("broker", broker, "start Redis or Valkey, and look at HYDROML_BROKER_URL"),
        attempt("storage", storage, "look at HYDROML_STORAGE_URL, its permissions and credentials"),
    ]


def database() -> str:
    """Our schema answers."""
    with container().uow() as uow:
        return f"answers, {uow.jobs.last_sequence():,} changes of jobs so far"


def broker() -> str:
    """The broker and the cache answer."""
    settings = container().settings()
    for url in dict.fromkeys((settings.broker_url, settings.cache_url)):
        client = redis.Redis.from_url(for_redis(url), socket_timeout=3, socket_connect_timeout=3)
        try:
            client.ping()
        finally:
            client.close()
    return "answers"


def storage() -> str:
    """The blobs can be asked for."""
    container().blobs().exists("0" * 64)
    return "answers"


def storage_writes() -> str:
    """A blob can be kept and removed."""
    blobs = container().blobs()
    blob = blobs.add_bytes(os.urandom(32))
    blobs.delete(blob.key)
    return "keeps and removes"


def machine_checks(settings: Settings, static: Path) -> list[Check]:
    """Disk, memory, secrets and front end."""
    return [
        attempt("disk", lambda: disk(settings), "free some space, or move HYDROML_DATA_DIR"),
        attempt("memory", lambda: memory(settings), "give the machine more memory, or lower HYDROML_MEMORY_LIMIT"),
        attempt("secrets", lambda: secrets(settings), "chmod -R go-rwx the folder `secrets` of the data folder"),
        attempt("front end", lambda: front_end(static), "run: make build"),
    ]


def disk(settings: Settings) -> str:
    """There is room in the data folder."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    if free < LEAST_DISK:
        raise RuntimeError(f"only {free / 2**30:.1f} GiB are free in {settings.data_dir}")
    return f"{free / 2**30:.0f} GiB free"


def memory(settings: Settings) -> str:
    """The machine has what the settings allow the processes to take."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = settings.memory_limit * (settings.worker_concurrency + 1)
    if total < LEAST_MEMORY or wanted > total:
        raise RuntimeError(f"{total / 2**30:.1f} GiB are there, up to {wanted / 2**30:.1f} GiB may be taken")
    return f"{total / 2**30:.1f} GiB, of which tables may take {wanted / 2**30:.1f}"


def secrets(settings: Settings) -> str:
    """Nobody else can read them."""
    folder = settings.data_dir / "secrets"
    open_ones = [path.name for path in folder.glob("*") if path.stat().st_mode & 0o077] if folder.is_dir() else []
    if open_ones:
        raise RuntimeError(f"others can read {', '.join(sorted(open_ones))} in {folder}")
    return "closed to others" if folder.is_dir() else "set from outside"


def front_end(static: Path) -> str:
    """The pages have their scripts and styles."""
    if not (static / "dist" / "manifest.json").is_file():
        raise RuntimeError("the front end is not built")
    return "built"


def for_redis(url: str) -> str:
    """An address as Celery writes it in the form that redis-py reads."""
    if not url.startswith("redis+socket:"):
        return url
    parts = urlsplit(url)
    number = parse_qs(parts.query).get("virtual_host", ["0"])[-1]
    password = f":{parts.password}@" if parts.password else ""
    return f"unix://{password}{unquote(parts.path)}?db={number}"
