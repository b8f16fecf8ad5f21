"""Keys that differ by names alone are judged once, and the report is the same to the letter."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_constructs.guardrails import alike
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding
from kms_constructs.guardrails.registry import RULES
from kms_constructs.guardrails.rule import Rule, RuleContext
from kms_constructs.guardrails.settings import Settings
from kms_constructs.guardrails.shapes import Shapes
from kms_constructs.model.estate import (
    Estate,
    Grant,
    IdentityPolicy,
    IdentityPolicyKind,
    Key,
    KeyKind,
    Location,
    Organization,
)
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.text import HoleKind, display, hole
from tests import strategies
from tests.guardrails.factories import (
    ACCOUNT,
    OTHER,
    ROOT,
    TODAY,
    a_key,
    allow,
    an_iam_policy,
    deny,
    iam_allow,
    role,
    service,
)

RULE = next(rule for rule in RULES if rule.control.id == "IAM-KMS-3")
BY_SHAPE = {"IAM-KMS-1", "IAM-KMS-2", "IAM-KMS-3", "IAM-KMS-4", "IAM-KMS-5", "IAM-KMS-6", "IAM-KMS-7"}
BY_SHAPE |= {"IAM-KMS-8", "KMS:004", "KMS:LINT"}


def numbered(number: int, *statements: object, **facts: Any) -> Key:
    """A key as templates have them: its id is made at deployment."""
    name = f"Vault{number}"
    given_: dict[str, Any] = {
        "id": f"app.{name}",
        "key_id": hole(HoleKind.GENERATED, f"app.{name}.KeyId"),
        "location": Location("app.json", "App", name, f"App/{name}"),
        **facts,
    }
    return a_key(*statements, **given_)


def made(number: int) -> str:
    """A role of which CloudFormation makes the name."""
    return role(hole(HoleKind.GENERATED, f"app.Role{number}.Name"))


def unique_id(number: int) -> str:
    return hole(HoleKind.GENERATED, f"app.Role{number}.RoleId")


def policy_of(number: int, *statements: Mapping[str, object], **changes: Any) -> IdentityPolicy:
    """The IAM policy that is for one key, of a role of its own."""
    name = f"PolicyOf{number}"
    given_ = iam_allow("kms:Decrypt", numbered(number).arn_pattern)
    facts: dict[str, Any] = {
        "id": f"app.{name}",
        "name": name,
        "location": Location("app.json", "App", name, f"App/{name}"),
        "attached_to": (made(number),),
    }
    return an_iam_policy(*statements or (given_,), **{**facts, **changes})


def everything(number: int) -> tuple[object, ...]:
    admin, user = role(f"admin-{number}"), role(f"user-{number}")
    return (
        allow(admin, "kms:*", sid="Admins"),
        allow([user, role(f"reader-{number}")], "kms:Decrypt", "kms:CreateGrant", sid="Users"),
        deny("*", "kms:ScheduleKeyDeletion", Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROOT, admin]}}),
    )


Told = list[tuple[Finding, tuple[str, ...]]]


def reports(estate: Estate, config: GuardrailConfig | None = None) -> tuple[Told, Told]:
    """Every finding with its fingerprints, shared and not."""
    told: list[Told] = []
    for share_from in (1, math.inf):
        found = judge(estate, config, today=TODAY, share_from=share_from).findings
        told.append([(finding, finding.fingerprints) for finding in found])
    return told[0], told[1]


def judged_once(keys: tuple[Key, ...], config: Settings | None = None, **around: Any) -> bool:
    """Whether a rule by shape is asked about the first key alone."""
    estate = Estate(keys=keys, **around)
    context = RuleContext(estate, config or GuardrailConfig(), TODAY)
    rule = RULE(context)
    known = alike.Alike(estate, context.config)
    asked: list[Key] = []

    def check(key: Key) -> list[Finding]:
        asked.append(key)
        return list(rule.check_key(key))

    for key in keys:
        known.of(RULE, key, lambda key=key: check(key))  # type: ignore[misc]
    return len(asked) == 1


def of_one_shape(keys: tuple[Key, ...], config: Settings | None = None, **around: Any) -> bool:
    """Whether the keys may be judged once, whatever a rule says of them."""
    shapes = Shapes(Estate(keys=keys, **around), config or GuardrailConfig())
    found = [shapes.of(key) for key in keys]
    return None not in found and len({one.shape for one in found if one is not None}) == 1


def test_the_rules_by_shape_are_those_that_judge_key_policies() -> None:
    assert {rule.control.id for rule in RULES if rule.by_shape} == BY_SHAPE


def test_a_fleet_is_judged_once_and_every_key_by_its_own_names() -> None:
    keys = tuple(numbered(number, *everything(number)) for number in range(1, 10))
    assert judged_once(keys)
    shared, alone = reports(Estate(keys=keys))
    assert shared == alone
    third = [finding for finding, _ in shared if finding.location.logical_id == "Vault3"]
    assert any("role/admin-3" in finding.message for finding in third)
    assert any(finding.witness and "role/admin-3" in finding.witness.principal for finding in third)
    assert not any(re.search(r"(admin|user|reader)-[^3]", repr(finding)) for finding in third)


def test_a_pattern_of_many_asterisks_is_held_against_names_in_no_time() -> None:
    """A regular expression that goes back and forth never ends on it."""
    slow = f"arn:aws:iam::*:role/{'*a' * 24}b"
    more = deny("*", "kms:Decrypt", Condition={"ArnLike": {"aws:PrincipalArn": slow}})
    keys = tuple(numbered(number, allow(role("a" * 60 + str(number)), "kms:*"), more) for number in (1, 2))
    assert judged_once(keys)


def test_keys_without_names_are_alike() -> None:
    assert judged_once(tuple(numbered(number) for number in range(3)))


_Pair = Callable[[int], Key]
_open_role = f"arn:aws:iam::{ACCOUNT}:role/{hole(HoleKind.UNRESOLVED, 'Name')}"


def _with(*more: object, **facts: Any) -> _Pair:
    return lambda number: numbered(number, *everything(number), *more, **facts)


def _one(principal: Callable[[int], object], *actions: str, **elements: Any) -> _Pair:
    return lambda number: numbered(number, allow(principal(number), *(actions or ("kms:*",)), **elements))


APART: Mapping[str, _Pair] = {
    "a wildcard in the policy means some names": _with(
        deny("*", "kms:Decrypt", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/*-{2}"}})
    ),
    "a wildcard means bare names": _with(
        allow("*", "kms:Decrypt", Condition={"StringLike": {"aws:username": "user-*"}})
    ),
    "an undecided name may be any": _with(allow(_open_role, "kms:Decrypt")),
    "a policy variable may be any": _with(
        deny("*", "kms:Decrypt", Condition={"StringLike": {"aws:PrincipalArn": "*/${aws:PrincipalTag/x}"}})
    ),
    "a session of the role is named": _with(
        allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/admin-1/session", "kms:Decrypt")
    ),
    "a name is longer": _one(lambda number: role(f"admin-{number * 8}")),
    "a name is in another place among the texts": _one(
        lambda number: [role(f"a{2 * number - 1}"), role("a2")]
    ),
    "a name is in another place among those of another partition": _one(
        lambda number: [role(f"b{2 * number + 2}"), role("b5").replace("arn:aws:", "arn:aws-cn:")]
    ),
    "a name begins another": _one(lambda number: [role(f"a{number}"), role(f"a{number}-reader")]),
    "two names differ by case": _one(lambda number: [role(f"a{number}"), role(f"A{number}")]),
    "one name in two accounts": _one(lambda number: [role(f"a{number}"), role(f"a{number}", OTHER)]),
    "the CDK's own role": _one(lambda number: role(f"cdk-hnb659fds-exec-{number}")),
    "a role of AWS": _one(lambda number: role(f"AWSReservedSSO_admin_{number}")),
    "a name as CloudFormation makes them": _one(lambda number: role(f"Shop-AppRole-{number}ABCDEFGHIJK")),
    "a role in a path": _one(lambda number: role(f"ops/a{number}")),
    "another action": lambda number: numbered(
        number, allow(role(f"a{number}"), ("kms:Decrypt", "kms:Encrypt")[number - 1])
    ),
    "another label": lambda number: numbered(number, allow(role(f"a{number}"), "kms:*", sid=f"S{number}")),
    "the policy speaks of keys by alias": _one(
        lambda number: role(f"a{number}"),
        Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}},
    ),
    "the policy speaks of keys by tag": _one(
        lambda number: role(f"a{number}"), Condition={"StringEquals": {"aws:ResourceTag/team": "app"}}
    ),
    "the policy names a key": lambda number: numbered(
        number,
        {**allow(role(f"a{number}"), "kms:*"), "Resource": f"arn:aws:kms:*:{ACCOUNT}:key/1234"},
    ),
    "the role of one is named by its id, too": lambda number: numbered(
        number,
        allow(made(number), "kms:*"),
        deny("*", "kms:Decrypt", Condition={"StringLike": {"aws:userid": [f"{unique_id(1)}:*"]}}),
    ),
    "a role of a template may be one that is written out": lambda number: numbered(
        number, allow([made(number), role("App-Role1-1ABCDEFGHIJKL")], "kms:*")
    ),
    "a wildcard means some roles of templates": lambda number: numbered(
        number,
        allow(made(number), "kms:*"),
        deny("*", "kms:Decrypt", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/App-*"}}),
    ),
    "a role of a template in a path": _one(lambda number: made(number).replace("role/", "role/ops/")),
    "a role of a stack of the CDK": _one(
        lambda number: role(hole(HoleKind.GENERATED, f"cdk-tools.Role{number}.Name"))
    ),
    "a grant": _with(grants=(Grant(role("app"), ("Decrypt",)),)),
    "a replica": _with(kind=KeyKind.REPLICA, primary="elsewhere"),
    "an id that is known": _with(key_id="1234abcd-12ab-34cd-56ef-1234567890ab"),
    "another account": lambda number: numbered(
        number, *everything(number), account=(ACCOUNT, OTHER)[number - 1]
    ),
    "another origin": lambda number: numbered(
        number, *everything(number), origin=("AWS_KMS", "EXTERNAL")[number - 1]
    ),
    "other principals declared": lambda number: numbered(
        number, *everything(number), authorised={"IAM-KMS-3": (role(f"admin-{number}"), role("x"))[:number]}
    ),
}


@pytest.mark.parametrize("case", APART)
def test_what_tells_keys_apart_has_them_judged_apart(case: str) -> None:
    keys = tuple(APART[case](number) for number in (1, 2))
    assert not of_one_shape(keys)
    shared, alone = reports(Estate(keys=keys))
    assert shared == alone


_iam = an_iam_policy
AROUND: Mapping[str, dict[str, Any]] = {
    "the configuration authorises one": {
        "config": GuardrailConfig(authorised={"IAM-KMS-3": (role("admin-1"),)})
    },
    "the configuration authorises a pattern": {
        "config": GuardrailConfig(authorised={"*": ("arn:aws:iam::*:role/*-1",)})
    },
    "an IAM policy hangs at one": {
        "identity_policies": (_iam(allow_all := {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
                                   attached_to=(role("user-1"),)),)
    },
    "an IAM policy names one of the keys": {
        "identity_policies": (
            _iam({**allow_all, "Resource": numbered(1).arn_pattern}, attached_to=(role("else"),)),
        )
    },
    "an SCP spares one": {
        "organization": Organization(
            scps=(
                parse_policy(
                    {
                        "Statement": {
                            "Effect": "Deny",
                            "Action": "kms:Decrypt",
                            "Resource": "*",
                            "Condition": {"StringNotEquals": {"aws:PrincipalArn": role("user-1")}},
                        }
                    }
                ),
            )
        )
    },
    "an RCP speaks of aliases": {
        "organization": Organization(
            rcps=(
                parse_policy(
                    {
                        "Statement": {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "kms:Decrypt",
                            "Resource": "*",
                            "Condition": {"StringEquals": {"kms:RequestAlias": "alias/app"}},
                        }
                    }
                ),
            )
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("case", AROUND)
def test_what_stands_around_keys_and_tells_them_apart_has_them_judged_apart(case: str) -> None:
    around = dict(AROUND[case])
    config = around.pop("config", None)
    keys = tuple(
        numbered(number, *everything(number), aliases=(f"alias/{('app', 'web')[number - 1]}",))
        for number in (1, 2)
    )
    assert not of_one_shape(keys, config, **around)
    shared, alone = reports(Estate(keys=keys, **around), config)
    assert shared == alone


def test_what_stands_around_keys_and_tells_nothing_apart_leaves_them_alike() -> None:
    keys = tuple(numbered(number, *everything(number)) for number in (1, 2))
    policy = an_iam_policy(allow_all, attached_to=(role("Operations"),))
    config = GuardrailConfig(authorised={"IAM-KMS-3": ("arn:aws:iam::*:role/BreakGlass*",)})
    assert judged_once(keys, config, identity_policies=(policy,))
    shared, alone = reports(Estate(keys=keys, identity_policies=(policy,)), config)
    assert shared == alone


_PolicyOf = Callable[[int], tuple[IdentityPolicy, ...]]
_key = [numbered(number).arn_pattern for number in range(3)]
OWN: Mapping[str, _PolicyOf] = {
    "another action": lambda number: (
        policy_of(number, iam_allow(("kms:Decrypt", "kms:PutKeyPolicy")[number - 1], _key[number])),
    ),
    "each is for all keys, too": lambda number: (policy_of(number, iam_allow("kms:*", [_key[number], "*"])),),
    "one of two is for all keys, too": lambda number: (
        policy_of(number, iam_allow("kms:*", [_key[number], "*"][:number])),
    ),
    "for the other key": lambda number: (
        (policy_of(number, iam_allow("kms:*", _key[3 - number]), id=str(number)),) if number == 1 else ()
    ),
    "for both keys": lambda number: (policy_of(number, iam_allow("kms:*", _key[1:])),) if number == 1 else (),
    "the role of one has a policy for all keys": lambda number: (
        policy_of(number),
        # Last, for how many there are before a policy tells keys apart, too.
        *((policy_of(1, iam_allow("kms:*", "*"), id="all"),) if number == 2 else ()),
    ),
    "at another of the roles": lambda number: (
        policy_of(number, attached_to=(made(number), role(f"user-{number}"))[number - 1 : number]),
    ),
    "one is for whomever it is attached to": lambda number: (policy_of(number, attachable=number == 1),),
    "one denies": lambda number: (
        policy_of(number, {**iam_allow("kms:*", _key[number]), "Effect": ("Allow", "Deny")[number - 1]}),
    ),
    "before and after what is for others": lambda number: (
        policy_of(number),
        *(
            (an_iam_policy(iam_allow("kms:*", "*"), attached_to=(role("Operations"),)),)
            if number == 1
            else ()
        ),
    ),
    "a boundary": lambda number: (
        (policy_of(number, kind=IdentityPolicyKind.BOUNDARY),) if number == 1 else ()
    ),
}


@pytest.mark.parametrize("case", OWN)
def test_keys_are_judged_apart_whose_own_iam_policies_differ(case: str) -> None:
    keys = tuple(
        numbered(number, allow(made(number), "kms:*"), allow(role(f"user-{number}"), "kms:Decrypt"))
        for number in (1, 2)
    )
    assert of_one_shape(keys)
    policies = tuple(policy for number in (1, 2) for policy in OWN[case](number))
    assert not of_one_shape(keys, identity_policies=policies)
    shared, alone = reports(Estate(keys=keys, identity_policies=policies))
    assert shared == alone


def test_keys_are_judged_apart_of_which_one_iam_policy_names_several_and_not_all() -> None:
    keys = tuple(numbered(number, *everything(number)) for number in range(3))
    policy = an_iam_policy(iam_allow("kms:PutKeyPolicy", _key[:2]), attached_to=(role("Operations"),))
    assert of_one_shape(keys)
    assert not of_one_shape(keys, identity_policies=(policy,))
    shared, alone = reports(Estate(keys=keys, identity_policies=(policy,)))
    assert shared == alone


def test_a_finding_names_the_iam_policy_of_its_own_key() -> None:
    keys = tuple(numbered(number, allow(ROOT, "kms:*")) for number in range(9))
    policies = tuple(
        policy_of(number, iam_allow("kms:PutKeyPolicy", key.arn_pattern), name=f"Grant{number}")
        for number, key in enumerate(keys)
    )
    assert of_one_shape(keys, identity_policies=policies)
    shared, alone = reports(Estate(keys=keys, identity_policies=policies))
    assert shared == alone
    named = [repr(one) for one, _ in shared if one.location.logical_id == "Vault3"]
    assert any("Grant3" in one for one in named)
    assert not any("Grant1" in one for one in named)


@pytest.mark.parametrize("holder", [made, lambda number: role(f"worker-{number}")])
@pytest.mark.parametrize("more", [(), (iam_allow("s3:GetObject", "arn:aws:s3:::*"),)])
def test_keys_of_roles_with_a_policy_for_each_are_judged_once(
    holder: Callable[[int], str], more: tuple[dict[str, object], ...]
) -> None:
    keys, policies = [], []
    for number in range(1, 10):
        statements = [iam_allow(["kms:Decrypt", "kms:PutKeyPolicy"], numbered(number).arn_pattern)]
        # What a policy says of other services says nothing of the key.
        policies.append(policy_of(number, *statements, *more[: number % 2], attached_to=(holder(number),)))
        condition = {"ArnNotEquals": {"aws:PrincipalArn": [ROOT, holder(number)]}}
        keys.append(
            numbered(
                number,
                *everything(number),
                allow(holder(number), "kms:*"),
                deny("*", "kms:ScheduleKeyDeletion", Condition=condition),
                authorised={"IAM-KMS-3": (holder(number),)},
            )
        )
    assert judged_once(tuple(keys), identity_policies=tuple(policies))
    shared, alone = reports(Estate(keys=tuple(keys), identity_policies=tuple(policies)))
    assert shared == alone
    third = [finding for finding, _ in shared if finding.location.logical_id == "Vault3"]
    assert any(display(holder(3)) in finding.message for finding in third)
    assert not any(display(holder(2)) in repr(finding) for finding in third)


def test_what_is_wrong_with_the_properties_of_one_key_is_not_wrong_with_those_of_another() -> None:
    aliases = {number: (f"alias/{'a b' if number == 3 else number}",) for number in range(1, 10)}
    keys = tuple(numbered(number, *everything(number), aliases=aliases[number]) for number in aliases)
    shared, alone = reports(Estate(keys=keys))
    assert shared == alone
    found = [one for one, _ in shared if one.id == "KMS:LINT[alias]"]
    assert [one.location.logical_id for one in found] == ["Vault3"]


def test_what_two_reports_share_is_of_one_estate_and_one_configuration() -> None:
    keys = tuple(numbered(number, *everything(number)) for number in range(9))
    lenient = GuardrailConfig(authorised={"*": ("arn:aws:iam::*:role/*",)})
    known = alike.Alikes()
    for estate in (Estate(keys=keys), Estate(keys=keys[:8]), Estate(keys=keys)):
        for config in (GuardrailConfig(), lenient, GuardrailConfig()):
            assert judge(estate, config, today=TODAY, alikes=known) == judge(estate, config, today=TODAY)
    first, again = (known.of(replace(Estate(keys=keys), sources=(name,)), lenient) for name in "ab")
    assert first is again


@pytest.mark.parametrize(
    "told", ["Vault1", "App/Vault1", "admin-1", "role/admin-1", "app.json", "app.Vault1"]
)
def test_what_a_rule_says_of_a_key_by_another_of_its_names_is_not_said_of_the_next(told: str) -> None:
    keys = tuple(numbered(number, *everything(number)) for number in (1, 2))
    known = alike.Alike(Estate(keys=keys), GuardrailConfig())
    found = judge(Estate(keys=keys[:1]), controls=[RULE.control.id], today=TODAY).findings

    def check(key: Key) -> list[Finding]:
        text = told.replace("1", key.location.logical_id[-1])
        return [replace(one, location=key.location, message=f"it is {text}.") for one in found]

    said = [known.of(RULE, key, lambda key=key: check(key))[0].message for key in keys]  # type: ignore[misc]
    assert said == [f"it is {told}.", f"it is {told.replace('1', '2')}."]


@pytest.mark.parametrize("method", ["judge", "apart"])
def test_a_rule_that_fails_says_so_of_every_key(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def broken(self: Rule, key: Key) -> list[Finding]:
        raise RuntimeError("no")

    monkeypatch.setattr(RULE, method, broken)
    keys = tuple(numbered(number) for number in range(9))
    found = judge(Estate(keys=keys), controls=[RULE.control.id], today=TODAY)
    assert [one.detail for one in found.findings] == [INTERNAL_ERROR] * 9


# --- everything that anybody might write ------------------------------------------------------------------

_NAMES = ("App", "AppAdmin", "alice")
_OTHERS = ("Bpp", "App", "Zpp", "app", "Ap2", "AppAdmi2", "BppAdmin", "alicf", "Alice", "bob12", "ops-App")


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(member, names) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member, names) for member in value]
    if isinstance(value, str) and value.startswith("arn:"):
        return re.sub(r"(?<=[/])[A-Za-z]+$", lambda match: names.get(match[0], match[0]), value)
    return value


def _policy_for(
    key: Key, document: Any, number: int, holder: str, seed: random.Random, *, plain: bool
) -> IdentityPolicy:
    """An IAM policy for a key, as `grant_decrypt` writes them, and at times for others as well."""
    statements = []
    for one in document["Statement"]:
        statement = {name: value for name, value in one.items() if name != "NotResource"}
        statement["Resource"] = key.arn_pattern if plain or seed.randrange(6) else ["*", key.arn_pattern]
        statements.append(statement)
    if seed.randrange(3) == 0:
        statements.append(iam_allow("s3:GetObject", f"arn:aws:s3:::bucket-{number}/*"))
    name = f"PolicyOf{number}"
    return an_iam_policy(
        *statements,
        id=f"app.{name}",
        name=name,
        location=Location("app.json", "App", name, f"App/{name}"),
        attached_to=(holder,),
        account=strategies.HOME,
        attachable=not plain and seed.randrange(6) == 0,
    )


@st.composite
def fleets(draw: st.DrawFn) -> tuple[Estate, GuardrailConfig]:
    """Keys of one policy under many names, and what may tell them apart."""
    document = draw(strategies.documents(most=4))
    for statement in document["Statement"]:  # type: ignore[attr-defined]
        if draw(st.integers(0, 5)):
            statement.pop("NotResource", None)
            statement["Resource"] = "*"
    plain = draw(st.booleans())
    made = draw(st.integers(0, 3))
    theirs = draw(st.one_of(st.none(), strategies.documents(most=2, principals=False)))
    holder = draw(st.sampled_from(strategies.ROLES[:3]))
    seed = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - no secret
    keys = []
    policies = []
    for number in range(draw(st.integers(2, 5))):
        pool = [f"{'pqrstu'[number]}{name[1:]}" for name in _NAMES] if plain else [*_OTHERS]
        names = {
            name: pool[place] if plain else seed.choice([name, *pool]) for place, name in enumerate(_NAMES)
        }
        for place, name in enumerate(_NAMES[:made]):
            whose = number if plain else seed.choice([number, 0])
            names[name] = hole(HoleKind.GENERATED, f"app.Role{place}Of{whose}.Name")
        wanted = _renamed(document, names)
        key = numbered(
            number,
            policy=parse_policy(wanted, path="Properties/KeyPolicy"),
            aliases=(f"alias/{number}",) * seed.randrange(2),
            description=seed.choice([None, "words"]),
            pending_window=seed.choice([None, 7, 30]),
            rotation_enabled=seed.choice([None, True, False]),
            tags=seed.choice([{}, {"environment": "prod"}]),
        )
        keys.append(replace(key, account=strategies.HOME, region="us-east-1"))
        if theirs is not None and (plain or seed.randrange(4)):
            about = keys[number if plain or seed.randrange(4) else 0]
            policies.append(_policy_for(about, theirs, number, _renamed(holder, names), seed, plain=plain))
    around: dict[str, Any] = {"identity_policies": tuple(policies)}
    if draw(st.integers(0, 2)) == 0:
        around["identity_policies"] += tuple(
            an_iam_policy(
                *one["Statement"] if isinstance(one["Statement"], list) else [one["Statement"]],
                attached_to=(
                    _renamed(seed.choice(strategies.ROLES), dict.fromkeys(_NAMES, seed.choice(_OTHERS))),
                ),
            )
            for one in [draw(strategies.identity_documents)]
        )
    if draw(st.integers(0, 3)) == 0:
        around["organization"] = Organization(scps=(parse_policy(draw(strategies.organization_documents)),))
    config = GuardrailConfig(
        authorised={
            "*": (draw(st.sampled_from((role("App"), "arn:aws:iam::*:role/Bpp", "arn:aws:iam::*:role/?pp"))),)
        }
        if draw(st.booleans())
        else {}
    )
    return Estate(keys=tuple(keys), sources=("app.json",), **around), config


_ACTIONS = (
    "kms:*",
    "kms:Decrypt",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "kms:ScheduleKeyDeletion",
    "kms:Get*",
)
_WHO = ("aws:PrincipalArn", "aws:userid", "kms:ViaService", "kms:EncryptionContext:app")
_STAMPS: tuple[Callable[[str, str, str, str], dict[str, object]], ...] = (
    lambda one, two, what, key: allow(one, what, sid="One"),
    lambda one, two, what, key: allow([one, two], what, "kms:Encrypt"),
    lambda one, two, what, key: deny(
        "*", what, Condition={"ArnNotEquals": {"aws:PrincipalArn": [ROOT, one]}}
    ),
    lambda one, two, what, key: deny(two, what, Condition={"ArnLike": {"aws:PrincipalArn": one}}),
    lambda one, two, what, key: allow("*", what, Condition={"StringEquals": {key: [one, two]}}),
    lambda one, two, what, key: allow(ROOT, what, Condition={"StringLike": {key: two}}),
    lambda one, two, what, key: allow(service("logs.amazonaws.com"), what),
    lambda one, two, what, key: allow(ROOT, what),
)


@st.composite
def stamped(draw: st.DrawFn) -> tuple[Estate, GuardrailConfig]:
    """Keys of one module: each with roles and IAM policies of its own, of which the names differ."""

    def picks(most: int) -> list[tuple[Any, ...]]:
        one = st.tuples(
            st.sampled_from(_STAMPS), st.integers(0, 2), st.integers(0, 2), st.sampled_from(_ACTIONS),
            st.sampled_from(_WHO),
        )  # fmt: skip
        return draw(st.lists(one, min_size=1, max_size=most))

    stamps, theirs = picks(4), picks(2) if draw(st.booleans()) else []
    made, holder, twice = draw(st.integers(0, 3)), draw(st.integers(0, 2)), draw(st.booleans())
    declared = draw(st.sampled_from([(), ("IAM-KMS-3",), ("IAM-KMS-8", "IAM-KMS-2")]))
    beside = draw(st.sampled_from([None, 0, 1]))
    seed = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - no secret
    keys, policies = [], []
    for number in range(3):
        names = [role(f"{'pqr'[number]}{place}ole") for place in range(3)]
        for place in range(made):
            names[place] = role(hole(HoleKind.GENERATED, f"app.{'PQR'[number]}{place}.Name"))

        def written(chosen: list[tuple[Any, ...]], names: list[str] = names) -> list[dict[str, Any]]:
            return [stamp(names[one], names[two], *rest) for stamp, one, two, *rest in chosen]

        key = numbered(number, *written(stamps), authorised=dict.fromkeys(declared, (names[0],)))
        keys.append(key)
        if number == beside:
            policies.append(an_iam_policy(allow_all, id="Beside", attached_to=(role("Operations"),)))
        for part in range(bool(theirs) * (1 + twice)):
            statements = [
                {
                    **{name: value for name, value in one.items() if name != "Principal"},
                    "Resource": key.arn_pattern,
                }
                for one in written(theirs)
            ]
            name = f"PolicyOf{number}{'ab'[part]}"
            if seed.randrange(8) == 0:
                statements.append(iam_allow("s3:GetObject", f"arn:aws:s3:::bucket-{number}/*"))
            policies.append(
                an_iam_policy(
                    *statements, id=f"app.{name}", name=name, attached_to=(names[holder],),
                    location=Location("app.json", "App", name, f"App/{name}"),
                )
            )  # fmt: skip
    return Estate(
        keys=tuple(keys), identity_policies=tuple(policies), sources=("app.json",)
    ), GuardrailConfig()


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.one_of(fleets(), stamped()))
def test_the_report_is_the_same_whether_keys_are_judged_once_or_each(
    fleet: tuple[Estate, GuardrailConfig],
) -> None:
    estate, config = fleet
    shared, alone = reports(estate, config)
    assert shared == alone


@pytest.mark.parametrize(("strategy", "with_policies"), [(fleets, False), (stamped, False), (stamped, True)])
def test_the_random_fleets_share_something(
    strategy: Callable[[], st.SearchStrategy[tuple[Estate, GuardrailConfig]]], with_policies: bool
) -> None:
    """Else the property says nothing."""
    shared = []

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(strategy())
    def look(fleet: tuple[Estate, GuardrailConfig]) -> None:
        estate, config = fleet
        around = {"identity_policies": estate.identity_policies, "organization": estate.organization}
        if any(one.name != "Beside" for one in estate.identity_policies) or not with_policies:
            shared.append(judged_once(estate.keys, config, **around))

    look()
    assert shared.count(True) > len(shared) / 10
    assert shared.count(False) > len(shared) / 10
