"""`kms-constructs material`: what the commands say and do, with KMS at the other end of the wire."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kms_constructs.cli import material_options
from tests.cli.conftest import Run
from tests.runtime.material.conftest import _no_network  # noqa: F401 - a fixture
from tests.runtime.material.fake_kms import FakeKms
from tests.runtime.material.samples import SPECS, key_arn, material_bytes, unwrap

MATERIAL = material_bytes("SYMMETRIC_DEFAULT")
OTHER = material_bytes("HMAC_256")
CHANGING = {"ImportKeyMaterial", "DeleteImportedKeyMaterial", "RotateKeyOnDemand"}
IN_A_MONTH = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


@pytest.fixture
def kms() -> FakeKms:
    return FakeKms()


@pytest.fixture(autouse=True)
def _wire(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material_options, "_clients", lambda _profile, _region: kms.clients())
    monkeypatch.setattr("time.sleep", lambda _: None)


def secret_file(name: str = "orders.key", data: bytes = MATERIAL) -> str:
    Path(name).write_bytes(data)
    Path(name).chmod(0o600)
    return name


@pytest.mark.parametrize("spec", SPECS)
def test_material_is_imported_with_the_expiry_of_the_tag(run: Run, kms: FakeKms, spec: str) -> None:
    key = kms.add(spec, tags={"kms:material-expires": IN_A_MONTH})
    done = run("material", "import", key.arn, "--from-file", secret_file(data=material_bytes(spec)))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Imported into {key.arn}: ")
    assert done.out.endswith(f", valid to {IN_A_MONTH} 23:59:59 UTC.\n")
    assert key.had == [material_bytes(spec)]


def test_a_rehearsal_reads_and_checks_and_changes_nothing(run: Run, kms: FakeKms) -> None:
    primary, replica = kms.add_multi_region("eu-west-1", "us-east-1")
    primary.state, primary.had = "Enabled", [MATERIAL]
    arguments = ("material", "import", primary.arn, "--valid-for", "30", "--all-replicas", "--dry-run")
    done = run(*arguments, "--from-file", secret_file())
    assert done.code == 0
    assert "The material is 32 bytes, as wanted. Nothing was changed." in done.out
    assert f"{primary.arn} (Enabled: renews the material that is there), valid to" in done.out
    assert f"{replica.arn} (PendingImport: first, or missing, material), valid to" in done.out
    wrong = run(*arguments, "--from-file", secret_file("short.key", b"\x00\x01"))
    assert (wrong.code, wrong.out) == (2, "")
    assert "it holds 2 bytes" in wrong.err
    assert set(kms.operations()) == {"DescribeKey"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param((), "give one of --from-file, --from-command and --generate", id="no source"),
        pytest.param(("--generate", "--from-file", "x"), "give one of --from-file", id="two sources"),
        pytest.param(("--generate",), "give --save FILE.*or say --discard", id="a copy is forgotten"),
        pytest.param(("--generate", "--discard", "--save", "x"), "give --save FILE", id="both"),
        pytest.param(("--from-file", "x", "--save", "y"), "go with --generate", id="nothing to save"),
        pytest.param(("--generate", "--discard", "--save-under", "x"), "goes with --save", id="under what"),
        pytest.param(
            ("--from-file", "x", "--valid-for", "3", "--never-expires"),
            "give one of --valid-to",
            id="two dates",
        ),
        pytest.param(
            ("--from-file", "x", "--valid-to", "soon"), "is neither a day nor a moment", id="no date"
        ),
        pytest.param(("--from-file", "x", "--valid-to", "2027-01-31T12:00"), "neither a day", id="no offset"),
        pytest.param(("--from-file", "x", "--valid-to", "2020-01-01"), "that is past", id="past"),
        pytest.param(
            ("--from-file", "x", "--valid-to", "2999-01-01"), "at most 365 days ahead", id="too late"
        ),
        pytest.param(("--from-file", "x", "--valid-for", "366"), "1 to 365 days", id="too many days"),
        pytest.param(("--from-file", "x"), "it has no tag kms:material-expires", id="nobody says when"),
        pytest.param(("--generate", "--save", "."), "there already", id="a place that is taken"),
        pytest.param(
            ("--from-file", "missing", "--never-expires"),
            "--from-file missing: it cannot be read",
            id="no file",
        ),
        pytest.param(
            ("--from-file", "x", "--never-expires", "--wrapping-algorithm", "RSAES_PKCS1_V1_5"),
            "is not one of 'RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_256'",
            id="an algorithm that KMS dropped",
        ),
    ],
)
def test_wrong_use_is_told_and_nothing_is_done(
    run: Run, kms: FakeKms, arguments: tuple[str, ...], problem: str
) -> None:  # fmt: skip
    key = kms.add()
    done = run("material", "import", key.arn, *arguments)
    assert (done.code, done.out) == (2, "")
    assert re.search(problem, done.err.replace("\n", " ")), done.err
    assert not CHANGING.intersection(kms.operations())
    assert key.had == []


@pytest.mark.parametrize("command", ["import", "rotate", "delete", "status", "wrap", "upload", "parameters"])
@pytest.mark.parametrize(
    "way",
    [
        ("{}",),
        ("KEY", "{}"),
        ("KEY", "--from-file", "{}"),
        ("KEY", "--from-command={}"),
        (
            "KEY",
            "--{}",
        ),
    ],
)
def test_material_among_the_arguments_is_refused_and_not_repeated(
    run: Run, command: str, way: tuple[str, ...]
) -> None:
    text = OTHER.hex()
    done = run("material", command, *(one.format(text) for one in way))
    assert done.code == 2
    if way[-1] != "--{}":
        assert "looks like key material" in done.err
        assert text not in done.out + done.err


def test_generated_material_is_kept_before_it_is_imported(run: Run, kms: FakeKms) -> None:
    key = kms.add("HMAC_384")
    kms.faults = [("ImportKeyMaterial", "AccessDeniedException")]
    arguments = ("material", "import", key.arn, "--valid-for", "30")
    failed = run(*arguments, "--generate", "--save", "made.key")
    assert failed.code == 2
    assert "access is denied" in failed.err
    assert Path("made.key").stat().st_mode & 0o777 == 0o600
    again = run(*arguments, "--generate", "--save", "made.key")
    assert "made.key: it is there already, and material is never overwritten" in again.err
    done = run(*arguments, "--from-file", "made.key")
    assert done.code == 0
    assert key.had == [Path("made.key").read_bytes()]


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_512", "RSA_2048", "ECC_NIST_P521"])
def test_it_can_be_kept_wrapped_under_a_key_of_ones_own(run: Run, kms: FakeKms, spec: str) -> None:
    key, own = kms.add(spec), rsa.generate_private_key(65_537, 3072)
    Path("own.pem").write_bytes(
        own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    done = run(
        "material",
        "import",
        key.arn,
        "--valid-for",
        "9",
        "--generate",
        "--save",
        "kept",
        "--save-under",
        "own.pem",
    )
    assert done.code == 0, done.err
    algorithm = "RSA_AES_KEY_WRAP_SHA_256" if spec.startswith(("RSA", "ECC")) else "RSAES_OAEP_SHA_256"
    assert [unwrap(own, algorithm, Path("kept").read_bytes())] == key.had


def test_generated_material_to_a_pipe_is_all_that_is_written_there(kms: FakeKms, tmp_path: Path) -> None:
    code = (
        "import sys; from kms_constructs.cli import material_options as m, main\n"
        "from tests.runtime.material.fake_kms import FakeKms\n"
        "k = FakeKms(); key = k.add('HMAC_256'); m._clients = lambda *_: k.clients()\n"
        "import atexit; atexit.register(lambda: open('had', 'wb').write(key.had[0]))\n"
        "main.main(['material', 'import', key.arn, '--valid-for', '9', '--generate', '--save', '-'])"
    )
    repository = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": repository}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "had").read_bytes()
    assert done.stderr.startswith(b"Imported into ")


def test_a_key_that_has_had_material_is_not_given_new_one(run: Run, kms: FakeKms) -> None:
    key = kms.add(had=[MATERIAL], missing={MATERIAL})
    done = run("material", "import", key.arn, "--valid-for", "9", "--generate", "--save", "made.key")
    assert done.code == 2
    assert "it has had material, and takes no other than that" in done.err
    assert not Path("made.key").exists()


def test_a_ceremony_goes_by_files(run: Run, kms: FakeKms) -> None:
    keys = kms.add_multi_region("eu-west-1", "us-east-1", spec="ECC_NIST_P256")
    parameters = run("material", "parameters", keys[1].arn, "--all-replicas", "-o", "parameters.json")
    assert (parameters.code, parameters.out) == (0, "")
    asked = len(kms.calls)
    wrapped = run(
        "material", "wrap", "parameters.json", "-o", "wrapped.json",
        "--from-file", secret_file(data=material_bytes("ECC_NIST_P256")),
    )  # fmt: skip
    assert wrapped.code == 0, wrapped.err
    assert len(kms.calls) == asked
    fingerprints = [line.rpartition("public key ")[2] for line in parameters.err.splitlines()]
    assert [line.rpartition("public key ")[2] for line in wrapped.err.splitlines()] == fingerprints
    rehearsed = run("material", "upload", "wrapped.json", "--valid-for", "90", "--dry-run")
    assert "Checked. Nothing was changed." in rehearsed.out
    assert not CHANGING.intersection(kms.operations())
    done = run("material", "upload", "wrapped.json", "--valid-for", "90")
    assert done.code == 0, done.err
    assert [key.had for key in keys] == [[material_bytes("ECC_NIST_P256")]] * 2


def test_expired_parameters_are_refused(run: Run, kms: FakeKms) -> None:
    key = kms.add()
    run("material", "parameters", key.arn, "-o", "parameters.json")
    run("material", "wrap", "parameters.json", "-o", "wrapped.json", "--from-file", secret_file())
    for file in ("parameters.json", "wrapped.json"):
        document = json.loads(Path(file).read_text())
        document["keys"][0]["validTo"] = "2026-01-01T00:00:00+00:00"
        Path(file).write_text(json.dumps(document))
    before = len(kms.calls)
    for done in (
        run("material", "wrap", "parameters.json", "-o", "again.json", "--from-file", "orders.key"),
        run("material", "upload", "wrapped.json", "--valid-for", "9"),
    ):
        assert done.code == 2
        assert "its import parameters expired on 2026-01-01T00:00+00:00" in done.err
    assert len(kms.calls) == before
    assert not Path("again.json").exists()


def test_files_that_are_mixed_up_are_told(run: Run) -> None:
    secret_file()
    for done in (
        run("material", "upload", "orders.key", "--valid-for", "9"),
        run("material", "wrap", "orders.key", "--from-file", "orders.key", "-o", "x"),
    ):
        assert done.code == 2
        assert "Error: orders.key: it is no file of the format kms-constructs/" in done.err


def test_a_key_is_rotated_and_its_status_tells(run: Run, kms: FakeKms) -> None:
    key = kms.add(had=[MATERIAL], state="Enabled", tags={"kms:material-expires": IN_A_MONTH})
    rehearsed = run("material", "rotate", key.arn, "--from-file", secret_file("new.key", OTHER), "--dry-run")
    assert rehearsed.code == 0
    assert key.waits is None
    done = run("material", "rotate", key.arn, "--from-file", "new.key", "--description", "of May")
    assert done.code == 0, done.err
    assert done.out.endswith(f"Rotated {key.arn}: material {key.id_of(OTHER)} is current.\n")
    assert key.had == [OTHER, MATERIAL]
    status = run("material", "status", key.arn)
    assert f"  material {key.id_of(OTHER)}: CURRENT, never expires\n" in status.out
    assert f"  material {key.id_of(MATERIAL)}: NON_CURRENT, never expires\n" in status.out
    old = run(
        "material", "import", key.arn, "--from-file", secret_file(), "--material-id", key.id_of(MATERIAL)
    )
    assert old.code == 0, old.err


def test_what_was_uploaded_as_new_is_rotated_to_without_a_source(run: Run, kms: FakeKms) -> None:
    key = kms.add(had=[MATERIAL], state="Enabled")
    run("material", "parameters", key.arn, "-o", "parameters.json")
    run("material", "wrap", "parameters.json", "-o", "wrapped.json", "--from-file", secret_file("n", OTHER))
    uploaded = run("material", "upload", "wrapped.json", "--new", "--valid-for", "9")
    assert uploaded.code == 0, uploaded.err
    assert key.had == [MATERIAL]
    twice = run("material", "upload", "wrapped.json", "--new", "--valid-for", "9")
    assert "waits for its rotation already" in twice.err
    generated = run("material", "rotate", key.arn, "--generate", "--discard", "--valid-for", "9")
    assert "waits for its rotation already" in generated.err
    done = run("material", "rotate", key.arn)
    assert done.code == 0, done.err
    assert key.had == [OTHER, MATERIAL]
    nothing = run("material", "rotate", key.arn)
    assert nothing.code == 2
    assert "no material waits for a rotation" in nothing.err
    assert nothing.err.count("Waiting for KMS, up to 60 seconds …\n") == 1
    assert "Waiting" not in done.err


@pytest.mark.parametrize(
    ("state", "days", "within", "code"),
    [
        ("Enabled", 30, None, 0),
        ("Enabled", 30, 30, 1),
        ("Enabled", 30, 29, 0),
        ("PendingImport", None, 1, 1),
        ("PendingImport", None, None, 0),
        ("Disabled", None, 1, 1),
        ("Enabled", None, 300, 0),
    ],
)
def test_the_status_tells_when_it_is_time_to_act(
    run: Run, kms: FakeKms, *, state: str, days: int | None, within: int | None, code: int
) -> None:
    key = kms.add("HMAC_256", state=state, had=[OTHER])
    # An hour less than so many days.
    key.valid_to = None if days is None else datetime.now(UTC).timestamp() + days * 86_400 - 3_600
    arguments = ("material", "status", key.arn, *(() if within is None else ("--fail-within", str(within))))
    assert run(*arguments).code == code
    left = run(*arguments, "--format", "json").json()["keys"][0]["daysLeft"]
    assert left == (None if days is None else days - 1)


def test_materials_that_may_not_be_listed_are_unknown(run: Run, kms: FakeKms) -> None:
    key = kms.add(had=[MATERIAL], state="Enabled")
    kms.faults = [("ListKeyRotations", "AccessDeniedException")] * 2
    done = run("material", "status", key.arn, "--fail-within", "9")
    assert done.code == 3
    assert "Its materials are not known: ListKeyRotations: access is denied" in done.out
    found = run("material", "status", key.arn, "--format", "json").json()["keys"][0]
    assert found["materials"] is None
    assert "access is denied" in found["unknown"]


def test_a_multi_region_key_is_shown_whole(run: Run, kms: FakeKms) -> None:
    primary, replica = kms.add_multi_region("eu-west-1", "us-east-1")
    primary.state, primary.had = "Enabled", [MATERIAL]
    done = run("material", "status", replica.arn)
    assert done.out == (
        f"{primary.arn}\n  SYMMETRIC_DEFAULT, primary: Enabled, never expires\n"
        f"  material {primary.id_of(MATERIAL)}: CURRENT, never expires\n"
        f"{replica.arn}\n  SYMMETRIC_DEFAULT, replica: PendingImport, no material can be used\n"
    )


def test_material_is_deleted_when_the_id_is_confirmed(run: Run, kms: FakeKms) -> None:
    key = kms.add("HMAC_256", had=[OTHER], state="Enabled")
    key_id = key.arn.rpartition("/")[2]
    for arguments, problem in (
        ((), f"there is no terminal to ask at. Fix: give --confirm {key_id}"),
        (("--confirm", "yes"), "this is not the id of the key, so nothing was deleted"),
        (("--confirm", key_id, "--material-id", "0" * 64), "the material of a HMAC_256 key has no id"),
    ):
        refused = run("material", "delete", key.arn, *arguments)
        assert refused.code == 2
        assert problem in refused.err
    assert not CHANGING.intersection(kms.operations())
    done = run("material", "delete", key.arn, "--confirm", key_id)
    assert (done.code, done.out) == (0, f"Deleted from {key.arn}.\n")
    assert "cannot be read until the very same material is imported again" in done.err
    assert key.state == "PendingImport"
    assert (
        run("material", "import", key.arn, "--valid-for", "9", "--from-file", secret_file(data=OTHER)).code
        == 0
    )
    assert key.state == "Enabled"


def test_replicas_lose_theirs_before_the_primary_key(run: Run, kms: FakeKms) -> None:
    keys = kms.add_multi_region("eu-west-1", "us-east-1")
    for key in keys:
        key.had, key.state = [MATERIAL], "Enabled"
    key_id = keys[0].arn.rpartition("/")[2]
    done = run("material", "delete", keys[0].arn, "--all-replicas", "--confirm", key_id)
    assert [request["KeyId"] for request in kms.sent("DeleteImportedKeyMaterial")] == [
        keys[1].arn,
        keys[0].arn,
    ]
    assert done.out.count("Deleted from") == 2


@pytest.mark.parametrize(("typed", "code"), [(key_arn().rpartition("/")[2], 0), ("no", 2)])
def test_a_terminal_is_asked(
    run: Run, kms: FakeKms, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    kms.add("HMAC_256", had=[OTHER], state="Enabled")
    master, terminal = pty.openpty()
    os.write(master, f"{typed}\n".encode())
    with os.fdopen(terminal) as opened:
        monkeypatch.setattr(sys, "stdin", opened)
        done = run("material", "delete", key_arn())
    os.close(master)
    assert done.code == code, done.err
    assert ("DeleteImportedKeyMaterial" in kms.operations()) is (code == 0)


def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'boto3'", name="boto3")

    monkeypatch.setattr(material_options, "_clients", missing)
    done = run("material", "status", "alias/orders")
    assert done.code == 2
    assert "boto3 is not installed. Fix: pip install 'kms-constructs[material]'" in done.err


def test_the_other_commands_load_neither_boto3_nor_cryptography() -> None:
    code = (
        "import sys, kms_constructs.cli.main\n"
        "print([name for name in ('boto3', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_wrapping_needs_no_boto3() -> None:
    code = (
        "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None\n"
        "from kms_constructs.cli.main import main; "
        "main(['material', 'wrap', 'none.json', '-o', 'x', '--generate', '--discard'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "none.json: it cannot be read: No such file" in done.stderr
