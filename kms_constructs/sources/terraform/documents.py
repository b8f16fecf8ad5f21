"""Policy documents of a plan: JSON that is known, or an ``aws_iam_policy_document`` rebuilt.

A document that names something made in the same plan is known after apply only. Its data source holds the
statements all the same, with a gap where that name will stand, and the gap is filled by what the
configuration refers to there. What ``jsonencode`` makes has no parts in a plan and stays unknown.

See: https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.reading import parsed_json
from kms_constructs.model.text import HoleKind, display, has_hole, hole, holes, split_holes, undecided
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.sources.terraform.plan import Instance, as_list, as_map
from kms_constructs.sources.terraform.references import place_of
from kms_constructs.sources.terraform.resolver import Resolver

_DOCUMENT: Final = "aws_iam_policy_document"
_JSON: Final = ("json", "minified_json")
_ELEMENTS: Final = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
_BEFORE: Final = ("source_policy_documents", "source_json")
_AFTER: Final = ("override_policy_documents", "override_json")
_MAX_DOCUMENTS: Final = 20
"""Documents that are merged into one another, one in the next."""


class Documents:
    """Reads the policy documents of one plan.

    Args:
        resolver: Its values.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._depth = 0

    def policy(self, instance: Instance, name: str) -> Policy:
        """The policy that an argument of a resource holds."""
        return parse_policy(self._argument(instance, name), path=name)

    def policy_of(self, value: object, path: str) -> Policy:
        """A policy out of a resolved value."""
        return parse_policy(_whole(value), path=path)

    def _argument(self, instance: Instance, name: str) -> object:
        if instance.unknown.get(name) is True and instance.sensitive.get(name) is not True:
            found = self._resolver.made_of(instance.expressions.get(name), place_of(instance))
            if found.complete and len(found.targets) == 1:
                target = found.targets[0]
                if target.instance.type == _DOCUMENT and target.attribute in _JSON:
                    return self._rebuilt(target.instance)
                if target.attribute in target.instance.expressions:
                    return self._deeper(target.instance, target.attribute)
        return _whole(self._resolver.value(instance, name))

    def _deeper(self, instance: Instance, name: str) -> object:
        if self._depth > _MAX_DOCUMENTS:
            return Unknown("its policy documents are made of one another")
        self._depth += 1
        try:
            return self._argument(instance, name)
        finally:
            self._depth -= 1

    # --- aws_iam_policy_document -------------------------------------------------------------------

    def _rebuilt(self, data: Instance) -> object:
        """The document that a data source will hold."""
        if self._depth > _MAX_DOCUMENTS:
            return Unknown("its policy documents are made of one another")
        self._depth += 1
        try:
            return self._merged(data)
        finally:
            self._depth -= 1

    def _merged(self, data: Instance) -> object:
        own = self._resolver.value(data, "statement")
        if is_unknown(own):
            return own
        merged: list[object] = []
        for names, statements in ((_BEFORE, None), ((), own), (_AFTER, None)):
            listed: object = (
                [_statement(one) for one in as_list(statements)]
                if not names
                else self._statements_of(data, names)
            )
            if is_unknown(listed):
                return listed
            for one in as_list(listed):
                _put(merged, one)
        return {"Version": "2012-10-17", "Statement": merged}

    def _statements_of(self, data: Instance, names: tuple[str, str]) -> object:
        """Statements of the documents that are merged into one; unknown when one of them is."""
        found: list[object] = []
        for document in (one for name in names for one in self._documents_in(data, name)):
            if document is None or document == "":
                continue
            parsed = _decoded(document)
            statements = as_map(parsed).get("Statement") if isinstance(parsed, Mapping) else parsed
            if is_unknown(statements):
                return statements
            if isinstance(statements, Mapping):
                statements = [statements]
            if not isinstance(statements, list):
                return Unknown("a document that is merged into it has no statements")
            found.extend(statements)
        return found

    def _documents_in(self, data: Instance, name: str) -> Iterator[object]:
        value = self._resolver.value(data, name)
        unknown, sensitive = data.unknown.get(name), data.sensitive.get(name)
        gaps = [unknown is True] if isinstance(unknown, bool) else [one is True for one in as_list(unknown)]
        if not any(gaps) or sensitive is True:
            yield from value if isinstance(value, list) else (value,)
            return
        found = self._resolver.made_of(data.expressions.get(name), place_of(data))
        rebuilt = [
            self._rebuilt(target.instance)
            for target in found.targets
            if target.instance.type == _DOCUMENT and target.attribute in _JSON
        ]
        # Which of several stands in which gap is not told, and the later one decides; nor is it told what a
        # list holds that is not known at all.
        told = unknown is not True or name.endswith("_json")
        if not told or not found.complete or sum(gaps) != 1 or len(rebuilt) != 1 or len(found.targets) != 1:
            yield Unknown(f"{name} is known after apply only")
            return
        for index, one in enumerate(value if isinstance(value, list) else (value,)):
            yield rebuilt[0] if gaps[index : index + 1] == [True] else one


def _put(merged: list[object], statement: object) -> None:
    """Adds a statement; one that has the Sid of an earlier one stands in its place."""
    sid = as_map(statement).get("Sid")
    for index, one in enumerate(merged):
        if sid and as_map(one).get("Sid") == sid:
            merged[index] = statement
            return
    merged.append(statement)


def _decoded(document: object) -> object:
    if not isinstance(document, str):
        return document
    try:
        return parsed_json(document)
    except ValueError:
        return Unknown("a document that is merged into it is not JSON")


def _whole(value: object) -> object:
    """A value where a document is wanted: a text that is a hole is no mistake of the author."""
    if isinstance(value, str) and has_hole(value) and len(split_holes(value)) == 1:
        return undecided(value)
    return Unknown("it is absent") if value is None else value


def _statement(block: object) -> object:
    """One ``statement`` block as JSON has it."""
    if is_unknown(block):
        return block
    if not isinstance(block, Mapping):
        return Unknown("a statement is no object")
    effect, sid = block.get("effect"), block.get("sid")
    found: dict[str, object] = {"Effect": "Allow" if effect is None else effect}
    if isinstance(sid, str) and sid:
        found["Sid"] = sid
    for name, element in _ELEMENTS.items():
        if block.get(name) not in (None, []):
            listed = _variables(block[name])
            found[element] = [_resource(one) for one in listed] if isinstance(listed, list) else listed
    for name, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if block.get(name) not in (None, []):
            found[element] = _principals(block[name])
    if block.get("condition") not in (None, []):
        found["Condition"] = _conditions(block["condition"])
    return found


def _resource(value: object) -> object:
    """A text of a resource element: filled by what is no ARN, it is only a part of what will stand there."""
    if not isinstance(value, str) or not has_hole(value) or value.startswith("arn:"):
        return value
    (_, identity), *more = holes(value)
    whole = not more and len(split_holes(value)) == 1 and identity.endswith(".arn")
    return value if whole else hole(HoleKind.UNRESOLVED, f"a text with {display(value)}")


def _principals(blocks: object) -> object:
    if not isinstance(blocks, list):
        return blocks if is_unknown(blocks) else Unknown("the principals are no list")
    found: dict[str, list[object]] = {}
    for block in blocks:
        kind, identifiers = as_map(block).get("type"), _variables(as_map(block).get("identifiers"))
        if not isinstance(kind, str) or has_hole(kind):
            return Unknown("the type of the principals is known after apply only")
        if not isinstance(identifiers, list):
            return identifiers if is_unknown(identifiers) else Unknown("the identifiers are no list")
        if kind == "*":
            return "*"
        found.setdefault(kind, []).extend(identifiers)
    return found


def _conditions(blocks: object) -> object:
    if not isinstance(blocks, list):
        return blocks if is_unknown(blocks) else Unknown("the conditions are no list")
    found: dict[str, dict[str, object]] = {}
    for block in blocks:
        test, variable = as_map(block).get("test"), as_map(block).get("variable")
        if not (isinstance(test, str) and isinstance(variable, str)) or has_hole(test) or has_hole(variable):
            return Unknown("a condition is known after apply only")
        values, held = _variables(as_map(block).get("values")), found.setdefault(test, {})
        if variable not in held:
            held[variable] = values
        elif isinstance(values, list) and isinstance(present := held[variable], list):
            held[variable] = [*present, *values]
        else:
            held[variable] = Unknown("the values of a condition are known after apply only")
    return found


def _variables(value: object) -> object:
    """A list of texts, with IAM's policy variables, which the data source takes as ``&{…}``."""
    if isinstance(value, str):
        # Not known as a list: what else is in it no reference tells.
        return undecided(value)
    if isinstance(value, list):
        return [one.replace("&{", "${") if isinstance(one, str) else one for one in value]
    return value
