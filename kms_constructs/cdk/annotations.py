"""Warnings and hints of constructs, as CDK takes them."""

from __future__ import annotations

from aws_cdk import Annotations
from constructs import IConstruct

_NO_TRACE = "aws:cdk:disable-stack-trace"


def annotations_of(construct: IConstruct) -> Annotations:
    """Where a construct is annotated, without a stack trace wherever CDK lets it be left out.

    The trace holds no line of the app: it ends where Node was asked, in a temporary directory, and the CDK
    CLI prints that path above the annotation.

    Args:
        construct: What the annotation is about. One that has children accepts no new context, and keeps the
            trace.
    """
    node = construct.node
    if not node.children:
        node.set_context(_NO_TRACE, True)
    return Annotations.of(construct)
