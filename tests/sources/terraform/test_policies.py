"""Policy documents: known, rebuilt from their data source, or unknown; IAM policies and their holders."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.identity import identity_grants, may_reach
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.model.estate import Estate, IdentityPolicyKind
from kms_constructs.model.policy import Policy, parse_policy
from kms_constructs.model.text import HoleKind, hole
from tests.sources.terraform.plans import (
    ACCOUNT,
    ROOT,
    Json,
    block,
    constant,
    keys_of,
    made,
    module,
    plan,
    policy,
    read,
    refers,
    role,
    statement,
)
from tests.strategies import statements

KEY = "aws_kms_key.a"
DOCUMENT = "data.aws_iam_policy_document.p"
NEW_KEY = {"arn": True, "id": True, "key_id": True, "policy": True}
NEW_ROLE = {"arn": True, "id": True, "unique_id": True}
NEW_DOCUMENT = {"id": True, "json": True, "minified_json": True}
APP = made("aws_iam_role.app", {"name": "app", "path": "/team/"}, unknown=NEW_ROLE)
OPS = made("aws_iam_role.ops", {"name": "ops", "path": "/"}, unknown=NEW_ROLE)
ROLES = (block("aws_iam_role.app"), block("aws_iam_role.ops"))
APP_ARN, OPS_ARN = f"arn:aws:iam::{ACCOUNT}:role/team/app", role("ops")


def _document(
    statements: list[Json], gaps: list[Json], blocks: list[Json] | None = None, **more: Json
) -> tuple[Json, Json]:
    """A data source that is read after apply, and its block."""
    values = {"statement": statements, **more.get("values", {})}
    unknown = {**NEW_DOCUMENT, "statement": gaps, **more.get("unknown", {})}
    given = {**({"statement": blocks} if blocks else {}), **more.get("expressions", {})}
    return made(DOCUMENT, values, unknown=unknown), block(DOCUMENT, given)


def _policy_of(document: tuple[Json, Json], *others: Json, blocks: tuple[Json, ...] = ()) -> Policy:
    """The key policy that a document makes."""
    key = made(KEY, unknown=NEW_KEY)
    by = block(KEY, {"policy": refers(f"{DOCUMENT}.json")})
    return keys_of(
        plan(APP, OPS, key, document[0], *others, configuration=module(*ROLES, by, document[1], *blocks))
    )[KEY].policy


def _block(identifiers: list[object], kind: str = "AWS", **more: object) -> Json:
    principals = [{"type": kind, "identifiers": identifiers}]
    return {"sid": None, "actions": ["kms:Decrypt"], "resources": ["*"], "principals": principals, **more}


def _open(count: int) -> Json:
    return {"actions": [False], "principals": [{"identifiers": [True] * count}]}


def test_gaps_are_filled_by_what_the_configuration_refers_to() -> None:
    found = _policy_of(
        _document(
            [
                _block(
                    [None, ROOT, None],
                    sid="Users",
                    effect="Allow",
                    not_actions=[],
                    condition=[
                        {
                            "test": "StringLike",
                            "variable": "aws:PrincipalTag/team",
                            "values": ["&{aws:username}"],
                        },
                        {"test": "StringLike", "variable": "kms:ViaService", "values": ["s3.*"]},
                    ],
                )
            ],
            [{"principals": [{"identifiers": [True, False, True]}]}],
            [
                {
                    "sid": constant("Users"),
                    "principals": [
                        {
                            "type": constant("AWS"),
                            "identifiers": refers("aws_iam_role.app.arn", "aws_iam_role.ops.arn"),
                        }
                    ],
                }
            ],
        )
    )

    assert found == parse_policy(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Sid": "Users",
                    "Action": ["kms:Decrypt"],
                    "Resource": ["*"],
                    "Principal": {"AWS": [APP_ARN, ROOT, OPS_ARN]},
                    "Condition": {
                        "StringLike": {
                            "aws:PrincipalTag/team": ["${aws:username}"],
                            "kms:ViaService": ["s3.*"],
                        }
                    },
                }
            ],
        },
        path="policy",
    )


GAPS: dict[str, tuple[Json, list[str] | None]] = {
    "one reference": (refers("aws_iam_role.app.arn"), [APP_ARN]),
    "beside something that is known": (refers("aws_iam_role.app.arn", "var.account"), [APP_ARN]),
    "fewer gaps than references": (refers("aws_iam_role.app.arn", "aws_iam_role.ops.arn"), None),
    "a local value": (refers("local.admin"), None),
    "a local value beside it": (refers("local.admin", "aws_iam_role.app.arn"), None),
    "nothing told": ({}, None),
}


@pytest.mark.parametrize(("expression", "expected"), GAPS.values(), ids=GAPS.keys())
def test_one_gap(expression: Json, expected: list[str] | None) -> None:
    blocks = [{"principals": [{"type": constant("AWS"), "identifiers": expression}]}]

    found = _policy_of(_document([_block([None])], [_open(1)], blocks)).statements[0].principals

    open_ = hole(HoleKind.UNRESOLVED, f"{DOCUMENT}.statement[0].principals[0].identifiers[0]")
    assert isinstance(found, tuple)
    assert [one.value for one in found] == (expected or [open_])


def test_a_list_that_is_not_known_at_all_may_hold_anyone() -> None:
    blocks = [{"principals": [{"type": constant("AWS"), "identifiers": refers("aws_iam_role.app.arn")}]}]
    unknown = [{"principals": [{"identifiers": True}]}]

    found = _policy_of(_document([{**_block([]), "principals": [{"type": "AWS"}]}], unknown, blocks))

    assert not isinstance(found.statements[0].principals, tuple)


def test_blocks_of_a_set_are_told_apart_by_what_they_say() -> None:
    """Of two principals blocks, whose order in a plan is not the configuration's, each gets its own."""
    principals = [{"type": "Federated", "identifiers": [None]}, {"type": "AWS", "identifiers": [None]}]
    blocks = [
        {"type": constant("AWS"), "identifiers": refers("aws_iam_role.app.arn")},
        {"type": constant("Federated"), "identifiers": refers("aws_iam_saml_provider.s.arn")},
    ]
    saml = made("aws_iam_saml_provider.s", unknown={"arn": True})

    found = _policy_of(
        _document(
            [{**_block([]), "principals": principals}],
            [{"principals": [{"identifiers": [True]}, {"identifiers": [True]}]}],
            [{"principals": blocks}],
        ),
        saml,
        blocks=(block("aws_iam_saml_provider.s"),),
    )

    listed = found.statements[0].principals
    assert isinstance(listed, tuple)
    assert {one.type: one.value for one in listed} == {
        "AWS": APP_ARN,
        "Federated": hole(HoleKind.GENERATED, "aws_iam_saml_provider.s.arn"),
    }


def _sids(found: Policy) -> list[tuple[str | None, object]]:
    return [(one.sid, one.actions) for one in found.statements]


def test_documents_are_merged_by_sid() -> None:
    source = policy(statement("*", "kms:Sign", Sid="A"), statement("*", "kms:Verify", Sid="B"))
    override = policy(statement("*", "kms:Encrypt", Sid="C"), statement("*", "kms:GetPublicKey", Sid="B"))
    values = {"source_policy_documents": [source], "override_policy_documents": [override]}

    found = _policy_of(
        _document([_block([None], sid="A"), _block([ROOT], sid="C")], [_open(1), {}], values=values)
    )

    assert _sids(found) == [("A", ("kms:Decrypt",)), ("B", ("kms:GetPublicKey",)), ("C", ("kms:Encrypt",))]


MERGED: dict[str, tuple[object, object, Json, bool]] = {
    "one document of the plan": ([None], [True], refers("data.aws_iam_policy_document.q.json"), True),
    "a list that is not known": (None, True, refers("data.aws_iam_policy_document.q.json"), False),
    "one that cannot be followed": ([None], [True], refers("local.documents"), False),
    "text that is no JSON": (["{"], [False], {}, False),
}


@pytest.mark.parametrize(("value", "unknown", "expression", "known"), MERGED.values(), ids=MERGED.keys())
def test_a_document_that_is_merged_in(value: object, unknown: object, expression: Json, known: bool) -> None:
    other = "data.aws_iam_policy_document.q"
    merged = _document(
        [_block([ROOT], sid="Own")],
        [{}],
        values={"source_policy_documents": value},
        unknown={"source_policy_documents": unknown},
        expressions={"source_policy_documents": expression},
    )
    inner = made(other, {"statement": [_block([ROOT], sid="Inner")]}, unknown=NEW_DOCUMENT)

    found = _policy_of(merged, inner, blocks=(block(other),))

    sids = [sid for sid, _ in _sids(found)]
    assert (sids, found.unknown is None) == ((["Inner", "Own"], True) if known else ([], False))


_BLOCK_OF = {
    "Action": "actions",
    "NotAction": "not_actions",
    "Resource": "resources",
    "NotResource": "not_resources",
}


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _principal_blocks(principals: object) -> list[Json]:
    if isinstance(principals, str):
        return [{"type": "*", "identifiers": [principals]}]
    assert isinstance(principals, dict)
    return [{"type": kind, "identifiers": _as_list(names)} for kind, names in principals.items()]


def _block_of(one: Json) -> Json:
    """The ``statement`` block of a statement."""
    found: Json = {"sid": one.get("Sid"), "effect": one["Effect"]}
    found |= {block: _as_list(one[name]) for name, block in _BLOCK_OF.items() if name in one}
    for name, block_name in (("Principal", "principals"), ("NotPrincipal", "not_principals")):
        if name in one:
            found[block_name] = _principal_blocks(one[name])
    found["condition"] = [
        {"test": test, "variable": variable, "values": _as_list(values)}
        for test, keys in one.get("Condition", {}).items()
        for variable, values in keys.items()
    ]
    return found


@settings(max_examples=80, deadline=None)
@given(st.lists(statements(), min_size=1, max_size=3))
def test_a_rebuilt_document_says_what_the_written_one_does(listed: list[Json]) -> None:
    for number, one in enumerate(listed):
        one["Sid"] = f"S{number}"  # of two with one Sid the data source keeps the later
    found = _policy_of(_document([_block_of(one) for one in listed], [{} for _ in listed]))

    assert found.statements == parse_policy({"Statement": listed}, path="policy").statements


UNKNOWN_POLICIES = {
    "jsonencode": refers("aws_iam_role.app.arn"),
    "of two documents": refers(f"{DOCUMENT}.json", "data.aws_iam_policy_document.q.json"),
    "a local value": refers("local.policy"),
}


@pytest.mark.parametrize("expression", UNKNOWN_POLICIES.values(), ids=UNKNOWN_POLICIES.keys())
def test_a_policy_that_is_known_after_apply_only_is_unknown(expression: Json) -> None:
    documents = [made(f"data.aws_iam_policy_document.{one}", unknown=NEW_DOCUMENT) for one in "pq"]
    blocks = module(*ROLES, block(KEY, {"policy": expression}), block(DOCUMENT))

    found = keys_of(plan(APP, OPS, *documents, made(KEY, unknown=NEW_KEY), configuration=blocks))[KEY].policy

    assert (found.unknown is not None, found.statements) == (True, ())


def test_documents_that_go_round_in_a_circle_are_unknown() -> None:
    document = _document(
        [],
        [],
        values={"source_policy_documents": [None]},
        unknown={"source_policy_documents": [True]},
        expressions={"source_policy_documents": refers(f"{DOCUMENT}.json")},
    )

    assert _policy_of(document).unknown is not None


def test_marks_of_holes_in_a_plan_are_taken_out() -> None:
    written = hole(HoleKind.GENERATED, "x")
    escaped = json.dumps(written)
    document = policy(statement({"AWS": "PLACE"}, "kms:Decrypt", Sid=written)).replace('"PLACE"', escaped)

    found = keys_of(plan(made(KEY, {"policy": document}), configuration=module(block(KEY))))[KEY]

    assert "\ue000" not in repr(found.policy)


# --- IAM policies ---------------------------------------------------------------------------------------

DECRYPT = policy({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"})
MANAGED = made("aws_iam_policy.m", {"name": "m", "path": "/", "policy": DECRYPT}, unknown={"arn": True})
AWS_POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"
Held = tuple[str, IdentityPolicyKind, object, bool]


def _identities(*instances: Json, blocks: tuple[Json, ...]) -> tuple[Held, ...]:
    estate, problems = read(plan(*instances, configuration=module(*blocks)))
    assert problems == []
    return _held(estate)


def _held(estate: Estate) -> tuple[Held, ...]:
    return tuple(
        (one.id, one.kind, one.attached_to if isinstance(one.attached_to, tuple) else None, one.attachable)
        for one in estate.identity_policies
    )


def _attachment(kind: str, values: Json, **expressions: Json) -> tuple[Json, Json]:
    address = f"aws_iam_{kind}.x"
    return made(address, values, unknown=dict.fromkeys(expressions, True)), block(address, expressions)


HOLDERS: dict[str, tuple[tuple[Json, Json], tuple[Held, ...]]] = {
    "inline policy of a role": (
        _attachment("role_policy", {"name": "i", "policy": DECRYPT, "role": "app"}),
        (("aws_iam_role_policy.x", IdentityPolicyKind.INLINE, (APP_ARN,), False),),
    ),
    "inline policy of a role by reference": (
        _attachment("role_policy", {"policy": DECRYPT}, role=refers("aws_iam_role.app.id")),
        (("aws_iam_role_policy.x", IdentityPolicyKind.INLINE, (APP_ARN,), False),),
    ),
    "inline policy of who is not known": (
        _attachment("role_policy", {"policy": DECRYPT}, role=refers("local.role")),
        (("aws_iam_role_policy.x", IdentityPolicyKind.INLINE, None, False),),
    ),
    "inline policy of a user": (
        _attachment("user_policy", {"policy": DECRYPT, "user": "u"}),
        (("aws_iam_user_policy.x", IdentityPolicyKind.INLINE, (f"arn:aws:iam::{ACCOUNT}:user/u",), False),),
    ),
    "inline policy of a group": (
        _attachment("group_policy", {"policy": DECRYPT, "group": "g"}),
        (("aws_iam_group_policy.x", IdentityPolicyKind.INLINE, (f"arn:aws:iam::{ACCOUNT}:user/u",), True),),
    ),
    "nothing of KMS": (
        _attachment("role_policy", {"policy": DECRYPT.replace("kms:", "s3:"), "role": "app"}),
        (),
    ),
    "a policy of AWS": (
        _attachment("role_policy_attachment", {"policy_arn": AWS_POLICY, "role": "app"}),
        (
            (
                "aws_iam_role_policy_attachment.x.policy_arn",
                IdentityPolicyKind.AWS_MANAGED,
                (APP_ARN,),
                False,
            ),
        ),
    ),
    "a policy that is not known": (
        _attachment("role_policy_attachment", {"role": "app"}, policy_arn=refers("local.policy")),
        (
            (
                "aws_iam_role_policy_attachment.x.policy_arn",
                IdentityPolicyKind.MANAGED,
                (APP_ARN,),
                False,
            ),
        ),
    ),
    "a policy that is in no plan": (
        _attachment(
            "role_policy_attachment", {"policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/Seen", "role": "app"}
        ),
        (
            (
                "aws_iam_role_policy_attachment.x.policy_arn",
                IdentityPolicyKind.MANAGED,
                (APP_ARN,),
                False,
            ),
        ),
    ),
}


@pytest.mark.parametrize(("given", "expected"), HOLDERS.values(), ids=HOLDERS.keys())
def test_who_holds_a_policy(given: tuple[Json, Json], expected: tuple[Held, ...]) -> None:
    members = made("aws_iam_group_membership.m", {"name": "m", "group": "g", "users": ["u"]})

    assert _identities(APP, OPS, members, given[0], blocks=(*ROLES, given[1])) == expected


ATTACHED: dict[str, tuple[tuple[Json, Json], tuple[IdentityPolicyKind, object]]] = {
    "to a role": (
        _attachment(
            "role_policy_attachment",
            {},
            role=refers("aws_iam_role.app.id"),
            policy_arn=refers("aws_iam_policy.m.arn"),
        ),
        (IdentityPolicyKind.MANAGED, (APP_ARN,)),
    ),
    "to several": (
        _attachment(
            "policy_attachment",
            {"roles": ["app", "ops"], "users": []},
            policy_arn=refers("aws_iam_policy.m.arn"),
        ),
        (IdentityPolicyKind.MANAGED, (APP_ARN, OPS_ARN)),
    ),
    "to whom is not known": (
        _attachment(
            "policy_attachment",
            {},
            roles=refers("aws_iam_role.app.name"),
            policy_arn=refers("aws_iam_policy.m.arn"),
        ),
        (IdentityPolicyKind.MANAGED, None),
    ),
    "to nobody": (_attachment("user", {"name": "u"}), (IdentityPolicyKind.MANAGED, ())),
    "as a boundary": (
        _attachment("user", {"name": "u"}, permissions_boundary=refers("aws_iam_policy.m.arn")),
        (IdentityPolicyKind.BOUNDARY, ()),
    ),
    "by a role's own list": (
        (
            made(
                "aws_iam_role.x",
                {"name": "x", "managed_policy_arns": [None]},
                unknown={"managed_policy_arns": [True]},
            ),
            block("aws_iam_role.x", {"managed_policy_arns": refers("aws_iam_policy.m.arn")}),
        ),
        (IdentityPolicyKind.MANAGED, (role("x"),)),
    ),
}


@pytest.mark.parametrize(("given", "expected"), ATTACHED.values(), ids=ATTACHED.keys())
def test_a_managed_policy_of_the_plan(
    given: tuple[Json, Json], expected: tuple[IdentityPolicyKind, object]
) -> None:
    found = _identities(APP, OPS, MANAGED, given[0], blocks=(*ROLES, block("aws_iam_policy.m"), given[1]))

    assert found == (("aws_iam_policy.m", *expected, True),)


def test_inline_blocks_of_a_role() -> None:
    blocks = [{"name": "one", "policy": DECRYPT}, {"name": "", "policy": None}]
    given = made("aws_iam_role.x", {"name": "x", "inline_policy": blocks})
    left_to_the_provider = made(
        "aws_iam_role.y", {"name": "y"}, unknown={"inline_policy": True, "managed_policy_arns": True}
    )

    found = _identities(
        given, left_to_the_provider, blocks=(block("aws_iam_role.x"), block("aws_iam_role.y"))
    )

    assert found == (("aws_iam_role.x.inline_policy[0]", IdentityPolicyKind.INLINE, (role("x"),), False),)


def test_a_key_as_the_resource_of_an_iam_policy_is_that_key() -> None:
    """What an IAM policy names after apply is the ARN that the key has."""
    statements = [{"sid": None, "actions": ["kms:Decrypt"], "resources": [None]}]
    document, by = _document(
        statements, [{"resources": [True]}], [{"resources": refers("aws_kms_key.a.arn")}]
    )
    inline = made("aws_iam_role_policy.i", {"role": "app"}, unknown={"policy": True})
    blocks = (*ROLES, block(KEY), by, block("aws_iam_role_policy.i", {"policy": refers(f"{DOCUMENT}.json")}))

    estate, problems = read(
        plan(APP, OPS, made(KEY, unknown=NEW_KEY), document, inline, configuration=module(*blocks))
    )

    (found,) = estate.identity_policies
    assert found.policy.statements[0].resources == (estate.keys[0].arn_pattern,)
    assert problems == []


RESOURCES: dict[str, tuple[str, bool]] = {
    "the ARN of the key": ("aws_kms_key.a.arn", True),
    "its id, which is a part of an ARN": ("aws_kms_key.a.key_id", True),
    "the ARN of something else": ("aws_sqs_queue.q.arn", False),
    "its id, which may be a part of any": ("aws_sqs_queue.q.id", True),
}


@pytest.mark.parametrize(("reference", "reached"), RESOURCES.values(), ids=RESOURCES.keys())
def test_which_keys_the_resources_of_an_iam_policy_may_be(reference: str, reached: bool) -> None:
    statements = [{"sid": None, "actions": ["kms:Decrypt"], "resources": [None]}]
    document, by = _document(statements, [{"resources": [True]}], [{"resources": refers(reference)}])
    inline = made("aws_iam_role_policy.i", {"role": "app"}, unknown={"policy": True})
    queue = made("aws_sqs_queue.q", unknown={"arn": True, "id": True, "name": True})
    blocks = (
        *ROLES,
        block(KEY),
        by,
        block("aws_sqs_queue.q"),
        block("aws_iam_role_policy.i", {"policy": refers(f"{DOCUMENT}.json")}),
    )

    estate, _ = read(
        plan(APP, OPS, queue, made(KEY, unknown=NEW_KEY), document, inline, configuration=module(*blocks))
    )

    (found,) = identity_grants(estate.identity_policies[0], ["Decrypt"]) or (None,)
    assert (found is not None and may_reach(found, estate.keys[0])) is reached


# --- organization policies ------------------------------------------------------------------------------

TARGETS: dict[str, tuple[list[str], str | None, bool]] = {
    "the account": ([ACCOUNT], None, True),
    "another account": (["444455556666"], None, False),
    "a unit": (["ou-abcd-12345678"], None, False),
    "the root, seen from elsewhere": (["r-abcd"], "444455556666", True),
    "the root, with keys of the management account": (["r-abcd"], ACCOUNT, False),
    "the root of who knows what": (["r-abcd"], None, False),
    "nothing": ([], None, False),
}


@pytest.mark.parametrize(("targets", "management", "in_force"), TARGETS.values(), ids=TARGETS.keys())
def test_an_organization_policy_counts_where_it_surely_reaches(
    targets: list[str], management: str | None, in_force: bool
) -> None:
    deny = policy({"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"})
    scp = made(
        "aws_organizations_policy.p",
        {"content": deny, "type": "SERVICE_CONTROL_POLICY"},
        unknown={"id": True},
    )
    attachments = [
        made(
            f"aws_organizations_policy_attachment.a[{index}]",
            {"target_id": target},
            unknown={"policy_id": True},
        )
        for index, target in enumerate(targets)
    ]
    organization = made("data.aws_organizations_organization.o", {"master_account_id": management})
    blocks = module(
        block(KEY),
        block("aws_organizations_policy.p"),
        block(
            "aws_organizations_policy_attachment.a", {"policy_id": refers("aws_organizations_policy.p.id")}
        ),
    )

    estate, _ = read(plan(made(KEY, unknown=NEW_KEY), scp, *attachments, organization, configuration=blocks))

    bound = {
        **json.loads(deny)["Statement"][0],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": [ACCOUNT]}},
    }
    expected = parse_policy({"Statement": [bound]}, path="content").statements
    assert [one.statements for one in estate.organization.scps] == ([expected] if in_force else [])
    assert estate.organization.rcps == ()
    if in_force:
        left = EstateAccess(estate).reach(estate.keys[0], "ScheduleKeyDeletion").contributions
        # Service control policies do not bind service-linked roles.
        assert all("aws-service-role" in cell.include[-1] for part in left for cell in part.cells)
