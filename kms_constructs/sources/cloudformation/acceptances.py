"""What an assembly or a template says itself of findings that are accepted.

CDK writes what ``Validations.of(construct).acknowledge(…)`` was told into the assembly, for what lies within
a stack. What was told of the app or of a stage it writes nowhere; `enforce_guardrails` leaves a file for
that. In a template a resource says it in its metadata::

    Metadata:
      kms-constructs:
        accepted:
          - id: KMS:010[missing:3fa9c2d10b7e]
            reason: found by its ARN in a parameter
            until: "2027-01-31"

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-metadata.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kms_constructs.model.declaration import METADATA_NAME
from kms_constructs.model.estate import Acceptance, SourceProblem
from kms_constructs.model.exact import is_object
from kms_constructs.model.reading import bounded_text, parsed_json
from kms_constructs.sources.cloudformation.assembly import Assembly
from kms_constructs.sources.cloudformation.template import TemplateInput

ACKNOWLEDGED_RULES: Final = "aws:cdk:acknowledged-rules"
"""Type of the metadata entry of an acknowledgement."""
ABOVE_STACKS: Final = "kms-constructs-acknowledgements.json"
"""The file of what was acknowledged of the app and its stages: construct path to ids to reasons."""
_UNNAMED: Final = "annotation"
"""What CDK puts before the id of an acknowledgement that names no pack."""
_UNTIL: Final = re.compile(r"\s*\(until (\d{4}-\d\d-\d\d)\)\s*$")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MEMBERS: Final = ("id", "reason", "until")


def acknowledged(assembly: Assembly) -> Iterator[Acceptance]:
    """What was acknowledged in CDK, of a stack and what lies in it, and of what the stacks lie in."""
    for path, data in assembly.entries(ACKNOWLEDGED_RULES):
        yield from acknowledgements(path, data)
    for directory in assembly.directories[:1]:
        file = directory / ABOVE_STACKS
        if not file.is_file():
            continue
        try:
            above = parsed_json(bounded_text(file))
        except (OSError, ValueError) as error:
            assembly.problems.append(SourceProblem(str(file), f"it is no JSON: {error}", "Synthesize again"))
            continue
        for path, data in above.items() if isinstance(above, Mapping) else ():
            yield from acknowledgements(str(path), data)


def acknowledgements(path: str, data: object) -> Iterator[Acceptance]:
    """What one metadata entry acknowledges.

    Args:
        path: The construct that it was said of; empty for the app.
        data: Id to reason. A reason may end with ``(until 2027-01-31)``.
    """
    for given, reason in data.items() if isinstance(data, Mapping) else ():
        pack, _, identity = str(given).rpartition("::")
        text = str(reason)
        until = _UNTIL.search(text)
        yield Acceptance(
            identity,
            _UNTIL.sub("", text),
            until.group(1) if until else "",
            construct_path=path,
            pack="" if pack.lower() == _UNNAMED else pack,
        )


def accepted_in(templates: Iterable[TemplateInput], problems: list[SourceProblem]) -> Iterator[Acceptance]:
    """What the resources of templates say in their metadata.

    Args:
        templates: The templates.
        problems: Where what is not understood is told.
    """
    for item in templates:
        resources = item.template.get("Resources")
        for name, resource in resources.items() if isinstance(resources, Mapping) else ():
            metadata = resource.get("Metadata") if is_object(resource) else None
            own = metadata.get(METADATA_NAME) if is_object(metadata) else None
            listed = own.get("accepted") if is_object(own) else None
            if listed is not None:
                yield from _listed(item.source, str(name), listed, problems)


def _listed(
    source: str, logical_id: str, listed: object, problems: list[SourceProblem]
) -> Iterator[Acceptance]:
    for entry in listed if isinstance(listed, list) else [listed]:
        problem = _problem(entry)
        if problem is not None or not isinstance(entry, Mapping):
            problems.append(
                SourceProblem(
                    source,
                    f"Metadata.{METADATA_NAME}.accepted: {problem}",
                    "Write a list of objects with id, reason and, if it is to end, until",
                    logical_id,
                )
            )
            continue
        texts = {name: entry[name].strip() for name in _MEMBERS if name in entry}
        yield Acceptance(**texts, source=source, logical_id=logical_id)


def _problem(entry: object) -> str | None:
    """What is wrong with an entry; an acceptance without a reason is none."""
    if not isinstance(entry, Mapping):
        return "an entry is no object"
    unknown = [str(name) for name in entry if name not in _MEMBERS]
    if unknown:
        return f"an entry has no member {unknown[0]!r}"
    for name in _MEMBERS:
        value = entry.get(name)
        if value is None and name == "until":
            continue
        if not isinstance(value, str) or not value.strip():
            return f"an entry has no {name}"
        if name == "until" and not _DAY.fullmatch(value.strip()):
            return f"{value!r} is no day"
    return None
