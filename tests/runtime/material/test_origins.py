"""Where material comes from and goes to: never from what others can read, never to a terminal."""

from __future__ import annotations

import base64
import os
import pty
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kms_constructs.errors import MaterialError
from kms_constructs.runtime.material import leaks, origins
from kms_constructs.runtime.material.secret import Secret
from tests.runtime.material.samples import random_bytes

DATA = random_bytes(32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "orders.key"
    made.write_bytes(DATA)
    made.chmod(0o600)
    return made


def read(name: object) -> bytes:
    return bytes(origins.from_file(str(name)).view)


@contextmanager
def standard(stream: str, descriptor: int) -> Iterator[None]:
    mode = "r" if stream == "stdin" else "w"
    with pytest.MonkeyPatch.context() as patch, os.fdopen(descriptor, mode) as opened:
        patch.setattr(sys, stream, opened)
        yield


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_the_owner_alone_is_read(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert read(file) == DATA


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o777])
def test_a_file_that_is_open_to_others_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(MaterialError, match=rf"others can read or write it \(mode {mode:04o}\)"):
        read(file)


def test_the_mode_is_that_of_the_file_behind_a_link(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    assert read(link) == DATA
    file.chmod(0o644)
    with pytest.raises(MaterialError, match="others can read"):
        read(link)


def test_a_file_of_somebody_else_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    real = os.fstat

    def of_somebody(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        return os.stat_result((*found[:4], 23_456, *found[5:]))

    monkeypatch.setattr(os, "fstat", of_somebody)
    with pytest.raises(MaterialError, match="it belongs to somebody else"):
        read(file)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="it cannot be read: No such file"):
        read(tmp_path / "missing")
    with pytest.raises(MaterialError, match=r"neither a file nor a pipe|Is a directory"):
        read(tmp_path)
    with pytest.raises(MaterialError, match=r"neither a file nor a pipe.*--generate"):
        read("/dev/urandom")


def test_a_file_that_is_too_long_is_refused(file: Path) -> None:
    file.write_bytes(bytes(20_000))
    with pytest.raises(MaterialError, match="longer than 16384 bytes"):
        read(file)


def test_a_pipe_is_read() -> None:
    out, into = os.pipe()
    os.write(into, DATA)
    os.close(into)
    with standard("stdin", out):
        assert read("-") == DATA


def test_a_terminal_is_not_read() -> None:
    master, terminal = pty.openpty()
    with standard("stdin", terminal), pytest.raises(MaterialError, match="a terminal shows what is typed"):
        read("-")
    os.close(master)


@pytest.mark.parametrize(
    "name", [DATA.hex(), base64.b64encode(DATA).decode(), "-----BEGIN PRIVATE KEY-----", (DATA * 2).hex()]
)
def test_material_instead_of_the_name_of_a_file_is_not_repeated(name: str) -> None:
    with pytest.raises(MaterialError, match="looks like key material") as caught:
        read(name)
    assert name not in str(caught.value)


def test_what_a_program_writes_is_read() -> None:
    command = f'{sys.executable} -c "import sys; sys.stdout.buffer.write(bytes(range(32)))"'
    assert bytes(origins.from_command(command).view) == bytes(range(32))


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("", "it is no command"),
        ("a 'b", "it is no command"),
        ("/nowhere/vault read key", "--from-command /nowhere/vault: it cannot be started: No such file"),
        (f'{sys.executable} -c "print(1); raise SystemExit(3)"', "it ended with 3"),
        (f"{sys.executable} -c \"print('x' * 20000)\"", "longer than 16384 bytes"),
        (f"printf {DATA.hex()}", "one of its arguments looks like key material"),
        ("sh -c '-----BEGIN PRIVATE KEY-----'", "one of its arguments looks like key material"),
    ],
)
def test_a_program_that_gives_none_is_told(command: str, problem: str) -> None:
    with pytest.raises(MaterialError, match=problem) as caught:
        origins.from_command(command)
    assert DATA.hex() not in str(caught.value)


@pytest.mark.parametrize(
    "write",
    [
        bytes.hex,
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    ],
)
@pytest.mark.parametrize("around", ["{}", "--key={}", "sh -c 'echo {} | base64 -d'"])
def test_material_in_arguments_and_environment_is_refused(write, around: str) -> None:  # fmt: skip
    text = around.format(write(DATA))
    secret = Secret(bytearray(DATA))
    with pytest.raises(MaterialError, match="it stands in the arguments") as caught:
        leaks.check_unexposed(secret, ["kms-constructs", text])
    assert text not in str(caught.value)
    with pytest.raises(MaterialError, match="it stands in the environment variable ORDERS_KEY"):
        leaks.check_unexposed(secret, [], {"PATH": "/bin", "ORDERS_KEY": text})
    leaks.check_unexposed(Secret.random(32), [text], {"ORDERS_KEY": text})


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        *((random_bytes(length).hex(), True) for length in (28, 32, 48, 64)),
        *((base64.b64encode(random_bytes(length)).decode(), True) for length in (28, 32, 48, 64)),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", False),
        ("mrk-1234abcd12ab34cd56ef1234567890ab", False),
        ("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", False),
        ("alias/" + "a" * 58, False),
        ("orders.key", False),
        ("/etc/keys/orders", False),
        ("", False),
        ("a" * 40, False),
    ],
)
def test_what_looks_like_material(text: str, looks: bool) -> None:
    assert leaks.looks_secret(text) is looks


def test_generated_material_goes_into_a_new_file_of_mode_0600(tmp_path: Path) -> None:
    made = tmp_path / "made.key"
    before = os.umask(0)
    try:
        origins.keep(str(made), memoryview(DATA))
    finally:
        os.umask(before)
    assert made.read_bytes() == DATA
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_nothing_is_overwritten(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for name in (file, link, "/dev/stdout", "/dev/tty"):
        with pytest.raises(MaterialError, match="there already, and material is never overwritten"):
            origins.keep(str(name), b"x")
    assert file.read_bytes() == DATA


def test_its_directory_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(MaterialError, match="its directory is not there"):
        origins.keep(str(tmp_path / "missing" / "x.key"), b"x")


def test_a_file_that_cannot_be_written_whole_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made.key"

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(MaterialError, match="it cannot be written: No space left"):
        origins.keep(str(made), DATA)
    assert not made.exists()


def test_a_pipe_is_written_and_a_terminal_is_not() -> None:
    out, into = os.pipe()
    with standard("stdout", into):
        origins.keep("-", memoryview(DATA))
    assert os.read(out, 100) == DATA
    os.close(out)
    master, terminal = pty.openpty()
    with standard("stdout", terminal), pytest.raises(MaterialError, match="a terminal shows what is written"):
        origins.keep("-", DATA)
    os.set_blocking(master, False)
    with pytest.raises(OSError, match=r"Input/output error|temporarily unavailable"):
        os.read(master, 1)
    os.close(master)
