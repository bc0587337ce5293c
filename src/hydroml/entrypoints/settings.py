"""What can be set from outside: environment variables that begin with `HYDROML_`, and `SENTRY_DSN`.

Without `HYDROML_DATABASE_URL` the platform is *embedded*: PostgreSQL and Valkey live in the data folder, and every
address is derived from it. With it, it is a *server* installation, which has to say where its broker is and bring its
own secret. The code behind the settings is the same.
"""

import os
import secrets
import stat
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ByteSize,
    Field,
    PositiveInt,
    SecretStr,
    TypeAdapter,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_LENGTH = 32
_SOCKET_NAME = "/postgres/.s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 100  # the kernel refuses more than 107 bytes
_POSTGRES_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg"}
_GUESSABLE = ("change", "secret", "insecure", "example", "password", "default")


def _split(value: object) -> object:
    """`a, b` → ("a", "b"), since a list in an environment variable is written with commas."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """The whole configuration of one process, checked when it is made; raises `pydantic.ValidationError`.

    Addresses may hold passwords, so they are kept out of the representation.
    """

    model_config = SettingsConfigDict(
        env_prefix="HYDROML_",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
        env_ignore_empty=True,
    )

    data_dir: Path
    database_url: str = Field(repr=False)
    broker_url: str = Field(repr=False)
    """For Celery: `redis://…`, or `redis+socket://…?virtual_host=0` for a socket."""
    cache_url: str = Field(repr=False)
    """For redis-py: `redis://…`, or `unix://…?db=1` for a socket."""
    storage_url: str = Field(repr=False)
    """`file:///folder` or `s3://bucket/prefix?endpoint=https://…`."""
    mlflow_tracking_uri: str = Field(repr=False)
    secret_key: SecretStr

    allowed_hosts: Names = ("localhost", "127.0.0.1", "[::1]")
    trusted_proxies: Names = ()
    https: bool
    """Served under https: secure cookies and HSTS. A server installation is, unless it says otherwise."""
    signup_open: bool = True
    debug: bool = False

    memory_limit: ByteSize
    """Memory that the table engine may take in one process before it spills to disk."""
    cache_limit: ByteSize = ByteSize(20_000_000_000)
    """Disk that the table engine may take on a machine to be faster; what was not used for longest leaves first."""
    threads: PositiveInt
    worker_concurrency: PositiveInt = 2
    lease_seconds: PositiveInt = 30
    """A running job that shows no sign of life for this long is taken up again."""
    max_upload_bytes: ByteSize = ByteSize(20_000_000_000)
    export_days: PositiveInt = 7
    """How long the file of an export is kept."""

    log_format: Literal["text", "json"]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    sentry_dsn: str | None = Field(default=None, repr=False, validation_alias=AliasChoices("SENTRY_DSN", "sentry_dsn"))

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in what was not given: from the data folder when embedded, from the database's address otherwise."""
        values = {key: value for key, value in given.items() if value is not None}
        data_dir = Path(values.get("data_dir") or default_data_dir()).expanduser().absolute()
        embedded = "database_url" not in values
        values["data_dir"] = data_dir
        if embedded:
            _fill_embedded(values, data_dir)
        else:
            _fill_server(values, data_dir)
        values.setdefault("storage_url", (data_dir / "blobs").as_uri())
        values.setdefault("https", not embedded)
        values.setdefault("log_format", "text" if embedded else "json")
        values.setdefault("threads", _processors())
        values.setdefault("memory_limit", _default_memory(int(values.get("worker_concurrency", 2))))
        return values

    @field_validator("secret_key")
    @classmethod
    def _refuse_weak_secret(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        if len(text) < SECRET_LENGTH or len(set(text)) < 8 or text.lower().startswith(_GUESSABLE):
            raise ValueError(
                f"must be at least {SECRET_LENGTH} random characters; "
                "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return secret

    @field_validator("storage_url")
    @classmethod
    def _known_storage(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"file", "s3"}:
            raise ValueError("must begin with file:// or s3://")
        return url

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in _POSTGRES_SCHEMES:
            raise ValueError("must be the address of a PostgreSQL database: postgresql://user:password@host/name")
        return f"postgresql+psycopg://{rest}"

    @property
    def run_dir(self) -> Path:
        """Where the sockets and locks of the embedded services are."""
        return run_dir(self.data_dir)

    @property
    def tmp_dir(self) -> Path:
        """For files that need not outlive the process."""
        return self.data_dir / "tmp"

    @property
    def log_dir(self) -> Path:
        """The logs of the embedded services and processes."""
        return self.data_dir / "log"

    @property
    def mlflow_is_elsewhere(self) -> bool:
        """Whether MLflow is a tracking server, which others may reach without us."""
        return urlsplit(self.mlflow_tracking_uri).scheme in ("http", "https")

    @property
    def embedded(self) -> bool:
        """Whether the database is the private one in the data folder."""
        return _socket_dir(self.database_url) == str(self.run_dir / "postgres")

    @property
    def embedded_broker(self) -> bool:
        """Whether the broker is the private one in the data folder."""
        return self.broker_url.startswith("redis+socket:") and unquote(urlsplit(self.broker_url).path) == str(
            self.run_dir / "valkey.sock"
        )

    def django_database(self) -> dict[str, Any]:
        """The database as Django's `DATABASES["default"]` wants it."""
        url = urlsplit(self.database_url)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        host = query.pop("host", url.hostname or "")
        port = query.pop("port", str(url.port or ""))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path.removeprefix("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": host,
            "PORT": port,
            "ATOMIC_REQUESTS": False,
            # Our schema has the name of the database's role, where PostgreSQL would look first.
            "OPTIONS": {"options": "-c search_path=public"} | query,
        }


def default_data_dir() -> Path:
    """`~/.local/share/hydroml`, or where the desktop's convention says."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hydroml"


def run_dir(data_dir: Path) -> Path:
    """The folder for sockets: in the data folder, or a short one where that is too deep or closed to the server."""
    inside = data_dir / "run"
    if len(os.fsencode(inside)) + len(_SOCKET_NAME) <= _LONGEST_SOCKET_PATH and (
        os.geteuid() != 0 or open_to_all(data_dir.parent)
    ):
        return inside
    return Path("/tmp") / f"hydroml-{os.geteuid()}-{data_dir_id(data_dir)}"  # noqa: S108 (its owner is checked before use)


def data_dir_id(data_dir: Path) -> str:
    """A short name that tells this data folder from others on the machine."""
    return sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]


def open_to_all(path: Path) -> bool:
    """Whether an ordinary user can pass through `path` and every folder above it, as far as they exist."""
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        try:
            if not folder.stat().st_mode & stat.S_IXOTH:
                return False
        except FileNotFoundError:
            continue
    return True


def stored_secret(data_dir: Path, name: str) -> str:
    """The secret `name` of this data folder, made on first use and readable by its owner only."""
    folder = data_dir / "secrets"
    path = folder / name
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f".{name}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)  # of two processes that start at once, the first one's secret stays
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()


def _fill_embedded(values: dict[str, Any], data_dir: Path) -> None:
    run = run_dir(data_dir)
    password = stored_secret(data_dir, "database_password")
    host = quote(str(run / "postgres"))
    values["database_url"] = f"postgresql+psycopg://hydroml:{password}@/hydroml?host={host}"
    values.setdefault("mlflow_tracking_uri", f"postgresql+psycopg://hydroml:{password}@/mlflow?host={host}")
    if "broker_url" in values:
        values.setdefault("cache_url", values["broker_url"])
    else:
        password = stored_secret(data_dir, "broker_password")
        socket = quote(str(run / "valkey.sock"))
        values["broker_url"] = f"redis+socket://:{password}@{socket}?virtual_host=0"
        values.setdefault("cache_url", f"unix://:{password}@{socket}?db=1")
    if "secret_key" not in values:
        values["secret_key"] = stored_secret(data_dir, "secret_key")


def _fill_server(values: dict[str, Any], data_dir: Path) -> None:
    missing = [name for name in ("broker_url", "secret_key") if name not in values]
    if missing and TypeAdapter(bool).validate_python(values.get("debug", False)):
        values.setdefault("secret_key", stored_secret(data_dir, "secret_key"))
        missing = [name for name in missing if name not in values]
    if missing:
        names = " and ".join(f"HYDROML_{name.upper()}" for name in missing)
        raise ValueError(f"with HYDROML_DATABASE_URL, {names} must be set too")
    values.setdefault("cache_url", values["broker_url"])
    url = urlsplit(str(values["database_url"]))
    if url.scheme in _POSTGRES_SCHEMES:
        tracking = SplitResult("postgresql+psycopg", url.netloc, "/mlflow", url.query, "")
        values.setdefault("mlflow_tracking_uri", urlunsplit(tracking))


def _socket_dir(database_url: str) -> str | None:
    hosts = parse_qs(urlsplit(database_url).query).get("host")
    return hosts[-1] if hosts else None


def _default_memory(worker_concurrency: int) -> int:
    """Half of the memory, shared among the workers and the web process."""
    share = _machine_memory() // 2 // (max(worker_concurrency, 1) + 1)
    return min(max(share, 512 * 2**20), 4 * 2**30)


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _machine_memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total
