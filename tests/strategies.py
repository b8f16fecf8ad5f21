"""Hypothesis strategies: key policies, IAM and organization policies, grants, requests, and what blurs them.

The universe is small on purpose (two accounts, a dozen principals, nine actions): random statements meet each
other often, and a test can ask about every principal and every action of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from kms_constructs.analysis.evaluate import Request
from kms_constructs.model.estate import Grant, Key, Location
from kms_constructs.model.policy import Policy, Statement, parse_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case
from tests.worlds.draw import draw_case

HOME = "111122223333"
OTHER = "444455556666"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:us-east-1:{HOME}:key/{KEY_ID}"

ROLES = (
    f"arn:aws:iam::{HOME}:role/App",
    f"arn:aws:iam::{HOME}:role/AppAdmin",
    f"arn:aws:iam::{HOME}:role/ops/App",
    f"arn:aws:iam::{HOME}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS",
    f"arn:aws:iam::{OTHER}:role/App",
    # IAM takes colons in paths.
    f"arn:aws:iam::{HOME}:role/x:role/App",
)
SERVICES = ("logs.amazonaws.com", "s3.amazonaws.com")
PRINCIPALS = (
    f"arn:aws:iam::{HOME}:root",
    f"arn:aws:iam::{OTHER}:root",
    f"arn:aws:iam::{HOME}:user/alice",
    f"arn:aws:iam::{HOME}:user/team/bob",
    f"arn:aws:iam::{OTHER}:user/alice",
    f"arn:aws:iam::{HOME}:user/x:role/App",
    f"arn:aws:sts::{HOME}:federated-user/fred",
    *ROLES,
    *SERVICES,
)
ACTIONS = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "DisableKeyRotation",
    "Encrypt",
    "PutKeyPolicy",
    "RetireGrant",
    "ScheduleKeyDeletion",
    "TagResource",
)

_sometimes = st.sampled_from((True, False, False, False))


def _listed(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    """One value as itself, or a list of them."""
    return st.one_of(values, st.lists(values, min_size=1, max_size=most, unique=True))


@st.composite
def recased(draw: st.DrawFn, text: str) -> str:
    """The text in one of four casings."""
    return draw(st.sampled_from((text, text, text.lower(), text.upper(), text.swapcase())))


action_patterns = st.one_of(
    st.sampled_from(("*", "kms:*", "kms:De*", "kms:Create*", "kms:?ncrypt", "kms:*Key*", "s3:GetObject")),
    st.sampled_from(ACTIONS).flatmap(lambda name: recased(f"kms:{name}")),
)

_aws_principals = st.sampled_from(
    (
        "*",
        HOME,
        OTHER,
        f"arn:aws:iam::{HOME}:root",
        f"arn:aws:iam::{OTHER}:root",
        *(name for name in PRINCIPALS if name.startswith("arn:")),
        f"arn:aws:sts::{HOME}:assumed-role/App/session",
        f"arn:aws:sts::{OTHER}:assumed-role/App/session",
        "AROAEXAMPLEID",
    )
)


@st.composite
def principal_elements(draw: st.DrawFn) -> object:
    """A Principal element."""
    if draw(_sometimes):
        return "*"
    element: dict[str, object] = {}
    if draw(st.booleans()) or draw(st.booleans()):
        element[draw(st.sampled_from(("AWS", "aws")))] = draw(_listed(_aws_principals))
    if not element or draw(_sometimes):
        element["Service"] = draw(_listed(st.sampled_from(SERVICES)))
    return element


_STRING = ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase")
_ARN = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")
_ARN_PATTERNS = (
    *(name for name in PRINCIPALS if name.startswith("arn:")),
    "*",
    f"arn:aws:iam::{HOME}:role/App*",
    f"arn:aws:iam::{HOME}:role/*App",
    "arn:aws:iam::*:role/App",
    "arn:aws:iam::*:role/aws-service-role/*",
    f"arn:aws:iam::{HOME}:role/x:*",
    f"arn:aws:*::{HOME}:role/*",
    f"arn:?ws:iam::{HOME}:role/*/App",
    f"arn:*:iam::{HOME}:*",
    f"arn:aws*:iam::{HOME}:user/?lice",
    f"arn:aws-cn:iam::{HOME}:role/App",
    "arn:aws:iam::${aws:PrincipalAccount}:role/App",
    "arn:aws:iam::*:role/${aws:PrincipalTag/team, 'App'}",
    "*:role/*",
    "arn:aws:iam",
)
_VALUES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws:PrincipalArn": ((*_STRING, *_ARN, *_ARN, "Null"), _ARN_PATTERNS),
    "aws:PrincipalAccount": (
        (*_STRING, "Null"),
        (HOME, OTHER, "1111*", "*", "${kms:CallerAccount}", "${aws:PrincipalTag/none}"),
    ),
    "kms:CallerAccount": (_STRING, (HOME, OTHER, "4444*")),
    "aws:PrincipalIsAWSService": (("Bool", "StringEquals", "Null"), ("true", "false", "True")),
    "aws:PrincipalType": (
        ("StringEquals", "StringNotEquals", "StringLike"),
        ("Account", "User", "AssumedRole", "FederatedUser", "assumedrole", "Nobody"),
    ),
    "kms:ViaService": ((*_STRING, "Null"), ("s3.us-east-1.amazonaws.com", "rds.*", "true")),
    "kms:EncryptionContext:dept": ((*_STRING, "Null"), ("finance", "f*", "${aws:PrincipalTag/team}", "true")),
    "kms:GrantIsForAWSResource": (("Bool", "Null"), ("true", "false")),
    "aws:PrincipalTag/team": ((*_STRING, "Null"), ("App", "ops", "A?p", "false")),
    "kms:EncryptionContextKeys": (("StringEquals", "StringLike", "StringNotEquals"), ("dept", "d*", "stage")),
}
_REQUEST_VALUES: Mapping[str, tuple[str | tuple[str, ...], ...]] = {
    "kms:viaservice": ("s3.us-east-1.amazonaws.com", "rds.us-east-1.amazonaws.com"),
    "kms:encryptioncontext:dept": ("finance", "App"),
    "aws:principaltag/team": ("App", "ops", "*"),
    "kms:encryptioncontextkeys": (("dept",), ("dept", "stage"), ()),
}


@st.composite
def condition_elements(draw: st.DrawFn) -> dict[str, object]:
    """A Condition element with one to three keys."""
    found: dict[str, dict[str, object]] = {}
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        key = draw(st.sampled_from(tuple(_VALUES)))
        operators, values = _VALUES[key]
        operator = draw(st.sampled_from(operators))
        wanted = st.sampled_from(("true", "false")) if operator == "Null" else st.sampled_from(values)
        if operator != "Null" and draw(_sometimes):
            operator += "IfExists"
        if operator != "Null" and draw(_sometimes):
            operator = draw(st.sampled_from(("ForAnyValue:", "ForAllValues:", "ForSomeValues:"))) + operator
        operator = draw(recased(operator)) if draw(_sometimes) else operator
        listed = draw(st.one_of(_listed(wanted), _listed(wanted), st.just([])))
        found.setdefault(operator, {})[draw(recased(key)) if draw(_sometimes) else key] = listed
    return found


_resources = st.sampled_from(
    (
        "*",
        "*",
        KEY_ARN,
        f"arn:aws:kms:*:{HOME}:key/*",
        f"arn:aws:kms:us-east-1:{HOME}:key/another",
        f"arn:aws:kms:us-east-1:{HOME}:alias/app",
        "arn:aws:kms:*:${aws:PrincipalAccount}:key/*",
    )
)


@st.composite
def statements(
    draw: st.DrawFn, *, effects: tuple[str, ...] = ("Allow", "Allow", "Deny"), principals: bool = True
) -> dict[str, object]:
    """One statement as a policy document writes it."""
    found: dict[str, object] = {"Effect": draw(st.sampled_from(effects))}
    if principals:
        name = "NotPrincipal" if draw(_sometimes) and draw(_sometimes) else "Principal"
        found[name] = draw(principal_elements())
    name = "NotAction" if draw(_sometimes) else "Action"
    found[name] = draw(_listed(action_patterns))
    name = "NotResource" if draw(_sometimes) and draw(_sometimes) else "Resource"
    found[name] = draw(st.one_of(st.just("*"), st.just("*"), _listed(_resources, 2)))
    if draw(st.booleans()):
        found["Condition"] = draw(condition_elements())
    return found


@st.composite
def documents(draw: st.DrawFn, *, most: int = 5, **options: Any) -> dict[str, object]:
    """A policy document with up to `most` statements."""
    return {
        "Version": "2012-10-17",
        "Statement": draw(st.lists(statements(**options), min_size=1, max_size=most)),
    }


EVERYTHING = {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
"""The IAM policy that allows the most."""

identity_documents = st.one_of(st.just(EVERYTHING), documents(most=3, principals=False))
organization_documents = documents(most=2, effects=("Deny", "Deny", "Allow"), principals=False)


@st.composite
def resource_control_documents(draw: st.DrawFn) -> dict[str, object]:
    """An RCP: its statements name everyone."""
    found = draw(organization_documents)
    for statement in found["Statement"]:  # type: ignore[attr-defined]
        statement["Principal"] = "*"
    return found


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    """A grant to one of the principals."""
    operations = ("Decrypt", "Encrypt", "CreateGrant", "DescribeKey", "RetireGrant")
    constraints: dict[str, dict[str, str]] = {}
    if draw(_sometimes):
        constraints["EncryptionContextSubset"] = {"dept": "finance"}
    return Grant(
        grantee=draw(st.sampled_from(PRINCIPALS)),
        operations=tuple(draw(st.lists(st.sampled_from(operations), min_size=1, max_size=3, unique=True))),
        constraints=constraints,
    )


def key_of(document: object, **facts: Any) -> Key:
    """A key of the home account with this key policy."""
    policy = document if isinstance(document, Policy) else parse_policy(document)
    return Key(
        **{
            "id": "key",
            "location": Location("test"),
            "policy": policy,
            "account": HOME,
            "region": "us-east-1",
            "key_id": KEY_ID,
            **facts,
        }
    )


def relocated(value: Any, partition: str) -> Any:
    """The value with the ARNs of partition ``aws`` written for another one; other partitions stay."""
    if isinstance(value, dict):
        return {key: relocated(member, partition) for key, member in value.items()}
    if isinstance(value, list):
        return [relocated(member, partition) for member in value]
    return value.replace("arn:aws:", f"arn:{partition}:") if isinstance(value, str) else value


@st.composite
def mixed(draw: st.DrawFn, document: dict[str, Any], partition: str) -> dict[str, Any]:
    """The document with most of its statements written for a partition, and some for ``aws`` as they are."""
    return {
        "Statement": [
            found if draw(_sometimes) and draw(_sometimes) else relocated(found, partition)
            for found in document["Statement"]
        ]
    }


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, str | tuple[str, ...]]:
    """What a request carries beside what follows from its principal and its action."""
    found: dict[str, str | tuple[str, ...]] = {}
    for key, values in _REQUEST_VALUES.items():
        if draw(st.booleans()):
            found[key] = draw(st.sampled_from(values))
    return found


def requests(
    context: Mapping[str, str | tuple[str, ...]], for_aws: bool | None, partition: str = "aws"
) -> list[Request]:
    """A request of every principal for every action, in one context.

    Args:
        context: What each of them carries.
        for_aws: The value of ``kms:GrantIsForAWSResource`` on CreateGrant, the one action here that has it.
        partition: Where the principals live.
    """
    names = [relocated(name, partition) for name in PRINCIPALS]
    found: list[Request] = []
    for action in ACTIONS:
        carried = dict(context)
        if action == "CreateGrant" and for_aws is not None:
            carried["kms:grantisforawsresource"] = str(for_aws).lower()
        found.extend(Request(principal=name, action=action, context=carried) for name in names)
    return found


def known_of(request: Request, keys: frozenset[str]) -> dict[str, str | tuple[str, ...] | None]:
    """What is known of a request when only these condition keys are looked at."""
    return {key: request.values(key) for key in keys}


context_keys = st.frozensets(
    st.sampled_from((*_REQUEST_VALUES, "kms:grantisforawsresource", "aws:principalarn", "kms:calleraccount"))
)

_MANAGE = ("kms:PutKeyPolicy", "kms:TagResource", "kms:DisableKey*", "kms:Sched*")
_USE = ("kms:Decrypt", "kms:?ncrypt", "kms:CreateGrant")


@st.composite
def duty_documents(draw: st.DrawFn) -> dict[str, object]:
    """A key policy that means to keep duties apart: most succeed, some nearly."""
    managers = draw(st.lists(st.sampled_from(PRINCIPALS[2:]), min_size=1, max_size=2, unique=True))
    users = draw(st.lists(st.sampled_from(PRINCIPALS[2:]), min_size=1, max_size=2, unique=True))
    found: list[dict[str, object]] = []
    for names, actions in ((managers, _MANAGE), (users, _USE), ([draw(_aws_principals)], (*_MANAGE, *_USE))):
        aws, services = ([name for name in names if (name in SERVICES) is one] for one in (False, True))
        found.append(
            {
                "Effect": "Allow",
                "Principal": {key: value for key, value in (("AWS", aws), ("Service", services)) if value},
                "Action": draw(_listed(st.sampled_from(actions))),
                "Resource": "*",
            }
        )
    for statement in found:
        if draw(_sometimes):
            statement["Condition"] = draw(condition_elements())
    for actions in draw(st.sampled_from(((), (), (_USE,), (_MANAGE,), (_USE, _MANAGE)))):
        exempt = draw(st.lists(st.sampled_from(_ARN_PATTERNS), min_size=1, max_size=3))
        condition = {draw(st.sampled_from(("ArnNotLike", "StringNotLike"))): {"aws:PrincipalArn": exempt}}
        found.append(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": list(actions),
                "Resource": "*",
                "Condition": condition,
            }
        )
    if draw(_sometimes):
        condition = {"Bool": {"kms:GrantIsForAWSResource": "false"}}
        found.append(
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": condition,
            }
        )
    return {"Statement": draw(st.permutations(found))}


ACCOUNT_HOLE = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
_UNKNOWN = Unknown("a test says so")


@st.composite
def blurred(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, object]:
    """The document with parts that cannot be known: what it allows may only grow."""
    found: list[object] = []
    for original in document["Statement"]:
        statement = dict(original)
        for element in tuple(statement):
            if draw(st.integers(0, 9)) == 0:
                statement[element] = _UNKNOWN
            elif isinstance(statement[element], list) and draw(_sometimes):
                values = list(statement[element])
                place = draw(st.integers(0, len(values) - 1))
                values[place] = draw(
                    st.sampled_from(
                        (
                            _UNKNOWN,
                            Maybe(values[place], "a test says so"),
                            hole(HoleKind.UNRESOLVED, f"hole{len(found)}"),
                        )
                    )
                )
                statement[element] = values
        found.append(Maybe(statement, "a test says so") if draw(st.integers(0, 9)) == 0 else statement)
    return {"Statement": found}


def respelled(value: object) -> object:
    """The document with every list of one value written as the value, and every value as a list of one."""
    if isinstance(value, dict):
        return {key: _respelled_member(str(key), member) for key, member in value.items()}
    return [respelled(member) for member in value] if isinstance(value, list) else value


_LISTABLE = frozenset({"action", "notaction", "resource", "notresource", "aws", "service"})


def _respelled_member(key: str, member: object) -> object:
    if isinstance(member, list) and len(member) == 1:
        return respelled(member[0])
    if isinstance(member, str) and (key.lower() in _LISTABLE or ":" in key):
        return [member]
    return respelled(member)


def names_itself(statement: Statement, name: str) -> bool:
    """Whether a statement names this principal itself or anyone, and does not only name its account."""
    return isinstance(statement.principals, tuple) and any(
        principal.value in ("*", name) for principal in statement.principals
    )


@st.composite
def cases(draw: st.DrawFn, features: tuple[str, ...] | None = None) -> Case:
    """A world before it is deployed: key policy, IAM and organization policies, grants, holes and
    unknowns."""
    return draw_case(draw(st.randoms(use_true_random=False)), features)
