"""What the tests of the sources share."""

from collections.abc import Mapping

from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.cloudformation.layout import Layout
from kms_constructs.sources.cloudformation.scope import Scope
from kms_constructs.sources.cloudformation.values import Values
from kms_constructs.sources.cloudformation.world import Stock

ACCOUNT = "111122223333"
REGION = "eu-west-1"
ANY_ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
ANY_REGION = hole(HoleKind.ENVIRONMENT, "AWS::Region")


def generated(identity: str) -> str:
    return hole(HoleKind.GENERATED, identity)


def unresolved(identity: str) -> str:
    return hole(HoleKind.UNRESOLVED, identity)


def environment(identity: str) -> str:
    return hole(HoleKind.ENVIRONMENT, identity)


def scope_of(template: dict[str, object], **overrides: str) -> Scope:
    """The stack App of a template, in a known account and Region."""
    item = TemplateInput({"Resources": {}, **template}, "app.json", "App", ACCOUNT, REGION)
    return stack_of(item, overrides)


def stack_of(item: TemplateInput, overrides: Mapping[str, str] | None = None) -> Scope:
    """The stack of a template that is given by itself."""
    return Stock(Layout((item,))).with_(Values(overrides or {})).scopes[0]


def estate_of(resources: dict[str, object], **sections: object) -> Estate:
    """The estate of one stack App of a known account and Region."""
    item = TemplateInput({"Resources": resources, **sections}, "app.json", "App", ACCOUNT, REGION)
    return estate_from_templates([item])


def key_of(properties: dict[str, object], **attributes: object) -> Key:
    """The key that one resource with these properties makes."""
    resource = {"Type": "AWS::KMS::Key", "Properties": properties, **attributes}
    return estate_of({"Key": resource}).keys[0]
