"""What keys need to know of their stack, asked of the CDK once for each stack."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from aws_cdk import Fn, NestedStack, Stack
from constructs import IConstruct


@dataclass(frozen=True, slots=True)
class StackFacts:
    """Where a stack deploys to, and who deploys it.

    Args:
        partition, account, region: As text, CDK tokens where they are decided at deployment.
        execution_role: ARN of the CloudFormation execution role, if the stack's synthesizer knows it.
    """

    partition: str
    account: str
    region: str
    execution_role: str | None

    @property
    def root_arn(self) -> str:
        """ARN of the account root principal."""
        return f"arn:{self.partition}:iam::{self.account}:root"


_STACKS: WeakKeyDictionary[IConstruct, Stack] = WeakKeyDictionary()
_FACTS: WeakKeyDictionary[Stack, StackFacts] = WeakKeyDictionary()
_ROOTS: WeakKeyDictionary[Stack, IConstruct] = WeakKeyDictionary()
_PATHS: WeakKeyDictionary[IConstruct, str] = WeakKeyDictionary()


def stack_of(scope: IConstruct) -> Stack:
    """The stack that a scope belongs to."""
    if isinstance(scope, Stack):
        return scope
    stack = _STACKS.get(scope)
    if stack is None:
        stack = _STACKS[scope] = Stack.of(scope)
    return stack


def root_of(stack: Stack) -> IConstruct:
    """The root of the tree that a stack stands in: the app, as a rule."""
    root = _ROOTS.get(stack)
    if root is None:
        root = _ROOTS[stack] = stack.node.root
    return root


def child_path(scope: IConstruct, construct_id: str) -> str:
    """Construct path of a child, for messages."""
    path = _PATHS.get(scope)
    if path is None:
        path = _PATHS[scope] = scope.node.path
    return f"{path}/{construct_id}" if path else construct_id


def facts_of(stack: Stack) -> StackFacts:
    """The facts of a stack."""
    facts = _FACTS.get(stack)
    if facts is None:
        partition, account, region = stack.partition, stack.account, stack.region
        facts = StackFacts(partition, account, region, _execution_role(stack, partition, account, region))
        _FACTS[stack] = facts
    return facts


def _execution_role(stack: Stack, partition: str, account: str, region: str) -> str | None:
    parent: Stack | None = stack
    while isinstance(parent, NestedStack):
        stack, parent = parent, parent.nested_stack_parent
    role = getattr((parent or stack).synthesizer, "cloud_formation_execution_role", None)
    if not isinstance(role, str):
        return None
    for placeholder, text in (
        ("${AWS::Partition}", partition),
        ("${AWS::AccountId}", account),
        ("${AWS::Region}", region),
    ):
        role = role.replace(placeholder, text)
    return Fn.sub(role) if "${AWS::" in role else role
