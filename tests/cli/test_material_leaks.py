"""No byte of key material is in anything that the commands write, log, raise or leave: raw, hex or base64."""

from __future__ import annotations

import base64
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from rich.traceback import Traceback

from kms_constructs.cli import main as entry
from kms_constructs.cli import material_options
from kms_constructs.errors import KmsConstructsError
from tests.runtime.material.conftest import _no_network  # noqa: F401 - a fixture
from tests.runtime.material.fake_kms import FakeKms
from tests.runtime.material.samples import material_bytes, wrapping_key

WINDOW = 12
"""As few bytes of material in a row are a leak."""

URLSAFE = bytes.maketrans(b"+/", b"-_")


def parts(spec: str) -> list[bytes]:
    """What of the material nobody may see: the bytes themselves, or the private numbers of a key."""
    data = material_bytes(spec)
    if not spec.startswith(("RSA", "ECC")):
        return [data]
    key = load_der_private_key(data, None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return [key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return [_number(key.private_numbers().private_value)]
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    return [
        _number(one) for one in (numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    ]


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def forms(secret: bytes) -> Iterator[bytes]:
    """Every way in which a piece of the secret may stand in a text.

    A run of twice as many bytes as a window has holds one of these pieces whole; in base64, too, where three
    neighbouring starts are one for each offset that a longer text may give it.
    """
    for start in range(len(secret) - WINDOW + 1):
        if start % WINDOW > 2:
            continue
        piece = secret[start : start + WINDOW]
        yield piece
        yield piece.hex().encode()
        yield piece.hex().upper().encode()
        yield piece.hex(" ").encode()
        yield repr(piece)[2:-1].encode()
        yield repr(piece + b"'\"")[2:-4].encode()  # beside both quotes, one of them is escaped
        encoded = base64.b64encode(piece)
        yield encoded
        yield encoded.translate(URLSAFE)
        yield str(list(piece))[1:-1].encode()


def found_in(text: bytes, spec: str) -> list[bytes]:
    return [form for part in parts(spec) for form in forms(part) if form in text]


@dataclass(repr=False)
class Everything:
    """Whatever came out of the commands, by where it came out."""

    texts: dict[tuple[str, bytes], None] = field(default_factory=dict)

    def take(self, where: str, text: str | bytes) -> None:
        plain = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        self.texts[where, plain] = None

    def take_error(self, error: BaseException) -> None:
        """The error as every kind of report shows it, the locals of all frames and contexts included."""
        lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
        self.take("traceback", "".join(lines))
        # What rich would draw: its drawing alone takes a second for each error.
        trace = Traceback.extract(
            type(error), error, error.__traceback__, show_locals=True, locals_max_string=None,
            locals_max_length=None,
        )  # fmt: skip
        for stack in trace.stacks:
            for frame in stack.frames:
                self.take("rich", "\n".join(str(node) for node in (frame.locals or {}).values()))
        one: BaseException | None = error
        while one is not None:
            self.take("exception", f"{one!r} {one.args!r} {vars(one)!r}")
            frames = one.__traceback__
            while frames is not None:
                # Not the test's own, whose module holds the material.
                if "kms_constructs" in frames.tb_frame.f_globals.get("__name__", "").split(".")[:1]:
                    for value in frames.tb_frame.f_locals.values():
                        held = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
                        self.take(f"local of {frames.tb_frame.f_code.co_name}", held)
                frames = frames.tb_next
            one = one.__cause__ or one.__context__


class Records(logging.Handler):
    def __init__(self, everything: Everything) -> None:
        super().__init__(logging.DEBUG)
        self.everything = everything
        self.names: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        self.names.add(record.name)
        self.everything.take(f"log {record.name}", f"{record.getMessage()} {record.args!r}")
        if record.exc_info and record.exc_info[1]:
            self.everything.take_error(record.exc_info[1])


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> Iterator[Everything]:
    found = Everything()
    handler = Records(found)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    monkeypatch.setattr("time.sleep", lambda _: None)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)
    found.take("names", " ".join(handler.names))


@dataclass(repr=False)
class Bench:
    """Runs commands, and takes in whatever comes out."""

    kms: FakeKms
    everything: Everything
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> bool:
        """Whether the command succeeded; an error is taken in with all its frames."""
        try:
            entry.cli.main(args=["--debug", *arguments], prog_name="kms-constructs", standalone_mode=False)
            done = True
        except (KmsConstructsError, click.ClickException) as error:
            self.everything.take_error(error)
            if isinstance(error, click.ClickException):
                self.everything.take("usage error", error.format_message())
            done = False
        out, err = self.capture.readouterr()
        self.everything.take("standard output", out)
        self.everything.take("standard error", err)
        return done


@pytest.fixture
def bench(
    everything: Everything, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Bench:
    kms = FakeKms()
    monkeypatch.setattr(material_options, "_clients", lambda _profile, _region: kms.clients())
    return Bench(kms, everything, capsys)


def whole_flow(bench: Bench, spec: str) -> set[str]:
    """Every command, in success and in failure; returns the files that may hold material."""
    Path("in.key").write_bytes(material_bytes(spec))
    Path("in.key").chmod(0o600)
    Path("b64.key").write_bytes(base64.b64encode(material_bytes(spec)))
    Path("b64.key").chmod(0o600)
    Path("bad.key").write_bytes(material_bytes(spec)[:-1])
    Path("bad.key").chmod(0o600)
    Path("open.key").write_bytes(material_bytes(spec))
    Path("own.pem").write_bytes(
        wrapping_key(3072).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    keys = bench.kms.add_multi_region("eu-west-1", "us-east-1", spec=spec)
    key, days = keys[0].arn, ("--valid-for", "9")
    take = ("material", "import", key, *days)
    other = "HMAC_384" if spec != "HMAC_384" else "HMAC_256"
    faults = ("AccessDeniedException", "IncorrectKeyMaterialException", "ExpiredImportTokenException")
    for fault in (*faults, *["ThrottlingException"] * 6, *["unreachable"] * 6, *["lost"] * 6):
        bench.kms.faults.append(("ImportKeyMaterial", fault))
    for _ in range(len(faults) + 3):
        assert not bench.run(*take, "--from-file", "in.key")
    assert not bench.run(*take, "--from-file", "bad.key")
    assert not bench.run(*take, "--from-file", "open.key")
    for encoding in ("hex", "base64"):
        assert not bench.run(*take, "--from-file", "in.key", "--encoding", encoding)
    assert not bench.run(
        *take, "--from-command", f"{sys.executable} -c 'raise SystemExit(open(\"in.key\") and 1)'"
    )
    assert not bench.run(
        *take,
        "--from-command",
        f'{sys.executable} -c \'import os; os.write(1, open("in.key", "rb").read()); raise SystemExit(1)\'',
    )
    odd = bench.kms.add(other, arn=key.replace("mrk-1234", "mrk-9999"))
    assert not bench.run("material", "import", odd.arn, *days, "--from-file", "in.key")
    assert bench.run(*take, "--from-file", "in.key", "--dry-run")
    assert bench.run(*take, "--from-file", "in.key", "--all-replicas")
    assert bench.run(*take, "--from-file", "b64.key", "--encoding", "base64")
    assert bench.run(
        *take,
        "--from-command",
        f'{sys.executable} -c \'import os; os.write(1, open("in.key", "rb").read())\'',
    )
    assert bench.run("material", "status", key)
    assert bench.run("material", "status", key, "--format", "json")
    assert bench.run("material", "parameters", key, "--all-replicas", "-o", "parameters.json")
    assert not bench.run(
        "material", "wrap", "parameters.json", "--from-file", "bad.key", "-o", "wrapped.json"
    )
    assert not bench.run("material", "wrap", "in.key", "--from-file", "in.key", "-o", "wrapped.json")
    assert bench.run("material", "wrap", "parameters.json", "--from-file", "in.key", "-o", "wrapped.json")
    assert not bench.run("material", "upload", "in.key", *days)
    assert bench.run("material", "upload", "wrapped.json", *days)
    assert bench.run("material", "delete", key, "--confirm", key.rpartition("/")[2])
    assert bench.run(*take, "--from-file", "in.key")
    return {"in.key", "b64.key", "bad.key", "open.key"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec", ["SYMMETRIC_DEFAULT", "HMAC_512", "RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"]
)
def test_no_output_log_exception_or_file_has_a_byte_of_it(bench: Bench, spec: str, tmp_path: Path) -> None:
    inputs = whole_flow(bench, spec)

    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name not in inputs:
            bench.everything.take(f"file {file.name}", file.read_bytes())
    places = {where.partition(" ")[0] for where, _ in bench.everything.texts}
    assert places == {"standard", "log", "traceback", "rich", "exception", "local", "file"}
    # That botocore logs at all what it sends: the wrapped material and nothing more.
    assert any(
        "EncryptedKeyMaterial" in text.decode()
        for where, text in bench.everything.texts
        if where.startswith("log botocore")
    )
    assert bench.kms.keys[next(iter(bench.kms.keys))].had == [material_bytes(spec)]
    whole = b"\n".join(text for _, text in bench.everything.texts)
    assert not found_in(whole, spec), {
        where for where, text in bench.everything.texts if found_in(text, spec)
    }


def test_rotated_and_generated_material_is_nowhere_either(bench: Bench, tmp_path: Path) -> None:
    key = bench.kms.add(had=[material_bytes("SYMMETRIC_DEFAULT")], state="Enabled")
    Path("new.key").write_bytes(material_bytes("HMAC_256"))
    Path("new.key").chmod(0o600)
    Path("own.pem").write_bytes(
        wrapping_key(3072).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    bench.kms.faults = [("RotateKeyOnDemand", "AccessDeniedException")]
    rotate = ("material", "rotate", key.arn, "--valid-for", "9")
    assert not bench.run(*rotate, "--from-file", "new.key")
    assert bench.run(*rotate, "--from-file", "new.key")
    assert bench.run(*rotate, "--generate", "--save", "kept", "--save-under", "own.pem")
    generated = key.had[0]
    assert generated != material_bytes("HMAC_256")
    assert key.had[1] == material_bytes("HMAC_256")

    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "new.key":
            bench.everything.take(f"file {file.name}", file.read_bytes())
    whole = b"\n".join(text for _, text in bench.everything.texts)
    assert not found_in(whole, "HMAC_256")
    assert not [form for form in forms(generated) if form in whole]


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "RSA_2048", "ECC_NIST_P384"])
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(bytes, id="raw"),
        pytest.param(lambda data: data.hex().encode(), id="hex"),
        pytest.param(lambda data: data.hex().upper().encode(), id="HEX"),
        pytest.param(base64.b64encode, id="base64"),
        pytest.param(lambda data: base64.b64encode(b"x" + data), id="base64 with something before"),
        pytest.param(lambda data: base64.urlsafe_b64encode(b"xy" + data), id="base64 for URLs"),
        pytest.param(lambda data: repr(data).encode(), id="repr"),
        pytest.param(lambda data: str(list(data)).encode(), id="numbers"),
    ],
)
def test_the_search_would_find_it(spec: str, write: Callable[[bytes], bytes]) -> None:
    """A piece of it, in each of the forms; so that the tests above can fail."""
    for part in parts(spec):
        assert any(form in b"before " + write(part[3:27]) + b" after" for form in forms(part))


def test_the_search_would_find_it_beside_whatever_quotes() -> None:
    secret = b"it's" * 12
    for text in (secret, secret + b'"'):
        assert any(form in repr(text).encode() for form in forms(secret))
