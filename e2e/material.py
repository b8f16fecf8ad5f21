"""Key material of our own, imported into the key that was deployed without any."""

from __future__ import annotations

import secrets

from e2e.chain import Chain


def imported(run: Chain) -> None:
    """Imports material from a file that nobody else can read, and uses the key."""
    key = run.made["alias/prod/orders"]
    kms = run.client("kms")
    file = run.directory / "orders.key"
    file.touch(0o600)
    file.write_bytes(secrets.token_bytes(32))
    run.run(
        *("kms-constructs", "material", "import", key, "--from-file", str(file), "--valid-for", "200"),
        shown=["Imported into"],
    )
    run.run("kms-constructs", "material", "status", key, shown=["Enabled"])
    context = {"order": "4711"}
    sealed = kms.encrypt(KeyId=key, Plaintext=b"an order", EncryptionContext=context)["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"]
    run.expect(opened == b"an order", "what the key encrypts under this material, it decrypts")
    file.unlink()
