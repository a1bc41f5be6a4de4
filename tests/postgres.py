"""A real PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_INSTALLED = Path("/usr/lib/postgresql")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # no test cuts the power
    "shared_buffers": "16MB",
    "max_connections": "100",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


def installed_postgres() -> Path | None:
    """The directory of the newest installed server; None when there is none."""
    found = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@dataclass(slots=True)
class PostgresServer:
    """A server that the test can stop and start; the directory is removed at the end."""

    binaries: Path
    directory: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    """Those that are not as `_SETTINGS` has them."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Of its database, as a user writes it."""
        return f"postgresql://auditd:hunter2@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Return once it lets users in."""
        settings = {**_SETTINGS, **self.settings}
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(self.binaries / "postgres"), "-D", str(self.directory / "data")]
        place = [f"--port={self.port}", f"--unix_socket_directories={self.directory}"]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_owner(), *command, *place, *options], stdout=log, stderr=log
            )
        for _ in range(600):
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url).close()
                return
            time.sleep(0.05)
        raise AssertionError((self.directory / "log").read_text())

    def stop(self) -> None:
        """Crash it, as `pg_ctl stop -m immediate` does."""
        if not self._process:
            return
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._kill()
        self._process = None

    def _kill(self) -> None:
        """End each process of a server that does not end: PostgreSQL 15 was seen to hang there."""
        assert self._process
        main = self._process.pid
        self._process.send_signal(signal.SIGSTOP)  # so that it begins no further one
        backends = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for process in (*map(int, backends), main):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait(timeout=30)


@contextmanager
def private_server(binaries: Path, **settings: str) -> Iterator[PostgresServer]:
    """A new server, started; its texts sort as people do, and not by code points."""
    directory = Path(tempfile.mkdtemp(prefix="auditd-postgres-", dir="/tmp"))
    password = directory / "password"
    password.write_text("hunter2\n")
    server = PostgresServer(binaries, directory, _free_port(), settings)
    try:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(directory, "postgres")
            shutil.chown(password, "postgres")
        order = ["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
        access = ["--username=auditd", f"--pwfile={password}", "--auth=scram-sha-256"]
        initdb = [binaries / "initdb", "--pgdata", directory / "data", "--encoding=UTF8"]
        command = [*_as_owner(), *map(str, initdb), "--no-sync", *order, *access]
        subprocess.run(command, check=True, capture_output=True, cwd=directory)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


def reset(url: str) -> None:
    """Leave nothing in the database but an empty schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _as_owner() -> Sequence[str]:
    if os.geteuid():
        return ()
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
