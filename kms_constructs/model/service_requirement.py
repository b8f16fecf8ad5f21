"""What an AWS service needs of a KMS key, as data: which resources hand it one, who calls KMS, and how.

One file of `kms_constructs.model.services` holds one requirement. The preset of `ServiceAccess`, the advice
when a construct is refused, the table of services, the schema of key catalogues and the proof that a
service can use its key are all made from it, so that nothing about a service is written twice.

What AWS does not document stays open here: a condition key that stands neither in `Caller.sends` nor in
`Caller.omits` may or may not be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from msgspec import field

from kms_constructs.model.frozen import Frozen

PARTITION = "<partition>"
ACCOUNT = "<account>"
REGION = "<region>"
SUFFIX = "<suffix>"
"""Stand for what is decided by the key: its partition, account, Region, and the DNS suffix of its partition
(for the few service principals that use it). No ARN can hold ``<`` or ``>``.
"""

DATA_KEYS = ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
"""What AWS's examples call ``kms:GenerateDataKey*``: no service makes data key pairs."""
ALL_SYMMETRIC = ("Decrypt", "Encrypt", *DATA_KEYS, "ReEncryptFrom", "ReEncryptTo")

SOURCE_ARN = "aws:SourceArn"
SOURCE_ACCOUNT = "aws:SourceAccount"
VIA_SERVICE = "kms:ViaService"
CALLER_ACCOUNT = "kms:CallerAccount"
CONTEXT = "kms:EncryptionContext:"
"""What the names of condition keys on the encryption context begin with."""
FOR_AWS_RESOURCE = "kms:GrantIsForAWSResource"

VIA_SERVICE_PAGE = "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html"
"""Lists the services that call KMS in the name of a principal, with their values of `kms:ViaService`."""

CREATE_GRANT = "CreateGrant"

MANAGED_FOR_CALLERS = frozenset({"alias/aws/sns", "alias/aws/sqs"})
"""Keys that AWS manages for queues and topics: their policies let in principals of the account that come
through the service, and no service that publishes.

See: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""


class KeyForm(Enum):
    """How a property names the key."""

    ARN = "ARN"
    ID = "id"
    ALIAS = "alias"
    """The alias name; where ARNs are taken, its ARN too."""


ANY_FORM = (KeyForm.ARN, KeyForm.ID, KeyForm.ALIAS)


class Who(Enum):
    """Who calls KMS."""

    SERVICE = "the service, as itself"
    LINKED_ROLE = "the service-linked role"
    CREATOR = "whoever creates or changes the resource"
    """Under CloudFormation the execution role."""
    ROLE = "a role of the resource"
    READER = "whoever reads"
    WRITER = "whoever writes"


class When(Enum):
    """When the call is made."""

    CREATE = "creation"
    """The resource cannot be made without it."""
    RUN = "use"


class Step(Frozen, frozen=True):
    """Properties of a resource that name the key, or the next resource on the way to it.

    Args:
        resource: CloudFormation's type: ``AWS::CloudWatch::Alarm``.
        properties: Their paths below ``Properties``, ``*`` for each element of a list:
            ``AlarmActions/*``.
        where: Values, by path, without which the step is not taken: ``{"Protocol": "sqs"}``. A ``*`` is the
            element that the property is taken from. ``*`` as the value is any.
        defaults: What AWS takes for properties of `where` that are not written.
    """

    resource: str
    properties: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


class Consumer(Frozen, frozen=True):
    """A way on which a key is handed to the service.

    Args:
        steps: From the resource for which the service acts to the one that has the key: an alarm names a
            topic, and the topic the key. One step where the resource itself names the key.
        forms: How the last step may name the key.
        page: Where AWS documents it.
    """

    steps: tuple[Step, ...]
    forms: tuple[KeyForm, ...]
    page: str

    @property
    def resource(self) -> str:
        """The type of the resource for which the service acts."""
        return self.steps[0].resource

    @property
    def holder(self) -> Step:
        """The step that names the key."""
        return self.steps[-1]


def named_by(resource: str, *properties: str, page: str, forms: tuple[KeyForm, ...] = ANY_FORM) -> Consumer:
    """A resource that names the key itself."""
    return Consumer((Step(resource, properties),), forms, page)


BUCKET = Step(
    "AWS::S3::Bucket",
    ("BucketEncryption/ServerSideEncryptionConfiguration/*/ServerSideEncryptionByDefault/KMSMasterKeyID",),
)
TOPIC = Step("AWS::SNS::Topic", ("KmsMasterKeyId",))
QUEUE = Step("AWS::SQS::Queue", ("KmsMasterKeyId",))
SECRET = Step("AWS::SecretsManager::Secret", ("KmsKeyId",))
"""The last step for what many services deliver to."""
LAUNCH_TEMPLATE = Step("AWS::EC2::LaunchTemplate", ("LaunchTemplateData/BlockDeviceMappings/*/Ebs/KmsKeyId",))
"""The last step for what launches instances."""


class Caller(Frozen, frozen=True, kw_only=True):
    """A principal that calls KMS for the service, and what its calls are like.

    Args:
        who: What kind of principal it is.
        actions: The KMS actions it needs, without ``kms:``, written out.
        page: Where AWS documents it.
        when: When it calls.
        principal: The service principal, or the ARN of the service-linked role. Placeholders stand for what
            the key decides.
        roles: For `Who.ROLE`: the ways to the role, as `Consumer.steps` are: the last step names it.
        unseen: Properties of the resource under which AWS makes the role itself, in no template of the app.
        sends: Condition keys that every such call carries, with the value or, where AWS documents several,
            the values; ``*`` and placeholders in them.
        by_name: Those of `sends` that carry the name of the resource, which its ARN ends in.
        omits: Condition keys that no such call carries: a statement that asks for one allows nothing.
        limits: The condition keys, with the operator, by which the preset limits its statement, in order.
        operations: What a grant that it creates lets the grantee do; empty where AWS does not say.
        called: Those of `actions` that AWS documents to be called, where its example allows more; all of
            them by default.
        only_if: What has to be so for the call to be made: an option of the resource, or a feature used.
            Empty when it is always made.
        sid: What the Sid of the preset's statement ends in.
        without: What a deployment or a run says without it, where AWS documents that.
        note: What AWS documents besides, or does not.
    """

    who: Who
    actions: tuple[str, ...]
    page: str
    when: When = When.RUN
    principal: str = ""
    roles: tuple[tuple[Step, ...], ...] = ()
    unseen: tuple[str, ...] = ()
    sends: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    by_name: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()
    operations: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    only_if: str = ""
    sid: str = ""
    without: str = ""
    note: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The actions whose refusal is sure to break something."""
        return self.called or self.actions

    @property
    def grants(self) -> bool:
        """Whether it creates a grant."""
        return CREATE_GRANT in self.actions

    @property
    def encryption_context(self) -> dict[str, str | tuple[str, ...]]:
        """The encryption context that it sends, as far as AWS documents it."""
        return {
            key.removeprefix(CONTEXT): value for key, value in self.sends.items() if key.startswith(CONTEXT)
        }


class Shape(Enum):
    """The arguments of a preset."""

    PRINCIPALS = "principals"
    """``(principals)``: the roles and users that call KMS through the service."""
    SOURCES = "sources"
    """``(*, source_arns=(), account=…)``: the service calls as itself, for these resources."""
    OWN = "own"
    """A function of its own in `kms_constructs.policies.services`."""


class PresetText(Frozen, frozen=True, kw_only=True):
    """What a preset says of itself.

    Args:
        call: How it is written in advice: ``ServiceAccess.rds([…])``.
        sid: What the Sids of its statements begin with, after ``Service``.
        shape: Its arguments. The rest is for presets without a function of their own, which says it itself.
        summary: First line of its documentation.
        detail: What else there is to know.
        principals: Who `principals` are, for `Shape.PRINCIPALS`.
        source: The service of the ARNs, for `Shape.SOURCES`: ``events``.
        sources: What they are ARNs of: ``The alarms``.
    """

    call: str
    sid: str
    shape: Shape = Shape.OWN
    summary: str = ""
    detail: str = ""
    principals: str = ""
    source: str = ""
    sources: str = ""


class Row(Frozen, frozen=True):
    """One way to hand the key over in CDK, for the table of services.

    Args:
        resource: What is encrypted.
        construct: The expression.
        caller: Who calls KMS, in words.
        argument: Which argument of `SecureKmsKey` lets it.
        refused: Whether the construct, at synth, is refused without it. When False it synthesizes either way,
            for the CDK asks for no statement: what is missing shows at run time.
    """

    resource: str
    construct: str
    caller: str
    argument: str
    refused: bool = False


class ServiceRequirement(Frozen, frozen=True, kw_only=True):
    """What one AWS service, in one use of a key, needs of it.

    Args:
        name: The preset, and the name of the file.
        title: The service as people call it.
        pages: AWS's documentation.
        callers: Who calls KMS.
        consumers: What hands it the key.
        rows: the table of services.
        via: The service in values of `kms:ViaService`, where principals reach the key through it.
        also_via: Further services that the same calls may name there.
        preset: The preset; None where `key_users` or nothing at all is the answer.
        asks_as: Service principals for which CDK constructs ask statements that this preset answers. Several
            requirements may answer the same.
        asks_through: Services through which CDK constructs let the whole account in, which it answers.
        key_spec: The key spec that the service works with; None for any.
        key_usage: The key usage that it works with, as KMS names it.
        region: The Region that it takes keys from; empty for the resource's own.
        unsupported: Why AWS takes no customer managed key here; empty where it does.
        undocumented: What AWS documents nowhere, so that nothing is said of it here: README's table shows it.
            Where that is who calls KMS at all, there are no `callers`, and nothing proves that the use works.
        notes: What AWS documents besides.
    """

    name: str
    title: str
    pages: tuple[str, ...]
    callers: tuple[Caller, ...]
    consumers: tuple[Consumer, ...] = ()
    rows: tuple[Row, ...] = ()
    via: str = ""
    also_via: tuple[str, ...] = ()
    preset: PresetText | None = None
    asks_as: tuple[str, ...] = ()
    asks_through: tuple[str, ...] = ()
    key_spec: str | None = "SYMMETRIC_DEFAULT"
    key_usage: str = "ENCRYPT_DECRYPT"
    region: str = ""
    unsupported: str = ""
    undocumented: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def caller(self, sid: str) -> Caller:
        """The caller whose statement in the preset ends in this.

        Raises:
            KeyError: There is none.
        """
        for one in self.callers:
            if one.sid == sid:
                return one
        raise KeyError(sid)


def through_service(
    via: str,
    who: Who,
    actions: tuple[str, ...],
    *,
    page: str,
    context: Mapping[str, str] | None = None,
    when: When = When.RUN,
    roles: tuple[tuple[Step, ...], ...] = (),
    unseen: tuple[str, ...] = (),
    operations: tuple[str, ...] = (),
    called: tuple[str, ...] = (),
    only_if: str = "",
    sid: str = "",
    note: str = "",
    for_aws_resource: bool = True,
) -> Caller:
    """A principal that calls KMS through a service, with its own identity.

    Its calls carry the service and the account of the principal; never a source, for no service acts. A grant
    that it makes is one for an AWS resource, as KMS documents of the services that are integrated with it,
    but where the service's own page says that it is not.

    See: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    sends: dict[str, str | tuple[str, ...]] = {
        CALLER_ACCOUNT: ACCOUNT,
        VIA_SERVICE: f"{via}.{REGION}.amazonaws.com",
        **{f"{CONTEXT}{key}": value for key, value in (context or {}).items()},
    }
    omits: tuple[str, ...] = (SOURCE_ARN, SOURCE_ACCOUNT)
    if CREATE_GRANT in actions and for_aws_resource:
        sends[FOR_AWS_RESOURCE] = "true"
    elif CREATE_GRANT in actions:
        omits = (*omits, FOR_AWS_RESOURCE)
    return Caller(
        who=who,
        actions=actions,
        page=page,
        when=when,
        roles=roles,
        unseen=unseen,
        sends=sends,
        omits=omits,
        limits=(("StringEquals", CALLER_ACCOUNT), ("StringEquals", VIA_SERVICE)),
        operations=operations,
        called=called,
        only_if=only_if,
        sid=sid,
        note=note,
    )
