"""Hand-made findings, keys and reports that the report tests share."""

from __future__ import annotations

from dataclasses import replace

from kms_constructs.analysis.access import Access, AccessMatrix, Capability, MatrixCell, MatrixRow
from kms_constructs.analysis.diff import AccessChange
from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.model.estate import Key, Location, SourceProblem
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.position import Position

ADMIN = "arn:aws:iam::111122223333:role/KeyAdmin"
USER = "arn:aws:iam::111122223333:role/OrderService"
HOSTILE = '<script>alert("x")</script>\x1b[2J\u202e'

DATA_KEY = Location(
    "cdk.out/AppStack.template.json", "AppStack", "DataKey961B73FD", "AppStack/DataKey/Resource"
)
LOG_KEY = Location("cdk.out/AppStack.template.json", "AppStack", "LogKey11AA22BB", "AppStack/LogKey/Resource")
POLICY_FILE = Location("policies/shared.json")
TRAIL = Location("template.yaml", "", "Trail")


class At:
    """An origin of which every part stands in one place."""

    def __init__(self, line: int, column: int) -> None:
        self._position = Position(line, column)

    def position(self, path: str) -> Position:
        return self._position


def placed(found: Finding, line: int, column: int) -> Finding:
    """The finding, in a source that has lines."""
    return replace(found, location=replace(found.location, origin=At(line, column)))


def finding(
    control: str = "KMS:001",
    outcome: Outcome = Outcome.VIOLATION,
    severity: Severity = Severity.HIGH,
    location: Location = DATA_KEY,
    message: str = "rotation is off",
    **rest: object,
) -> Finding:
    return Finding(
        control=control,
        outcome=outcome,
        severity=severity,
        location=location,
        message=message,
        **rest,  # type: ignore[arg-type]
    )


SEPARATION = finding(
    "IAM-KMS-8",
    message=f"{ADMIN} manages the key and can use it: it may call kms:CreateGrant and hand itself Decrypt",
    fix="Take kms:CreateGrant out of statement KeyAdministrators, or replace kms:Create* by kms:CreateAlias",
    path="Properties/KeyPolicy/Statement/1/Action",
    detail="CreateGrant",
    chain=("statement KeyAdministrators", "kms:Create*", "kms:CreateGrant", "a grant that carries Decrypt"),
    principals=(ADMIN,),
)
ROTATION = finding(
    message="EnableKeyRotation is absent, and KMS's default is off",
    fix="Set EnableKeyRotation to true",
    path="Properties/EnableKeyRotation",
    severity=Severity.MEDIUM,
    location=LOG_KEY,
)
UNRESOLVED = finding(
    "IAM-KMS-3",
    Outcome.UNDETERMINED,
    message="who may schedule the deletion is not known: parameter Admin has no default",
    fix="Give the parameter with --parameter Admin=ARN",
    path="Properties/KeyPolicy/Statement/2/Principal",
    location=POLICY_FILE,
)
UNUSED = finding(
    "KMS:003",
    severity=Severity.WARNING,
    message="nothing in the templates given uses this key",
    fix="Remove the key, or give the templates that use it",
    location=LOG_KEY,
)
ACCEPTED = finding(
    "KMS:007",
    severity=Severity.LOW,
    message="data classification restricted asks for a multi-Region key",
    fix="Set MultiRegion",
    path="Properties/MultiRegion",
    acknowledged="The data may not leave the Region (DPA-12)",
)
COMPLIANT = finding(
    "KMS:002", Outcome.COMPLIANT, message="the pending window is 30 days and the key is retained"
)
NOT_APPLICABLE = finding("KMS:009", Outcome.NOT_APPLICABLE, message="the key has no imported material")
PROBLEM = SourceProblem(
    "broken.yaml", "line 3, column 7: a mapping value is not allowed here", "Correct the YAML", "BadKey"
)

MIXED = Report(
    findings=(COMPLIANT, SEPARATION, ROTATION, UNRESOLVED, UNUSED, ACCEPTED, NOT_APPLICABLE),
    keys=3,
    sources=("cdk.out/AppStack.template.json", "policies/shared.json"),
)
CLEAN = Report(findings=(COMPLIANT, NOT_APPLICABLE), keys=1, sources=("cdk.out/AppStack.template.json",))
BROKEN = Report(findings=(COMPLIANT,), problems=(PROBLEM,), keys=1, sources=("broken.yaml",))
HOSTILE_REPORT = Report(
    findings=(
        finding(
            message=HOSTILE,
            fix=HOSTILE,
            path=HOSTILE,
            detail=HOSTILE,
            chain=(HOSTILE,),
            principals=(HOSTILE,),
            location=Location(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
        ),
        finding(location=Location(HOSTILE), acknowledged=HOSTILE),
    ),
    problems=(SourceProblem(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
    keys=1,
    sources=(HOSTILE,),
)


def key(location: Location = DATA_KEY, **rest: object) -> Key:
    return Key(
        id=f"{location.stack}.{location.logical_id}",
        location=location,
        policy=parse_policy({"Statement": []}),
        account="111122223333",
        region="eu-central-1",
        aliases=("alias/prod/orders",),
        **rest,  # type: ignore[arg-type]
    )


def matrix(of: Key | None = None) -> AccessMatrix:
    """A matrix with every degree of access, a principal without any, and statements to be named."""
    root = {
        capability: MatrixCell(Access.DELEGATED, ("RootAccount",))
        for capability in (Capability.READ, Capability.PUT_POLICY)
    }
    admin = {
        capability: MatrixCell(Access.ALLOWED, ("KeyAdministrators",))
        for capability in (Capability.READ, Capability.MANAGE, Capability.CREATE_GRANT)
    }
    user = {
        Capability.READ: MatrixCell(Access.ALLOWED, ("KeyUsers",)),
        Capability.ENCRYPT: MatrixCell(Access.ALLOWED, ("KeyUsers",)),
        Capability.DECRYPT: MatrixCell(Access.UNKNOWN, ("KeyUsers", "Extra")),
        Capability.CREATE_GRANT: MatrixCell(
            Access.CONDITIONAL, ("KeyUsersGrants",), ("kms:GrantIsForAWSResource Bool true",)
        ),
    }
    return AccessMatrix(
        of or key(),
        CAPABILITIES,
        (
            MatrixRow("any user or role of account 111122223333", "several", root),
            MatrixRow(ADMIN, "role", admin),
            MatrixRow(USER, "role", user),
            MatrixRow("arn:aws:iam::111122223333:role/Nobody", "role", {}),
        ),
    )


CAPABILITIES = (
    Capability.READ,
    Capability.MANAGE,
    Capability.PUT_POLICY,
    Capability.CREATE_GRANT,
    Capability.ENCRYPT,
    Capability.DECRYPT,
)
EMPTY_MATRIX = AccessMatrix(key(LOG_KEY), CAPABILITIES, ())
HOSTILE_MATRIX = AccessMatrix(
    key(Location(HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
    (Capability.READ,),
    (MatrixRow(HOSTILE, "role", {Capability.READ: MatrixCell(Access.CONDITIONAL, (HOSTILE,), (HOSTILE,))}),),
)
GAIN = AccessChange(
    "alias/prod/orders",
    ADMIN,
    Capability.CREATE_GRANT,
    Access.DENIED,
    Access.ALLOWED,
    ("KeyAdministrators",),
)
LOSS = AccessChange(
    "alias/prod/orders", ADMIN, Capability.PUT_POLICY, Access.ALLOWED, Access.DENIED, ("KeyAdministrators",)
)
OTHER_CONDITIONS = AccessChange(
    "alias/prod/orders",
    USER,
    Capability.DECRYPT,
    Access.CONDITIONAL,
    Access.CONDITIONAL,
    ("KeyUsers",),
    ("kms:ViaService StringEquals s3.eu-central-1.amazonaws.com",),
)
HOSTILE_CHANGE = AccessChange(
    HOSTILE, HOSTILE, Capability.READ, Access.DENIED, Access.ALLOWED, (HOSTILE,), (HOSTILE,)
)
