"""Programs for a test's shell that start at once: forks of one process that has imported what they need.

Each runs in a process of its own, with its arguments, variables, directory, umask and streams; what it is
spared is to start an interpreter and to import boto3.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import REPOSITORY

_CLIENT = """\
#!{python} -IS
import json, os, socket, sys
wire = socket.socket(socket.AF_UNIX)
wire.connect({address!r})
os.umask(mask := os.umask(0))
asked = [{name!r}, sys.argv, dict(os.environ), os.getcwd(), mask]
socket.send_fds(wire, [b"!"], [0, 1, 2])
wire.sendall(json.dumps(asked).encode())
wire.shutdown(socket.SHUT_WR)
sys.exit(int(wire.recv(3) or "99"))
"""


@contextmanager
def programs(directory: Path, prepared: str, codes: Mapping[str, str]) -> Iterator[None]:
    """Programs in a directory, by name, while the context lasts.

    Args:
        directory: Where they are written.
        prepared: Python that is run once, before all of them.
        codes: What each runs.
    """
    address = str(directory / "socket")
    for name, code in codes.items():
        compile(code, name, "exec")
        program = directory / name
        program.write_text(_CLIENT.format(python=sys.executable, address=address, name=name), "utf-8")
        program.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        given = json.dumps([listener.fileno(), prepared, dict(codes)])
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", given], cwd=REPOSITORY, pass_fds=[listener.fileno()]
        )
    try:
        yield
    finally:
        server.terminate()
        server.wait(timeout=20)


def _serve(number: int, prepared: str, codes: Mapping[str, str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks: each answers for itself
    exec(prepared, {"__name__": "prepared"})  # noqa: S102 - code of a test
    with socket.socket(fileno=number) as listener:
        while True:
            wire, _ = listener.accept()
            with wire:
                if os.fork() == 0:
                    listener.close()
                    _answer(wire, codes)


def _answer(wire: socket.socket, codes: Mapping[str, str]) -> None:
    code = 99
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # programs wait for those that they start
        _, streams, _, _ = socket.recv_fds(wire, 1, 3)
        name, argv, environment, directory, mask = json.loads(b"".join(iter(lambda: wire.recv(65_536), b"")))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - it is the process's
            for number, mode in enumerate(("r", "w", "w"))
        )
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(directory)
        os.umask(mask)
        sys.argv = argv
        code = _run(compile(codes[name], name, "exec"))
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - nothing may get back into the loop of the server
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        wire.sendall(str(code).encode())
        os._exit(code)


def _run(code: object) -> int:
    try:
        exec(code, {"__name__": "__main__"})  # type: ignore[arg-type]  # noqa: S102 - code of a test
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)  # noqa: T201 - as an interpreter does
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


if __name__ == "__main__":
    _serve(*json.loads(sys.argv[1]))
