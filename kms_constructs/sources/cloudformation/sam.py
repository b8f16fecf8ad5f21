"""What the transform of the Serverless Application Model makes of a template, as far as keys are concerned.

Global properties are merged into the resources, and a role is made for each function and state machine that
has none of its own.

See: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kms_constructs.model.unknown import Unknown
from kms_constructs.sources.cloudformation.scope import MAX_DEPTH, Scope, section

if TYPE_CHECKING:
    from typing_extensions import TypeIs

PREFIX: Final = "AWS::Serverless::"
ROLE_MAKERS: Final = frozenset({f"{PREFIX}Function", f"{PREFIX}StateMachine"})
"""Types that get a role made, unless they name one."""

POLICY_TEMPLATES: Final[Mapping[str, list[str]]] = {
    "KMSDecryptPolicy": ["kms:Decrypt"],
    "KMSEncryptPolicy": ["kms:Encrypt"],
    "KMSEncryptPolicyV2": ["kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
}
"""SAM's policy templates that allow something on keys, and what."""


def with_globals(
    template: Mapping[str, object], kind: str, raw: Mapping[str, object]
) -> Mapping[str, object]:
    """A resource with the global properties of its type.

    As SAM merges them: objects member by member, lists one after the other, and of other values the
    resource's own.

    Example:
        >>> template = {"Globals": {"Function": {"KmsKeyArn": "a", "Timeout": 3}}}
        >>> with_globals(template, "AWS::Serverless::Function", {"Properties": {"Timeout": 5}})
        {'Properties': {'KmsKeyArn': 'a', 'Timeout': 5}}
    """
    if not kind.startswith(PREFIX):
        return raw
    given = section(section(template, "Globals"), kind.removeprefix(PREFIX))
    ignored = raw.get("IgnoreGlobals", ())
    own = raw.get("Properties", {})
    if not given or ignored == "*" or not isinstance(own, Mapping):
        return raw
    left_out = {ignored} if isinstance(ignored, str) else set(ignored) if isinstance(ignored, list) else set()
    kept = {name: value for name, value in given.items() if name not in left_out}
    return {**raw, "Properties": _merged(kept, own, 0)}


def _merged(wide: object, own: object, depth: int) -> object:
    if depth < MAX_DEPTH and _is_object(wide) and _is_object(own):
        both = {name: _merged(wide[name], value, depth + 1) for name, value in own.items() if name in wide}
        return {**wide, **own, **both}
    return [*wide, *own] if isinstance(wide, list) and isinstance(own, list) else own


def _is_object(node: object) -> TypeIs[Mapping[str, object]]:
    """Whether it is an object and no function."""
    if not isinstance(node, Mapping):
        return False
    name = str(next(iter(node), ""))
    return not (len(node) == 1 and (name in ("Ref", "Condition") or name.startswith("Fn::")))


def role_path(scope: Scope, logical_id: str, depth: int) -> str:
    """The IAM path of the role that is made for a function or state machine."""
    given = scope.resource_property(logical_id, "RolePath", depth)
    return "/" if given is None else scope.as_text(given, {"Ref": f"{logical_id}.RolePath"})


def policy_document(scope: Scope, entry: Mapping[str, object]) -> object:
    """The document that one of `POLICY_TEMPLATES` stands for."""
    name, variables = next(iter(entry.items()))
    key = variables.get("KeyId") if isinstance(variables, Mapping) else None
    resource: object = Unknown(f"the key of {name} is not known")
    if isinstance(key, str):
        resource = f"arn:{scope.partition}:kms:{scope.region}:{scope.account}:key/{key}"
    return {"Statement": [{"Effect": "Allow", "Action": POLICY_TEMPLATES[name], "Resource": resource}]}
