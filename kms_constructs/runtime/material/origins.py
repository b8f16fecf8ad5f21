"""Where material comes from: a file, a program, or the operating system's randomness; and where it is kept.

What others can read is no secret any more: a file that is open to them is refused.
"""

from __future__ import annotations

import errno
import io
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material.leaks import looks_secret
from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.specs import MOST_BYTES

STREAM = "-"
"""Standard input or standard output, for a file."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def from_file(name: str) -> Secret:
    """Reads material from a file that nobody else can read, a pipe, or standard input (``-``).

    Raises:
        MaterialError: Others can read it, it is no such file, or it cannot be read.
    """
    where = "--from-file" if looks_secret(name) else f"--from-file {name}"
    if name == STREAM:
        if sys.stdin is None or sys.stdin.isatty():
            raise MaterialError(
                where, "a terminal shows what is typed", "give a file, or hand the material over in a pipe"
            )
        return _read(sys.stdin.fileno(), where)
    try:
        descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        failed = _unreadable(where, name, error)
    else:
        try:
            _check_file(descriptor, where)
            return _read(descriptor, where)
        finally:
            os.close(descriptor)
    raise failed


def _unreadable(where: str, name: str, error: OSError) -> MaterialError:
    if looks_secret(name):
        return MaterialError(
            where,
            "it looks like key material, not like the name of a file (it is not repeated here)",
            "write the material into a file of mode 0600; what stood in arguments is in the history of the "
            "shell and the list of processes: make new material",
        )
    return MaterialError(where, f"it cannot be read: {error.strerror}", "check its name and its permissions")


def _check_file(descriptor: int, where: str) -> None:
    found = os.fstat(descriptor)
    if stat.S_ISFIFO(found.st_mode):
        return
    if not stat.S_ISREG(found.st_mode):
        raise MaterialError(
            where, "it is neither a file nor a pipe", "give a file; for random bytes, --generate"
        )
    # On Windows the mode says nothing of who may read.
    if os.name != "posix":
        return
    if found.st_mode & _OTHERS:
        raise MaterialError(
            where,
            f"others can read or write it (mode {stat.S_IMODE(found.st_mode):04o})",
            "chmod 600, and ask whether others have read the material already: then make new material",
        )
    if found.st_uid not in {os.geteuid(), 0}:
        raise MaterialError(where, "it belongs to somebody else", "give a file of your own, of mode 0600")


def _read(descriptor: int, where: str) -> Secret:
    found = Secret.read(io.FileIO(descriptor, closefd=False).readinto, MOST_BYTES)
    if found is None:
        raise MaterialError(
            where, f"it is longer than {MOST_BYTES} bytes, and no key material is", "give the material alone"
        )
    return found


def from_command(command: str) -> Secret:
    """What a program writes to its standard output; no shell is in between.

    Its standard error and standard input are the terminal's: it may ask for a PIN.

    Args:
        command: Program and arguments, as in a shell; the material must not be one.

    Raises:
        MaterialError: The program cannot be started, failed, or wrote too much.
    """
    try:
        arguments = shlex.split(command)
    except ValueError:
        arguments = []
    if not arguments:
        raise MaterialError("--from-command", "it is no command", "give a program and its arguments")
    if any(looks_secret(one) for one in arguments):
        raise MaterialError(
            "--from-command",
            "one of its arguments looks like key material (it is not repeated here)",
            "let the program read it from where it is kept, and make new material: others know this one",
        )
    where = f"--from-command {arguments[0]}"
    try:
        running = subprocess.Popen(arguments, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603 - the caller's program
    except OSError as error:
        failed = MaterialError(
            where, f"it cannot be started: {error.strerror}", "check the name of the program"
        )
    else:
        with running:
            assert running.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
            try:
                found = _read(running.stdout.fileno(), where)
            except BaseException:
                running.kill()
                raise
        if running.returncode == 0:
            return found
        found.overwrite()
        failed = MaterialError(
            where, f"it ended with {running.returncode}", "run it by itself to see what is wrong"
        )
    raise failed


def check_keepable(name: str) -> None:
    """Refuses a place where generated material must not go, before it is made.

    Raises:
        MaterialError: It is a terminal, or there is something already.
    """
    where = f"--save {name}"
    if name == STREAM:
        if sys.stdout is None or sys.stdout.isatty():
            raise MaterialError(
                where, "a terminal shows what is written, and remembers it", "give a file, or a pipe"
            )
    elif os.path.lexists(name):
        raise MaterialError(
            where,
            "it is there already, and material is never overwritten",
            "give another name; to import what is in it, give it with --from-file",
        )
    elif not Path(name).absolute().parent.is_dir():
        raise MaterialError(where, "its directory is not there", "make the directory first, of mode 0700")


def keep(name: str, data: memoryview | bytes) -> None:
    """Writes material to a new file of mode 0600, or to standard output (``-``).

    Raises:
        MaterialError: It cannot be written.
    """
    check_keepable(name)
    where = f"--save {name}"
    try:
        if name == STREAM:
            sys.stdout.flush()
            _write(sys.stdout.fileno(), data)
            return
        descriptor = os.open(
            name,
            os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0),
            stat.S_IRUSR | stat.S_IWUSR,
        )
        try:
            _write(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            # Half of it is of use to nobody.
            Path(name).unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = "nobody reads it" if error.errno == errno.EPIPE else error.strerror
        raise MaterialError(where, f"it cannot be written: {reason}", "give another file") from None


def _write(descriptor: int, data: memoryview | bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
