"""Runs pg_dump, and pg_restore into psql: all of a database into a file, and all of it back or nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from opsboard.db.client_programs import connection_words, find_bindir, newest_bindir
from opsboard.errors import CommandError
from opsboard.imports.progress import Progress

# The messages between workers of one server, with its transaction ids, and where people are signed in:
# of no use on another server. The tables themselves are in the backup.
LEFT_OUT = (
    "changes",
    "workers",
    "cache_clears",
    "write_pauses",
    "sign_in_attempts",
    "revocations",
    "sessions",
)
CHUNK = 1 << 20
DUMPING = re.compile(r'dumping contents of table "[^".]+\.([^"]+)"')
COPYING = re.compile(rb"^COPY (?:\w+\.)?(\w+) ", re.MULTILINE)
LAST_LINES = 5
# In the transaction of the restore. Transaction ids of the old server would be in the future of the new one, and what
# ended since the backup (a sign-in, a reset link) must not come back to life.
AFTERWARDS = """
SET search_path = public;
-- No triggers: the rows have not been changed by anybody.
SET session_replication_role = replica;
UPDATE rollup_deltas SET xid = pg_current_xact_id();
UPDATE users SET token_version = token_version + 1;
INSERT INTO revocations (tenant_id, user_id, below_version, expires_at)
SELECT u.tenant_id, u.id, u.token_version, now() + interval '8 days' FROM users AS u;
UPDATE password_links SET revoked_at = now() WHERE used_at IS NULL AND revoked_at IS NULL;
"""


def dump(url: str, major: int, path: Path, progress: Progress) -> None:
    """Dump the database of a server of this major version to a file that only its owner can read.

    Raises CommandError. The file has its name only when it is complete and can be read.
    """
    bindir = find_bindir(major, "pg_dump")
    part = path.with_name(f"{path.name}.part")
    words, environment = connection_words(url)
    left_out = [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    command = [bindir / "pg_dump", "--format=custom", "--verbose", "--no-password", *left_out, words]
    os.close(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
    try:
        part.chmod(0o600)
        run_dump([*map(str, command), f"--file={part}"], environment, progress)
        contents_of(part, bindir)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def run_dump(command: list[str], environment: dict[str, str], progress: Progress) -> None:
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process, ended(process):  # fmt: skip
        last: list[str] = []
        for line in process.stderr or ():
            if found := DUMPING.search(line):
                progress.say(f"dumping {found[1]}")
            last = [*last, line.strip()][-LAST_LINES:]
        if process.wait() != 0:
            raise CommandError("pg_dump failed; there is no backup:\n" + "\n".join(last))


def contents_of(path: Path, bindir: Path | None = None) -> str:
    """The table of contents of a backup. Raises CommandError for a file that is none."""
    command = [str((bindir or newest_bindir("pg_restore")) / "pg_restore"), "--list", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise CommandError(f"{path} is not a backup that can be read: {done.stderr.strip()}")
    return done.stdout


def version_needed(contents: str) -> int:
    """The major version that can take a backup in, from its table of contents: of its server, or of a newer pg_dump."""
    return max(
        (int(version) for version in re.findall(r"Dumped (?:from|by) .*version: (\d+)", contents)), default=1
    )


def restore(url: str, path: Path, bindir: Path, progress: Progress) -> None:
    """Bring a backup into an empty database, in one transaction. Raises CommandError; then it is still empty."""
    words, environment = connection_words(url)
    # Notices would fill the pipe, which is read at the end only.
    environment["PGOPTIONS"] = "-c client_min_messages=error"
    reading = [str(bindir / "pg_restore"), "--file=-", str(path)]
    writing = [
        str(bindir / "psql"), "--no-psqlrc", "--quiet", "--no-password", "--single-transaction",
        "--set=ON_ERROR_STOP=1", "--output=/dev/null", words,
    ]  # fmt: skip
    with (
        subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader,
        subprocess.Popen(
            writing, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        ) as writer,
        ended(reader),
        # Killed, never left to the end of its input: psql would commit what it had until then.
        ended(writer),
    ):  # fmt: skip
        assert reader.stdout and reader.stderr and writer.stdin and writer.stderr
        try:
            pump(reader.stdout, writer.stdin, progress)
        except BrokenPipeError:
            reader.kill()
            raise CommandError(f"The backup was not restored: {last_words(writer)}") from None
        if reader.wait() != 0:
            raise CommandError(
                f"The backup cannot be read to its end; nothing was restored: {last_words(reader)}"
            )
        try:
            writer.stdin.write(AFTERWARDS.encode())
            writer.stdin.close()
        except BrokenPipeError:
            pass
        if writer.wait() != 0:
            raise CommandError(f"The backup was not restored: {last_words(writer)}")


def pump(source: IO[bytes], target: IO[bytes], progress: Progress) -> None:
    """Pass everything on, and say which table it is at."""
    while chunk := source.read(CHUNK):
        for table in COPYING.findall(chunk):
            progress.say(f"restoring {table.decode()}")
        target.write(chunk)


def last_words(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    lines = process.stderr.read().decode(errors="replace").strip().splitlines()
    return "\n".join(lines[-LAST_LINES:])


@contextmanager
def ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    """However the block is left, the program does not go on."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
