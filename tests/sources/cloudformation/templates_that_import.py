"""Templates that take from each other whatever they can, by any name, in circles too."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tests.sources.cloudformation.templates_with_choices import (
    PUBLIC,
    STAGE,
    TEXT,
    Part,
    equals,
    key,
    ref,
    template,
    when,
)

PARAMETERS: Mapping[str, Part] = {
    "Stage": STAGE,
    "Other": {"Type": "String", "Default": "no"},
    "Late": {"Type": "String", "Default": "late"},
    "Role": {"Type": "String", "Default": "role"},
}
_DECIDED: Mapping[str, tuple[str, Part]] = {
    "IsProd": ("Stage", equals(ref("Stage"), "prod")),
    "IsOther": ("Other", equals(ref("Other"), "yes")),
    "IsLate": ("Late", equals(ref("Late"), "late")),
}
"""Conditions, with the parameter that decides."""
_ODD: Mapping[str, Part] = {
    "IsOdd": {"Fn::Not": [{"Condition": "IsEven"}]},
    "IsEven": {"Fn::Or": [{"Condition": "IsOdd"}, {"Condition": "IsEven"}]},
}
_NAMES = ("one", "two", "three")
_STACKS = ("A", "B", "C", "D")


class Dice:
    """Throws for what a template holds.

    Args:
        random: Where chance comes from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._in_circles = self.of(True, False, False, False)
        self._here = 0
        self._parameters: tuple[str, ...] = ()

    def of(self, *choices: Any) -> Any:
        return choices[self._random.randrange(len(choices))]

    def condition(self) -> str:
        known = [name for name, (parameter, _) in _DECIDED.items() if parameter in self._parameters]
        return self.of(*known, *(_ODD if self._in_circles or not known else ()))

    def _stack(self) -> str | None:
        """Another stack: one before this, unless they take from each other in circles."""
        if self._in_circles:
            return self.of(*_STACKS)
        return self.of(*_STACKS[: self._here]) if self._here else None

    def name(self, stack: str, depth: int = 0) -> object:
        """What something is exported or imported as."""
        name = stack + self.of(*_NAMES)
        match self.of(*range(7)):
            case 0 | 1 if self._parameters:
                return {"Fn::Sub": f"{name}-${{{self.of(*self._parameters)}}}"}
            case 2 if depth < 2 and self._parameters:
                return when(self.condition(), name, self.name(stack, depth + 1))
            case 3 if depth < 1 and (other := self._stack()) and self.of(False, False, False, True):
                return {"Fn::ImportValue": self.name(other, depth + 1)}
            case _:
                return name

    def value(self, depth: int = 0) -> object:
        """The name or the ARN of somebody."""
        match self.of(*range(10)):
            case 0 | 1 | 2 if stack := self._stack():
                return {"Fn::ImportValue": self.name(stack)}
            case 3 if stack := self._stack():
                output = self.of("Out", "More")
                return {"Fn::GetStackOutput": {"StackName": stack, "OutputName": output}}
            case 4 if depth < 3 and self._parameters:
                return when(self.condition(), self.value(depth + 1), self.value(depth + 1))
            case 5:
                return {
                    "Fn::Sub": self.of("x-${AWS::Region}", *(f"${{{name}}}-x" for name in self._parameters))
                }
            case 6:
                return {"Fn::GetAtt": self.of("Key.Arn", "Key.Arn", "Child.Outputs.Out", "Gone.Arn")}
            case 7 if depth < 3:
                return {"Fn::Join": ["-", [self.value(depth + 1), "x"]]}
            case _:
                return ref(self.of("Key", *self._parameters, "User" if self._in_circles else "Gone"))

    def resources(self, child: str | None) -> Part:
        """Resources that hang on such values."""
        allowed: Part = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": self.value()}
        inline = {"PolicyName": "Use", "PolicyDocument": {"Statement": [allowed]}}
        sse = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.value()}
        rules = [{"ServerSideEncryptionByDefault": sse}]
        policy = {"PolicyName": "More", "Users": [self.value()], "PolicyDocument": {"Statement": [allowed]}}
        found: Part = {
            "Key": key({**PUBLIC, "Principal": {"AWS": self.value()}}),
            "User": {
                "Type": "AWS::IAM::User",
                "Properties": {
                    "UserName": self.value(),
                    "Policies": [inline],
                    "ManagedPolicyArns": [self.value()],
                },
            },
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy},
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": "alias/one", "TargetKeyId": self.value()},
            },
            "Bucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}},
            },
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": self.value()}},
        }
        kept = {name: raw for name, raw in found.items() if name in ("Key", "User") or self.of(True, False)}
        if self._parameters and self.of(False, False, True):
            of_choice = self.of(*kept)
            kept[of_choice] = {**kept[of_choice], "Condition": self.condition()}  # type: ignore[dict-item]
        if child is not None:
            kept["Child"] = {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": f"./{child}", "Parameters": {"Stage": self.value()}},
            }
        return kept

    def outputs(self) -> Part:
        """Outputs, exported or not."""
        found: Part = {}
        for name in ("Out", "More"):
            output: Part = {"Value": self.value()}
            if self.of(True, True, False):
                output["Export"] = {"Name": self.name(_STACKS[self._here])}
            if self._parameters and self.of(True, False, False):
                output["Condition"] = self.condition()
            found[name] = output
        return found

    def template(self, child: str | None = None, *, nested: bool = False) -> Part:
        """A template.

        Args:
            child: The template that it nests, or None.
            nested: Whether it is nested: then its parent says the stage.
        """
        self._parameters = ("Stage",) if nested else tuple(one for one in PARAMETERS if self.of(True, False))
        conditions = {name: raw for name, (one, raw) in _DECIDED.items() if one in self._parameters}
        return template(
            self.resources(child),
            Parameters={name: TEXT if nested else PARAMETERS[name] for name in self._parameters},
            Conditions={**conditions, **_ODD},
            Outputs=self.outputs(),
        )

    def templates(self) -> dict[str, Part]:
        """Some templates, by the names of their files."""
        names = _STACKS[: self.of(2, 3, 4)]
        found: dict[str, Part] = {}
        parent = self.of(*names, None)
        for self._here, name in enumerate(names):
            found[f"{name}.json"] = self.template("nested.json" if name == parent else None)
            if name == parent:
                found["nested.json"] = self.template(nested=True)
        return found if self.of(True, False) else dict(reversed(found.items()))
