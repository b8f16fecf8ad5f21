"""One CloudFormation template as the sources hand it on."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from kms_constructs.model.frozen import Frozen
from kms_constructs.model.location import CodeLine
from kms_constructs.sources.positions import Marks


class TemplateInput(Frozen, frozen=True):
    """A template and what is known of the stack that it makes.

    Args:
        template: The template as plain data, short forms of YAML expanded.
        source: The file it came from, or what stands for it.
        stack: Name of the stack, or empty.
        account: Account it is deployed to: twelve digits, or None when that is not known.
        region: Region it is deployed to, or None.
        construct_paths: CDK construct path by logical id; a resource's own metadata (``aws:cdk:path``) is
            used for those that are missing.
        assets: Source of a template by asset hash, for nested stacks whose template URL holds only the hash.
        marks: Where the values of the template stand in its file, or None.
        within: The resource that deploys it, to accounts and Regions of its own: a stack set or a product.
        creator: ARN of the role that CloudFormation makes the resources with, or None when that is not known.
        made_at: The lines of a program that made resources, by construct path.

    Example:
        >>> TemplateInput({"Resources": {}}, "app.json", stack="App").account is None
        True
    """

    template: Mapping[str, object]
    source: str
    stack: str = ""
    account: str | None = None
    region: str | None = None
    construct_paths: Mapping[str, str] | None = None
    assets: Mapping[str, str] | None = None
    marks: Marks | None = None
    within: str = ""
    creator: str | None = None
    made_at: Mapping[str, CodeLine] = field(default_factory=dict)
