"""What goes between an online and an offline machine: parameters for import, and wrapped material, as files.

Neither holds a secret: a public key, a token that is of use only for the key and to whoever may import into
it, and material that only KMS can unwrap.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from kms_constructs.errors import MaterialError, SourceError
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.reading import parsed_json
from kms_constructs.runtime.material.secret import Secret
from kms_constructs.runtime.material.specs import material_spec
from kms_constructs.runtime.material.wrapping import (
    WrappingAlgorithm,
    WrappingKeySpec,
    algorithm_for,
    fingerprint,
    public_key_of,
    wrap,
)

PARAMETERS_FORMAT = "kms-constructs/import-parameters/1"
WRAPPED_FORMAT = "kms-constructs/wrapped-material/1"
_MOST_BYTES = 1_000_000

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportParameters:
    """What KMS gives out for one import into one key.

    Args:
        key: ARN of the key.
        key_spec: KMS's ``KeySpec`` of the key.
        algorithm: How the material has to be wrapped.
        wrapping_key: Which public key it is.
        public_key: The public key, a SubjectPublicKeyInfo in DER.
        token: The import token that belongs to the public key.
        valid_to: Until when both can be used.
    """

    key: str
    key_spec: str
    algorithm: WrappingAlgorithm
    wrapping_key: WrappingKeySpec
    public_key: bytes = field(repr=False)
    token: bytes = field(repr=False)
    valid_to: datetime

    @property
    def region(self) -> str:
        """The Region of the key."""
        return self.key.split(":")[3]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key, for people to compare."""
        return fingerprint(self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedMaterial:
    """Material that is wrapped for one import into one key.

    Args:
        key: ARN of the key.
        key_spec: KMS's ``KeySpec`` of the key.
        algorithm: How it is wrapped.
        material: The wrapped material.
        token: The import token that belongs to the public key under which it is wrapped.
        valid_to: Until when it can be imported.
    """

    key: str
    key_spec: str
    algorithm: WrappingAlgorithm
    material: bytes = field(repr=False)
    token: bytes = field(repr=False)
    valid_to: datetime


def parameters_text(parameters: Sequence[ImportParameters]) -> str:
    """The parameters as a file that `read_parameters` reads."""
    return _text(
        PARAMETERS_FORMAT,
        [
            {
                "key": one.key,
                "keySpec": one.key_spec,
                "wrappingAlgorithm": one.algorithm.value,
                "wrappingKeySpec": one.wrapping_key.value,
                "publicKey": base64.b64encode(one.public_key).decode(),
                "publicKeySha256": one.fingerprint,
                "importToken": base64.b64encode(one.token).decode(),
                "validTo": one.valid_to.isoformat(),
            }
            for one in parameters
        ],
    )


def wrapped_text(wrapped: Sequence[WrappedMaterial]) -> str:
    """Wrapped material as a file that `read_wrapped` reads."""
    return _text(
        WRAPPED_FORMAT,
        [
            {
                "key": one.key,
                "keySpec": one.key_spec,
                "wrappingAlgorithm": one.algorithm.value,
                "encryptedKeyMaterial": base64.b64encode(one.material).decode(),
                "importToken": base64.b64encode(one.token).decode(),
                "validTo": one.valid_to.isoformat(),
            }
            for one in wrapped
        ],
    )


def read_parameters(file: Path) -> tuple[ImportParameters, ...]:
    """Reads what `parameters_text` wrote.

    Raises:
        SourceError: The file cannot be read, or is another.
    """

    def read(entry: Mapping[str, Any]) -> ImportParameters:
        found = ImportParameters(
            key=_key(entry["key"]),
            key_spec=str(entry["keySpec"]),
            algorithm=WrappingAlgorithm(entry["wrappingAlgorithm"]),
            wrapping_key=WrappingKeySpec(entry["wrappingKeySpec"]),
            public_key=base64.b64decode(entry["publicKey"], validate=True),
            token=base64.b64decode(entry["importToken"], validate=True),
            valid_to=_moment(entry["validTo"]),
        )
        if entry.get("publicKeySha256") != found.fingerprint:
            raise ValueError("the public key is not the one that its fingerprint is of")
        return found

    return _entries(file, PARAMETERS_FORMAT, "kms-constructs material parameters", read)


def read_wrapped(file: Path) -> tuple[WrappedMaterial, ...]:
    """Reads what `wrapped_text` wrote.

    Raises:
        SourceError: The file cannot be read, or is another.
    """

    def read(entry: Mapping[str, Any]) -> WrappedMaterial:
        return WrappedMaterial(
            key=_key(entry["key"]),
            key_spec=str(entry["keySpec"]),
            algorithm=WrappingAlgorithm(entry["wrappingAlgorithm"]),
            material=base64.b64decode(entry["encryptedKeyMaterial"], validate=True),
            token=base64.b64decode(entry["importToken"], validate=True),
            valid_to=_moment(entry["validTo"]),
        )

    return _entries(file, WRAPPED_FORMAT, "kms-constructs material wrap", read)


def _text(format_: str, entries: Sequence[Mapping[str, str]]) -> str:
    return json.dumps({"format": format_, "keys": entries}, indent=2) + "\n"


def _entries(
    file: Path, format_: str, command: str, read: Callable[[Mapping[str, Any]], _Read]
) -> tuple[_Read, ...]:
    fix = f"give the file that {command} wrote"
    document = _document(file, fix)
    if not isinstance(document, dict) or document.get("format") != format_ or not document.get("keys"):
        raise SourceError(str(file), f"it is no file of the format {format_}", fix)
    try:
        return tuple(read(entry) for entry in document["keys"])
    except (KeyError, ValueError, TypeError, AttributeError, binascii.Error) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise SourceError(str(file), f"it is damaged: {what}", fix) from error


def _document(file: Path, fix: str) -> object:
    """The JSON in a file; None when it is none.

    In a frame of its own that is gone when the file is refused: whoever confuses the files has material in
    this one.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES)
    except OSError as error:
        raise SourceError(str(file), f"it cannot be read: {error.strerror}", fix) from error
    try:
        return parsed_json(data)
    except ValueError:
        return None


def _key(text: object) -> str:
    arn = parse_arn(str(text))
    if arn is None or arn.service != "kms" or not arn.resource.startswith("key/"):
        raise ValueError("an entry names no KMS key")
    return str(text)


def _moment(text: object) -> datetime:
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError("a moment has no offset")
    return found


def check_fresh(parameters: ImportParameters | WrappedMaterial, now: datetime) -> None:
    """Refuses parameters that KMS would refuse for their age.

    Raises:
        MaterialError: They have expired.
    """
    if parameters.valid_to <= now:
        raise MaterialError(
            parameters.key,
            f"its import parameters expired on {parameters.valid_to.isoformat(timespec='minutes')}; "
            "they are valid for 24 hours",
            "ask for new ones with kms-constructs material parameters, and wrap the material under them",
        )


def wrapped_under(parameters: ImportParameters, material: Secret) -> WrappedMaterial:
    """Wraps checked material under the public key of the parameters.

    Args:
        parameters: From KMS.
        material: As `kms_constructs.runtime.material.specs.checked` returned it.

    Raises:
        MaterialError: The public key is no wrapping key, or the algorithm does not fit the material.
    """
    spec = material_spec(parameters.key_spec, parameters.region)
    algorithm = algorithm_for(spec, parameters.algorithm, parameters.wrapping_key)
    public_key = public_key_of(parameters.public_key, parameters.key)
    return WrappedMaterial(
        key=parameters.key,
        key_spec=parameters.key_spec,
        algorithm=algorithm,
        material=wrap(material, public_key, algorithm, parameters.key),
        token=parameters.token,
        valid_to=parameters.valid_to,
    )
