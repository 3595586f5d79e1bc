"""A PostgreSQL of one's own: Debian's programs, in a scratch directory, on a Unix socket, as an unprivileged user."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

USER = "metrics"
MISSING = "no PostgreSQL server here (Debian: postgresql)"
# A killed process leaves what it wrote to the system: waiting for the disk would only be slow.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_messages": "panic",
}


def programs() -> Path | None:
    """The directory of the newest PostgreSQL's programs; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


class Server:
    """A server; `start`, `kill` and `stop` may be called in turn."""

    def __init__(self, folder: Path, *, replica_of: Server | None = None) -> None:
        self._folder, self._programs = folder, programs()
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: list[str] = []
        if not os.geteuid():
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        if replica_of is not None:
            source = ("--host", str(replica_of._folder), "--username", USER)
            self._run("pg_basebackup", "-D", str(self._data), *source, "--write-recovery-conf", "--checkpoint=fast",
                      "--no-sync")  # fmt: skip
            return
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")

    def _run(self, program: str, *words: str) -> None:
        command = [*self._as_user, str(self._programs and self._programs / program), *words]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, timeout=100, check=False)
        assert not done.returncode, done.stderr

    def start(self) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(self._folder)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*self._as_user, str(self._programs and self._programs / "postgres"), "-D", str(self._data), *words]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self._folder / "log").read_text()
                time.sleep(0.01)
            else:
                return

    def kill(self) -> None:
        """End all processes of the server at once, by SIGKILL."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        parent.suspend()  # it would start others in place of those that are killed
        processes = [*parent.children(recursive=True), parent]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        psutil.wait_procs(processes)
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def url_with(self, other: Server, url: str) -> str:
        """The URL of a database with another server as a second host."""
        return f"{url}&host={other._folder}"

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute a statement on the server; its rows."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def replicates_synchronously(self) -> None:
        """From now on a commit waits for the replica, which is connected when this returns."""
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        until = time.monotonic() + 60
        while self.execute("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < until
            time.sleep(0.05)

    def create(self) -> str:
        """Create an empty database; its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)


@contextlib.contextmanager
def serving(replica_of: Server | None = None) -> Iterator[Server]:
    """A server that runs: of its own, or a streaming replica of another one."""
    server = Server(Path(tempfile.mkdtemp(prefix="mm-pg-", dir="/tmp")), replica_of=replica_of)
    try:
        server.start()
        yield server
    finally:
        server.stop()
