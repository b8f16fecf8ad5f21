"""What the CDK tokens of principals stand for: roles and users of this app, in which stack, of which name."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Reference, Stack, Tokenization
from aws_cdk import aws_iam as iam

from kms_constructs.policies.principals import NamedPrincipal, identity
from kms_constructs.policies.target import arn_parts, is_token


@dataclass(frozen=True, slots=True)
class Owner:
    """The role or user whose ARN a text is.

    Args:
        path: Its construct path.
        stack: The stack that makes it.
        account: Account of that stack, a token where it is not known.
        resource: ``role/`` or ``user/``, its path and its name; empty when CloudFormation makes the name up.
    """

    path: str
    stack: Stack
    account: str
    resource: str

    def named(self, arn: str) -> NamedPrincipal:
        """The principal, spelt as in the text that was asked about."""
        own = {identity(self.account, self.resource)} if self.resource else set()
        return NamedPrincipal(arn, self.account, frozenset({arn, *own}))


def owner_of(text: str) -> Owner | None:
    """The role or user of this app whose ARN the text is; None for every other text."""
    if not text.startswith("${Token["):
        return None
    fragments = Tokenization.reverse_string(text)
    if fragments.length != 1:
        return None
    for token in fragments.tokens:
        if Reference.is_reference(token) and getattr(token, "display_name", "") == "Arn":
            target = getattr(token, "target", None)
            if isinstance(target, iam.CfnRole | iam.CfnUser):
                return _owner(target)
    return None


def written_out(text: str, stack: Stack) -> str:
    """The ARN with the name of the role or user in it, where that is given; else the text itself."""
    owner = owner_of(text)
    if owner is None or not owner.resource:
        return text
    return f"arn:{stack.partition}:iam::{owner.account}:{owner.resource}"


def identities_of(stack: Stack) -> dict[str, object]:
    """The roles and users that a stack makes, as template resources with their names alone."""
    found: dict[str, object] = {}
    for construct in stack.node.find_all():
        if isinstance(construct, iam.CfnRole | iam.CfnUser):
            kind = "Role" if isinstance(construct, iam.CfnRole) else "User"
            name = construct.role_name if isinstance(construct, iam.CfnRole) else construct.user_name
            properties: dict[str, object] = {}
            if isinstance(name, str) and not is_token(name):
                properties = {f"{kind}Name": name, "Path": construct.path or "/"}
            resource = {"Type": f"AWS::IAM::{kind}", "Properties": properties}
            found[str(stack.resolve(construct.logical_id))] = resource
    return found


def is_person_arn(text: str) -> bool:
    """Whether a text, tokens unresolved, is sure to be the ARN of one role or user."""
    parts = arn_parts(text)
    if parts is None:
        return owner_of(text) is not None
    _, service, _, _, resource = parts
    return service == "iam" and resource.startswith(("role/", "user/")) and not set("*?") & set(text)


def _owner(target: iam.CfnRole | iam.CfnUser) -> Owner:
    stack = Stack.of(target)
    kind, name = ("role", target.role_name) if isinstance(target, iam.CfnRole) else ("user", target.user_name)
    known = isinstance(name, str) and not is_token(name)
    return Owner(target.node.path, stack, stack.account, f"{kind}{target.path or '/'}{name}" if known else "")
