"""Files and directories as one estate."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from kms_constructs.errors import SourceError
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.estate import Estate, Key, SourceProblem
from kms_constructs.model.policy import Policy
from kms_constructs.sources.cloudformation.assembly import MANIFEST, is_assembly, read_assembly
from kms_constructs.sources.cloudformation.documents import policy_of
from kms_constructs.sources.cloudformation.template import TemplateInput
from kms_constructs.sources.cloudformation.templates import estate_from_templates
from kms_constructs.sources.decode import decode, read_text
from kms_constructs.sources.policy_file import key_from_policy, policy_in

SUFFIXES: Final = (".json", ".yaml", ".yml", ".template")
"""Endings of the files that are looked at in a directory."""

_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "site-packages"})
_RESOURCE_TYPE = re.compile(r"\bAWS::[A-Za-z0-9]+::[A-Za-z0-9]+")
_WHAT: Final = "Give a CloudFormation template, a cdk.out directory or a key policy"


def load(
    paths: Sequence[str | Path],
    *,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    scps: Sequence[str | Path] = (),
    rcps: Sequence[str | Path] = (),
) -> Estate:
    """Reads everything that the paths hold, as one estate: what one template exports another imports.

    An input that cannot be read never stops the others: it is listed in `Estate.problems`. In a directory,
    files that hold neither a template nor a key policy are passed over; a file that is named is not.

    Args:
        paths: ``cdk.out`` directories, directories of templates, templates (JSON, YAML), key policies (JSON).
        account: Account of stacks and keys that do not say theirs; twelve digits.
        region: Region of stacks and keys that do not say theirs.
        parameters: Values of template parameters by name; those not named have their defaults.
        scps: JSON files of the service control policies in force.
        rcps: JSON files of the resource control policies in force.

    Raises:
        SourceError: No path was given, or the account is no account id.

    Example:
        >>> load(["no-such-file.json"]).problems[0].message
        'it cannot be read: No such file or directory'
    """
    if isinstance(paths, str | Path):
        raise SourceError(str(paths), "one path stands where a list of paths is wanted", "Give a list")
    if not paths:
        raise SourceError("load", "no path was given", _WHAT)
    if account is not None and not is_account_id(account):
        raise SourceError("load", f"{account!r} is no account id", "Give the twelve digits of the account")
    found = _Found(account, region)
    for path in dict.fromkeys(Path(path) for path in paths):
        found.add(path)
    # Read before the problems are put together, for they may add to them.
    service_control, resource_control = (tuple(_policies(given, found.problems)) for given in (scps, rcps))
    estate = estate_from_templates(found.templates, parameters=parameters)
    return replace(
        estate,
        keys=(*estate.keys, *found.keys),
        problems=(*found.problems, *_unused(parameters or {}, found.templates), *estate.problems),
        sources=tuple(dict.fromkeys((*estate.sources, *(key.location.source for key in found.keys)))),
        service_control_policies=service_control,
        resource_control_policies=resource_control,
    )


class _Found:
    def __init__(self, account: str | None, region: str | None) -> None:
        self._account = account
        self._region = region
        self._seen: set[Path] = set()
        self.templates: list[TemplateInput] = []
        self.keys: list[Key] = []
        self.problems: list[SourceProblem] = []

    def add(self, path: Path) -> None:
        """Adds what was named by the caller."""
        if path.is_dir():
            self._directory(path)
        elif path.name == MANIFEST and is_assembly(path.parent):
            self._assembly(path.parent)
        else:
            self._file(path, named=True)

    def _directory(self, directory: Path) -> None:
        before = len(self.templates) + len(self.keys) + len(self.problems)
        if is_assembly(directory):
            self._assembly(directory)
        else:
            for path in _files(directory, self._assembly):
                self._file(path, named=False)
        if len(self.templates) + len(self.keys) + len(self.problems) == before:
            message = "the directory holds no template, assembly or key policy"
            self.problems.append(SourceProblem(str(directory), message, _WHAT))

    def _assembly(self, directory: Path) -> None:
        if self._is_new(directory):
            assembly = read_assembly(directory, account=self._account, region=self._region)
            self.templates.extend(assembly.templates)
            self.problems.extend(assembly.problems)

    def _is_new(self, path: Path) -> bool:
        resolved = path.resolve()
        if resolved in self._seen:
            return False
        self._seen.add(resolved)
        return True

    def _file(self, path: Path, *, named: bool) -> None:
        source = str(path)
        if not self._is_new(path):
            return
        try:
            text = read_text(path, source)
            if not named and not _looks_relevant(text):
                return
            document = decode(text, source)
        except SourceError as error:
            if named or _names_resources(path):
                self.problems.append(SourceProblem(source, error.problem, error.fix))
            return
        if isinstance(document, Mapping) and isinstance(document.get("Resources"), Mapping):
            self.templates.append(TemplateInput(document, source, account=self._account, region=self._region))
            return
        policy = policy_in(document)
        if policy is not None and (named or _is_key_policy(policy)):
            self.keys.append(
                key_from_policy(policy, source=source, account=self._account, region=self._region)
            )
            return
        if named:
            self.problems.append(SourceProblem(source, _why_not(document), _WHAT))


def _files(directory: Path, on_assembly: Callable[[Path], None]) -> Iterator[Path]:
    """Files of a directory that may hold something, in a stable order; assemblies go to `on_assembly`."""
    for root, directories, names in os.walk(directory):
        here = Path(root)
        directories[:] = sorted(
            name for name in directories if name not in _SKIPPED and not name.startswith(".")
        )
        if here != directory and is_assembly(here):
            directories.clear()
            on_assembly(here)
            continue
        yield from (here / name for name in sorted(names) if name.lower().endswith(SUFFIXES))


def _looks_relevant(text: str) -> bool:
    """Whether a file that nobody named may be a template or a key policy: cheap, before it is decoded."""
    return ("Resources" in text and _RESOURCE_TYPE.search(text) is not None) or (
        "tatement" in text and "rincipal" in text
    )


def _names_resources(path: Path) -> bool:
    try:
        return _looks_relevant(path.read_bytes().decode("utf-8", "replace"))
    except OSError:
        return True


def _is_key_policy(policy: object) -> bool:
    """Whether a policy that nobody named is a key policy: it names principals and KMS actions."""
    parsed = policy_of(policy, "")
    return any(
        (statement.principals is not None or statement.not_principals is not None)
        and isinstance(statement.actions, tuple)
        and any(action.lower().startswith("kms:") for action in statement.actions)
        for statement in parsed.statements
    )


def _why_not(document: object) -> str:
    if not isinstance(document, Mapping):
        kind = "list" if isinstance(document, list) else "text" if isinstance(document, str) else "value"
        return f"it holds a {kind} and no object"
    if "Resources" in document:
        return "Resources is no object"
    if "artifacts" in document:
        return "it is the manifest of no assembly"
    return "it is neither a template (no Resources) nor a key policy (no Statement)"


def _unused(parameters: Mapping[str, str], templates: Sequence[TemplateInput]) -> Iterator[SourceProblem]:
    declared = {
        name
        for item in templates
        if isinstance(section := item.template.get("Parameters"), Mapping)
        for name in section
    }
    for name in parameters:
        if name not in declared:
            yield SourceProblem(
                "parameters",
                f"no template has a parameter {name!r}",
                "Check its spelling against the Parameters section",
            )


def _policies(paths: Sequence[str | Path], problems: list[SourceProblem]) -> Iterator[Policy]:
    for path in map(Path, paths):
        source = str(path)
        try:
            document = decode(read_text(path, source), source)
        except SourceError as error:
            problems.append(SourceProblem(source, error.problem, error.fix))
            continue
        policy = policy_in(document)
        if policy is None:
            problems.append(
                SourceProblem(source, "it is no policy: it has no Statement", "Give the policy as JSON")
            )
        else:
            yield policy_of(policy, source)
