"""Files and directories as one estate."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from kms_constructs.errors import SourceError
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.estate import STANDARD_INPUT, Deployment, Estate, Organization, SourceProblem
from kms_constructs.model.policy import Policy
from kms_constructs.sources.decode import decode, decode_document, read_text
from kms_constructs.sources.policy_file import organization_policy
from kms_constructs.sources.reader import Bundle, Document, Reader
from kms_constructs.sources.registry import READERS

STDIN: Final = Path("/dev/stdin")
"""Standard input as a file, where the system has one."""

OrganizationPolicy = str | Path | Mapping[str, object]
"""A service or resource control policy: a JSON file, or the policy as plain data."""

_HEAD: Final = 64
"""Bytes at the beginning of a file by which a form that is not read is known."""
_TEMPLATE: Final = re.compile(
    r"""^[\s{,]*["']?(?:AWSTemplateFormatVersion|Resources)["']?\s*:""", re.MULTILINE
)
"""What a template begins with, even where the rest of it is missing."""
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}")
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "site-packages"})
_KINDS: Final = {noun: phrase for reader in READERS for noun, phrase in reader.kinds.items()}


def _either(things: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(things[:-1]), things[-1])))


_WHAT: Final = f"Give {_either(tuple(_KINDS.values()))}"


def load(
    paths: Sequence[str | Path],
    deployment: Deployment | None = None,
    *,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
) -> Estate:
    """Reads everything that the paths hold, as one estate: what one template exports another imports.

    An input that cannot be read never stops the others: it is listed in `Estate.problems`. In a directory,
    files that hold neither a template nor a key policy are passed over; a file that is named is not.

    Args:
        paths: ``cdk.out`` directories, directories of templates, templates (JSON, YAML), plans of Terraform
            as ``terraform show -json`` writes them, key policies (JSON).
        deployment: What the input does not say itself; or its parts by name:
        account: Account of stacks and keys that do not say theirs; twelve digits.
        region: Region of stacks and keys that do not say theirs.
        parameters: Values of template parameters by name; see `Deployment` for the others.
        scps: The service control policies in force: JSON files, or plain data.
        rcps: The resource control policies in force.

    Raises:
        SourceError: No path was given, or the account or the Region is none.

    Example:
        >>> load(["no-such-file.json"]).problems[0].message
        'it cannot be read: No such file or directory'
    """
    if isinstance(paths, str | Path):
        raise SourceError(str(paths), "one path stands where a list of paths is wanted", "Give a list")
    if not paths:
        raise SourceError("load", "no path was given", _WHAT)
    where = deployment or Deployment(account, region, parameters or {})
    check_account(where)
    found = _Found(where)
    for path in dict.fromkeys(Path(path) for path in paths):
        found.add(path)
    return found.estate(scps, rcps)


def read_document(
    content: Mapping[str, object],
    source: str,
    deployment: Deployment,
    *,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
) -> Estate:
    """A document that is there already, as plain data, as an estate.

    Args:
        content: The document. One that no reader takes is a problem of the estate.
        source: What to call it.
        deployment: What it does not say itself.
        scps: The service control policies in force: JSON files, or plain data.
        rcps: The resource control policies in force.

    Example:
        >>> read_document({"Statement": []}, "key policy", Deployment()).sources
        ('key policy',)
    """
    check_account(deployment)
    found = _Found(deployment)
    found.take(Document(content, source))
    return found.estate(scps, rcps)


def check_account(deployment: Deployment) -> None:
    """Refuses an account and a Region that are none.

    Raises:
        SourceError: The account is no account id, or the Region is no name of one.
    """
    account = deployment.account
    if deployment.region is not None and not _REGION.fullmatch(deployment.region):
        raise SourceError(
            "load", f"{deployment.region!r} is no Region", "Give its name, such as eu-west-1 or us-gov-east-1"
        )
    if account is not None and not is_account_id(account):
        raise SourceError("load", f"{account!r} is no account id", "Give the twelve digits of the account")


def organization_of(
    scps: Sequence[OrganizationPolicy], rcps: Sequence[OrganizationPolicy], problems: list[SourceProblem]
) -> Organization:
    """The organization's policies in force.

    Args:
        scps: The service control policies: JSON files, or plain data.
        rcps: The resource control policies.
        problems: Where what cannot be read is told.
    """
    return Organization(tuple(_policies("scp", scps, problems)), tuple(_policies("rcp", rcps, problems)))


def estate_of(
    readers: Sequence[Reader],
    deployment: Deployment,
    problems: list[SourceProblem],
    scps: Sequence[OrganizationPolicy],
    rcps: Sequence[OrganizationPolicy],
) -> Estate:
    """Everything that readers have taken in, with the organization's policies, as one estate.

    Args:
        readers: The readers.
        deployment: What they were given; a parameter that nothing has is a problem.
        problems: What could not be read.
        scps: The service control policies in force: JSON files, or plain data.
        rcps: The resource control policies in force.
    """
    organization = organization_of(scps, rcps, problems)
    known = frozenset(chain.from_iterable(reader.parameters() for reader in readers))
    # Before the problems: readers tell of more while they make sense of what they took in.
    estates = [reader.estate() for reader in readers]
    told = (*problems, *_unused(deployment.parameters, known))
    own = Estate(problems=told, organization=organization)
    return Estate.merge(own, *estates)


class _Found:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._seen: set[Path] = set()
        self.problems: list[SourceProblem] = []
        self.readers: list[Reader] = [reader(deployment, self.problems) for reader in READERS]
        self._taken = 0

    def add(self, path: Path) -> None:
        """Adds what was named by the caller."""
        if (bundle := self._bundle(path)) is not None:
            self._whole(bundle)
        elif path.is_dir():
            self._directory(path)
        else:
            self._file(path, named=True)

    def estate(self, scps: Sequence[OrganizationPolicy], rcps: Sequence[OrganizationPolicy]) -> Estate:
        """Everything that was added, and the organization's policies."""
        return estate_of(self.readers, self._deployment, self.problems, scps, rcps)

    def _bundle(self, path: Path) -> Bundle | None:
        found = (reader.bundle(path) for reader in self.readers)
        return next((bundle for bundle in found if bundle is not None), None)

    def _whole(self, bundle: Bundle) -> None:
        if self._is_new(bundle.directory):
            bundle.read()
            self._taken += 1

    def _directory(self, directory: Path) -> None:
        before = self._taken + len(self.problems)
        for path in self._files(directory):
            self._file(path, named=False)
        if self._taken + len(self.problems) == before:
            message = f"the directory holds no {_either(tuple(_KINDS))}"
            self.problems.append(SourceProblem(str(directory), message, _WHAT))

    def _files(self, directory: Path) -> Iterator[Path]:
        """Files of a directory that may hold something, in a stable order; what is one input is taken in."""
        suffixes = tuple({suffix for reader in READERS for suffix in reader.suffixes})
        for root, directories, names in os.walk(directory):
            here = Path(root)
            directories[:] = sorted(
                name for name in directories if name not in _SKIPPED and not name.startswith(".")
            )
            if here != directory and (bundle := self._bundle(here)) is not None:
                directories.clear()
                self._whole(bundle)
                continue
            yield from (here / name for name in sorted(names) if name.lower().endswith(suffixes))

    def _is_new(self, path: Path) -> bool:
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError, ValueError):  # links in a circle; told of when it is read
            resolved = path.absolute()
        if resolved in self._seen:
            return False
        self._seen.add(resolved)
        return True

    def _file(self, path: Path, *, named: bool) -> None:
        source = STANDARD_INPUT if path == STDIN else str(path)
        if not self._is_new(path):
            return
        if not named and path.exists() and not path.is_file():
            self.problems.append(
                SourceProblem(source, "it is no regular file", "Take it out of the directory")
            )
            return
        if named and (other := self._other_form(path)) is not None:
            self.problems.append(SourceProblem(source, *other))
            return
        try:
            text = read_text(path, source)
        except SourceError as error:
            # Nobody can say what an unreadable file would have held: it is never passed over.
            self._refuse(source, error)
            return
        readers = self.readers if named else self._relevant(text, path)
        if not readers:
            self._torn(text, path)
            return
        try:
            decoded = decode_document(text, source)
        except SourceError as error:
            self._refuse(source, error)
            return
        document = Document(decoded.data, source, named, decoded.marks, tuple(decoded.problems))
        self.take(document, readers)

    def _torn(self, text: str, path: Path) -> None:
        """Tells of a file that looks like nothing because it breaks off, and of a template without resources.

        Other broken files of a directory are not ours: comments in a ``tsconfig.json``, a chart's YAML.
        """
        source = str(path)
        template = _TEMPLATE.search(text) is not None
        try:
            content = decode_document(text, source).data
        except SourceError as error:
            if template or error.ends_early or path.suffix.lower() == ".template":
                self._refuse(source, error)
            return
        if template and isinstance(content, Mapping) and not isinstance(content.get("Resources"), Mapping):
            self.problems.append(SourceProblem(source, self._why_not(content), _WHAT))

    def take(self, document: Document, readers: Sequence[Reader] | None = None) -> None:
        """Offers a document to the readers, in order."""
        if any(reader.take(document) for reader in readers or self.readers):
            self._taken += 1
            self.problems.extend(document.problems)
        elif document.named:
            reason = self._why_not(document.content)
            self.problems.append(SourceProblem(document.source, reason, _WHAT))

    def _other_form(self, path: Path) -> tuple[str, str] | None:
        if not path.is_file():
            return None  # what is read from a pipe is read once
        try:
            with path.open("rb") as file:
                head = file.read(_HEAD)
        except (OSError, ValueError):
            return None  # told of when it is read as a whole
        found = (reader.other_form(path.name, head) for reader in self.readers)
        return next((other for other in found if other is not None), None)

    def _relevant(self, text: str | None, path: Path) -> list[Reader]:
        """The readers that an unnamed file may be for; all when it cannot be looked into."""
        name = path.name.lower()
        return [
            reader
            for reader in self.readers
            if name.endswith(reader.suffixes) and (text is None or reader.looks_relevant(text))
        ]

    def _refuse(self, source: str, error: SourceError) -> None:
        self.problems.append(SourceProblem(source, error.problem, error.fix))

    def _why_not(self, content: object) -> str:
        if not isinstance(content, Mapping):
            kind = "list" if isinstance(content, list) else "text" if isinstance(content, str) else "value"
            return f"it holds a {kind} and no object"
        reasons = (reader.why_not(content) for reader in self.readers)
        lacking = " nor ".join(reader.lacking for reader in self.readers)
        return next((reason for reason in reasons if reason is not None), f"it is neither {lacking}")


def _unused(parameters: Mapping[str, str], known: frozenset[str]) -> Iterator[SourceProblem]:
    for name in parameters:
        if name not in known:
            yield SourceProblem(
                "parameters",
                f"no template has a parameter {name!r}",
                "Check its spelling against the Parameters section",
            )


def _policies(
    kind: str, given: Sequence[OrganizationPolicy], problems: list[SourceProblem]
) -> Iterator[Policy]:
    for number, one in enumerate(given, start=1):
        source = f"{kind} {number}" if isinstance(one, Mapping) else str(one)
        try:
            document = one if isinstance(one, Mapping) else decode(read_text(Path(one), source), source)
        except SourceError as error:
            problems.append(SourceProblem(source, error.problem, error.fix))
            continue
        policy = organization_policy(document, source)
        if policy is None:
            problems.append(
                SourceProblem(source, "it is no policy: it has no Statement", "Give the policy as JSON")
            )
        else:
            yield policy
