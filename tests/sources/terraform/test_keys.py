"""Keys of plans: what is known, what refers to them, and what is left open."""

from __future__ import annotations

from typing import Any

import pytest

from kms_constructs.model.estate import Deployment, Grant, KeyKind, Location, Reference, SourceProblem
from kms_constructs.model.policy import default_key_policy
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.sources.terraform.vocabulary import DELETED, POLICY_ONLY, REPLACED, TERRAFORM
from tests.sources.terraform.plans import (
    ACCOUNT,
    PROVIDER,
    REGION,
    ROOT,
    Json,
    block,
    call,
    constant,
    keys_of,
    made,
    module,
    plan,
    policy,
    read,
    refers,
    role,
    state,
    statement,
)

NEW = {"arn": True, "id": True, "key_id": True, "policy": True}
KEY = "aws_kms_key.a"
ALIAS_NEW = {"arn": True, "id": True, "target_key_id": True}
LIVE_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
LIVE_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{LIVE_ID}"


def key(values: Json | None = None, address: str = KEY, **more: Any) -> Json:
    return made(address, values or {}, unknown={**NEW, **more.pop("unknown", {})}, **more)


ARGUMENTS: dict[str, tuple[Json, Json, Json, dict[str, object]]] = {
    "nothing given": (
        {},
        {},
        {},
        {"pending_window": None, "rotation_enabled": None, "rotation_period": None},
    ),
    "rotation": (
        {"enable_key_rotation": True, "rotation_period_in_days": 180, "deletion_window_in_days": 14},
        {},
        {},
        {"pending_window": 14, "rotation_enabled": True, "rotation_period": 180},
    ),
    "a period that the provider will read back": (
        {"enable_key_rotation": True},
        {"rotation_period_in_days": True},
        {},
        {"rotation_enabled": True, "rotation_period": None},
    ),
    "a period that is null by a variable": (
        {},
        {"rotation_period_in_days": True},
        {"rotation_period_in_days": refers("var.period")},
        {"rotation_period": None},
    ),
    "a period from another resource": (
        {},
        {"rotation_period_in_days": True},
        {"rotation_period_in_days": refers("aws_ssm_parameter.days.value")},
        {"rotation_period": Unknown},
    ),
    "rotation from another resource": (
        {},
        {"enable_key_rotation": True},
        {"enable_key_rotation": refers("local.rotate")},
        {"rotation_enabled": Unknown},
    ),
    "spec and usage": (
        {"customer_master_key_spec": "RSA_4096", "key_usage": "SIGN_VERIFY", "multi_region": True},
        {},
        {},
        {"key_spec": "RSA_4096", "key_usage": "SIGN_VERIFY", "multi_region": True},
    ),
    "a key store": ({"custom_key_store_id": "cks-1"}, {}, {}, {"origin": "AWS_CLOUDHSM"}),
    "an external key store": (
        {"custom_key_store_id": "cks-1", "xks_key_id": "x"},
        {},
        {},
        {"origin": "EXTERNAL_KEY_STORE"},
    ),
    "tags of the provider": (
        {"tags": {"a": "1"}, "tags_all": {"a": "1", "environment": "prod"}},
        {},
        {},
        {"tags": {"a": "1", "environment": "prod"}},
    ),
    "the lockout check": (
        {"bypass_policy_lockout_safety_check": True},
        {},
        {},
        {"bypass_lockout_check": True},
    ),
}


@pytest.mark.parametrize(
    ("values", "unknown", "expressions", "expected"), ARGUMENTS.values(), ids=ARGUMENTS.keys()
)
def test_arguments(values: Json, unknown: Json, expressions: Json, expected: dict[str, object]) -> None:
    days = made("aws_ssm_parameter.days", unknown={"value": True})
    blocks = module(block(KEY, expressions), block("aws_ssm_parameter.days"))

    found = keys_of(plan(key(values, unknown=unknown), days, configuration=blocks))[KEY]

    known = {name: getattr(found, name) for name in expected}
    assert {name: Unknown if is_unknown(value) else value for name, value in known.items()} == expected


def test_a_key_that_says_nothing_is_what_kms_makes_of_it() -> None:
    found = keys_of(plan(key(), configuration=module(block(KEY))))[KEY]

    assert found.policy == default_key_policy("aws", ACCOUNT)
    assert (found.id, found.location) == (KEY, Location("plan.json", "", KEY))
    assert (found.account, found.region, found.partition) == (ACCOUNT, REGION, "aws")
    assert found.key_id == hole(HoleKind.GENERATED, f"{KEY}.key_id")
    assert (found.deletion_policy, found.update_replace_policy, found.vocabulary) == (None, None, TERRAFORM)
    assert (found.key_spec, found.origin, found.kind) == ("SYMMETRIC_DEFAULT", "AWS_KMS", KeyKind.KEY)


def test_addresses_name_keys_of_modules_and_loops() -> None:
    inner = module(block("aws_kms_key.this"))
    addresses = ['module.keys["a.b"].aws_kms_key.this["x"]', "module.one.module.two.aws_kms_key.this[0]"]
    calls = {"keys": call(inner), "one": call(module(calls={"two": call(inner)}))}

    found = keys_of(plan(*(key(address=one) for one in addresses), configuration=module(calls=calls)))

    assert list(found) == addresses
    assert [one.region for one in found.values()] == [REGION, REGION]


ALIASES: dict[str, tuple[Json, Json]] = {
    "key id": (refers("aws_kms_key.a.key_id"), {}),
    "ARN": (refers("aws_kms_key.a.arn"), {}),
    "the module's own kinds of key in turn": (
        refers("aws_kms_key.a.key_id", "aws_kms_external_key.a[0].id", "aws_kms_replica_key.a[0].key_id"),
        {},
    ),
    "one of a loop by each.key": (refers("each.key", "aws_kms_key.loop"), {}),
    "each.value": (refers("each.value"), {"for_each_expression": refers("aws_kms_key.a.id")}),
}


@pytest.mark.parametrize(("expression", "extra"), ALIASES.values(), ids=ALIASES.keys())
def test_an_alias_finds_its_key(expression: Json, extra: Json) -> None:
    loop = [key(address=f'aws_kms_key.loop["{name}"]') for name in ("x", "y")]
    in_loop = "each.key" in expression["references"]
    address = 'aws_kms_alias.a["x"]' if in_loop else "aws_kms_alias.a"
    alias = made(address, {"name": "alias/one"}, unknown=ALIAS_NEW)
    blocks = module(
        block(KEY),
        block("aws_kms_key.loop"),
        block("aws_kms_alias.a", {"target_key_id": expression}, **extra),
    )

    found = keys_of(plan(key(), *loop, alias, configuration=blocks))

    target = 'aws_kms_key.loop["x"]' if in_loop else KEY
    assert {name: one.aliases for name, one in found.items() if one.aliases} == {target: ("alias/one",)}


UNATTACHED = {
    "a local value": refers("local.key", "aws_kms_key.a.key_id"),
    "two keys": refers("aws_kms_key.a.key_id", "aws_kms_key.b.key_id"),
    "nothing told": {},
}


@pytest.mark.parametrize("expression", UNATTACHED.values(), ids=UNATTACHED.keys())
def test_an_alias_that_may_be_of_any_key_is_open(expression: Json) -> None:
    alias = made("aws_kms_alias.a", {"name": "alias/one"}, unknown=ALIAS_NEW)
    blocks = module(
        block(KEY), block("aws_kms_key.b"), block("aws_kms_alias.a", {"target_key_id": expression})
    )

    estate, problems = read(plan(key(), key(address="aws_kms_key.b"), alias, configuration=blocks))

    assert ([one.aliases for one in estate.keys], estate.unattached_aliases) == ([(), ()], ("alias/one",))
    assert problems == []


def test_an_alias_of_a_key_that_exists_elsewhere_says_nothing_of_these() -> None:
    alias = made("aws_kms_alias.a", {"name": "alias/one", "target_key_id": LIVE_ID}, unknown={"arn": True})

    estate, problems = read(plan(key(), alias, configuration=module(block(KEY), block("aws_kms_alias.a"))))

    assert (estate.unattached_aliases, estate.keys[0].aliases, problems) == ((), (), [])


def test_an_alias_prefix_ends_in_what_the_provider_makes_up() -> None:
    alias = made("aws_kms_alias.a", {"name_prefix": "alias/one-"}, unknown={**ALIAS_NEW, "name": True})
    expressions = {"name_prefix": constant("alias/one-"), "target_key_id": refers("aws_kms_key.a.id")}

    found = keys_of(
        plan(key(), alias, configuration=module(block(KEY), block("aws_kms_alias.a", expressions)))
    )

    assert found[KEY].aliases == ("alias/one-" + hole(HoleKind.GENERATED, "aws_kms_alias.a.name"),)


def test_a_key_policy_of_its_own_resource_is_the_policy_of_its_key() -> None:
    document = policy(statement({"AWS": ROOT}, "kms:*"))
    separate = made(
        "aws_kms_key_policy.a",
        {"policy": document, "bypass_policy_lockout_safety_check": True},
        unknown={"key_id": True, "id": True},
    )
    blocks = module(block(KEY), block("aws_kms_key_policy.a", {"key_id": refers("aws_kms_key.a.id")}))

    found = keys_of(plan(key(), separate, configuration=blocks))[KEY]

    assert [one.actions for one in found.policy.statements] == [("kms:*",)]
    assert (found.policy.path, found.bypass_lockout_check) == ("policy", True)


def test_a_key_policy_of_a_key_that_is_not_known_leaves_keys_without_one_open() -> None:
    own = policy(statement({"AWS": ROOT}, "kms:*"))
    separate = made("aws_kms_key_policy.p", {"policy": own}, unknown={"key_id": True})
    blocks = module(
        block(KEY), block("aws_kms_key.b"), block("aws_kms_key_policy.p", {"key_id": refers("local.key")})
    )
    given = made("aws_kms_key.b", {"policy": own}, unknown={"arn": True, "id": True, "key_id": True})

    estate, problems = read(plan(key(), given, separate, configuration=blocks))

    assert [one.policy.unknown is not None for one in estate.keys] == [True, False]
    assert problems == [
        SourceProblem(
            "plan.json",
            "which key it is the policy of is not known",
            "Give key_id as a reference to the key",
            "aws_kms_key_policy.p",
        )
    ]


def test_a_key_policy_that_is_destroyed_leaves_the_default() -> None:
    narrow = policy(statement({"AWS": ROOT}, "kms:DescribeKey"))
    live = made(KEY, {"key_id": LIVE_ID, "arn": LIVE_ARN, "policy": narrow}, actions=["no-op"])
    gone = made("aws_kms_key_policy.a", {"key_id": LIVE_ID, "policy": narrow}, actions=["delete"])

    found = keys_of(plan(live, gone, configuration=module(block(KEY))))[KEY]

    assert found.policy == default_key_policy("aws", ACCOUNT)


def test_the_policy_of_a_key_elsewhere_is_judged_by_itself() -> None:
    separate = made(
        "aws_kms_key_policy.p", {"key_id": LIVE_ARN, "policy": policy(statement({"AWS": ROOT}, "kms:*"))}
    )

    found = keys_of(plan(separate, configuration=module(block("aws_kms_key_policy.p"))))

    (one,) = found.values()
    assert (one.key_id, one.account, one.vocabulary, one.policy_only) == (LIVE_ID, ACCOUNT, POLICY_ONLY, True)


def test_a_replica_shares_what_its_primary_is_and_has_a_region_of_its_own() -> None:
    provider = {
        **PROVIDER,
        "aws.there": {"name": "aws", "alias": "there", "expressions": {"region": refers("var.there")}},
    }
    replica = made(
        "aws_kms_replica_key.r",
        {"deletion_window_in_days": 20},
        unknown={**NEW, "primary_key_arn": True},
    )
    blocks = module(
        block(KEY),
        block(
            "aws_kms_replica_key.r", {"primary_key_arn": refers("aws_kms_key.a.arn")}, provider="aws.there"
        ),
        variables={"there": {}},
    )

    found = keys_of(
        plan(
            key({"enable_key_rotation": True, "multi_region": True}),
            replica,
            configuration=blocks,
            provider=provider,
            variables={"there": {"value": "us-east-1"}},
        )
    )["aws_kms_replica_key.r"]

    assert (found.kind, found.primary, found.region, found.account) == (
        KeyKind.REPLICA,
        KEY,
        "us-east-1",
        ACCOUNT,
    )
    assert (found.rotation_enabled, found.key_spec, found.pending_window) == (True, "SYMMETRIC_DEFAULT", 20)
    assert found.key_id == hole(HoleKind.GENERATED, f"{KEY}.key_id")


def test_imported_material_expires_when_valid_to_says_so() -> None:
    address = "aws_kms_external_key.e"
    external = key({"valid_to": "2027-01-01T00:00:00Z"}, address, sensitive={"key_material_base64": True})

    found = keys_of(plan(external, configuration=module(block(address))))[address]

    assert (found.origin, found.material_expires) == ("EXTERNAL", "2027-01-01T00:00:00Z")


def test_a_grant_is_on_its_key() -> None:
    grant = made(
        "aws_kms_grant.g",
        {
            "name": "report",
            "grantee_principal": role("Report"),
            "operations": ["Decrypt", "Encrypt"],
            "constraints": [{"encryption_context_equals": {"Department": "Finance"}}],
        },
        unknown={"key_id": True},
    )
    blocks = module(block(KEY), block("aws_kms_grant.g", {"key_id": refers("aws_kms_key.a.key_id")}))

    assert keys_of(plan(key(), grant, configuration=blocks))[KEY].grants == (
        Grant(
            role("Report"),
            ("Decrypt", "Encrypt"),
            constraints={"EncryptionContextEquals": {"Department": "Finance"}},
            name="report",
        ),
    )


def test_a_grant_on_a_key_that_is_not_known_is_told() -> None:
    grant = made("aws_kms_grant.g", {"operations": ["Decrypt"]}, unknown={"key_id": True})
    blocks = module(block(KEY), block("aws_kms_grant.g", {"key_id": refers("local.key")}))

    assert read(plan(key(), grant, configuration=blocks))[1] == [
        SourceProblem(
            "plan.json",
            "which key the grant is on is not known",
            "Give key_id as a reference to the key",
            "aws_kms_grant.g",
        )
    ]


def test_uses_are_found_through_modules_aliases_and_nested_blocks() -> None:
    keys_module = module(block("aws_kms_key.this"), outputs={"arn": refers("aws_kms_key.this.arn")})
    bucket = module(block("aws_s3_bucket.b", {"rule": [{"by_default": [{"key": refers("var.key")}]}]}))
    blocks = module(
        block("aws_kms_alias.a", {"target_key_id": refers("module.keys.arn")}),
        block("aws_sqs_queue.q", {"kms_master_key_id": refers("aws_kms_alias.a.name")}),
        block("aws_kms_ciphertext.c", {"key_id": refers("module.keys.arn")}),
        calls={"keys": call(keys_module), "store": call(bucket, {"key": refers("module.keys.arn")})},
    )
    address = "module.keys.aws_kms_key.this"

    found = keys_of(
        plan(
            key(address=address),
            made("aws_kms_alias.a", {"name": "alias/q"}, unknown=ALIAS_NEW),
            made("aws_sqs_queue.q", {"kms_master_key_id": "alias/q", "tags": {"team": "q"}}),
            made("aws_kms_ciphertext.c", sensitive={"plaintext": True}, unknown={"key_id": True}),
            made("module.store.aws_s3_bucket.b", unknown={"rule": [{"by_default": [{"key": True}]}]}),
            configuration=blocks,
        )
    )[address]

    assert found.references == (
        Reference(
            Location("plan.json", "", "aws_sqs_queue.q"), "aws_sqs_queue", "kms_master_key_id", {"team": "q"}
        ),
        Reference(Location("plan.json", "", "module.store.aws_s3_bucket.b"), "aws_s3_bucket", "rule", {}),
    )
    assert found.referenced_outside is False


@pytest.mark.parametrize("output", ["aws_kms_key.a.arn", "aws_kms_alias.a.arn"])
def test_an_output_of_the_root_module_hands_a_key_on(output: str) -> None:
    blocks = module(
        block(KEY),
        block("aws_kms_alias.a", {"target_key_id": refers("aws_kms_key.a.id")}),
        outputs={"key": refers(output)},
    )
    alias = made("aws_kms_alias.a", {"name": "alias/q"}, unknown=ALIAS_NEW)

    assert keys_of(plan(key(), alias, configuration=blocks))[KEY].referenced_outside is True


DELETIONS: dict[str, tuple[list[str], tuple[object, ...]]] = {
    "deleted": (["delete"], ("Delete", "Delete", DELETED)),
    "replaced": (["delete", "create"], (None, "Delete", REPLACED)),
    "replaced, the new one first": (["create", "delete"], (None, "Delete", REPLACED)),
    "changed": (["update"], (None, None, TERRAFORM)),
    "left alone": (["no-op"], (None, None, TERRAFORM)),
}


@pytest.mark.parametrize(("actions", "expected"), DELETIONS.values(), ids=DELETIONS.keys())
def test_a_plan_that_destroys_a_key_says_so(actions: list[str], expected: tuple[object, ...]) -> None:
    live = made(KEY, {"key_id": LIVE_ID, "arn": LIVE_ARN, "policy": policy()}, actions=actions)
    alias = made("aws_kms_alias.a", {"name": "alias/q", "target_key_id": LIVE_ID}, actions=actions)

    found = keys_of(plan(live, alias, configuration=module(block(KEY), block("aws_kms_alias.a"))))[KEY]

    assert (found.deletion_policy, found.update_replace_policy, found.vocabulary) == expected
    assert found.aliases == ("alias/q",)


def test_an_alias_that_is_deleted_is_none_of_a_key_that_stays() -> None:
    live = made(KEY, {"key_id": LIVE_ID, "arn": LIVE_ARN, "policy": policy()}, actions=["no-op"])
    alias = made("aws_kms_alias.a", {"name": "alias/q", "target_key_id": LIVE_ID}, actions=["delete"])

    assert keys_of(plan(live, alias, configuration=module(block(KEY))))[KEY].aliases == ()


def test_a_state_is_read_by_its_values() -> None:
    document = policy(statement({"AWS": ROOT}, "kms:*"))
    found = keys_of(
        state(
            made(KEY, {"key_id": LIVE_ID, "id": LIVE_ID, "arn": LIVE_ARN, "policy": document, "tags": None}),
            made("aws_kms_alias.a", {"name": "alias/q", "target_key_id": LIVE_ID}),
            made("aws_db_instance.d", {"kms_key_id": LIVE_ARN}),
            outputs={"hidden": {"sensitive": True, "value": LIVE_ARN}},
        )
    )[KEY]

    assert (found.account, found.region, found.key_id) == (ACCOUNT, REGION, LIVE_ID)
    assert (found.aliases, [use.path for use in found.references]) == (("alias/q",), ["kms_key_id"])
    assert found.referenced_outside is False


ACCOUNTS: dict[str, tuple[Json, bool, Deployment, str, str]] = {
    "what the plan has read wins": (PROVIDER, True, Deployment("999988887777", "us-east-1"), ACCOUNT, REGION),
    "what the caller says": ({}, False, Deployment(ACCOUNT, "us-east-1"), ACCOUNT, "us-east-1"),
    "the one account that is allowed": (
        {
            "aws": {
                "expressions": {"allowed_account_ids": constant([ACCOUNT]), "region": constant("cn-north-1")}
            }
        },
        False,
        Deployment(),
        ACCOUNT,
        "cn-north-1",
    ),
    "a Region whose name has four parts": (
        {"aws": {"expressions": {"region": constant("eusc-de-east-1")}}},
        False,
        Deployment(ACCOUNT),
        ACCOUNT,
        "eusc-de-east-1",
    ),
    "the role that is assumed": (
        {"aws": {"expressions": {"assume_role": [{"role_arn": constant(role("Deploy"))}]}}},
        False,
        Deployment(region=REGION),
        ACCOUNT,
        REGION,
    ),
    "nothing": (
        {},
        False,
        Deployment(),
        hole(HoleKind.ENVIRONMENT, "account"),
        hole(HoleKind.ENVIRONMENT, "region"),
    ),
    "a region that is not told": (
        {"aws": {"expressions": {"region": refers("local.region")}}},
        True,
        Deployment(region="us-east-1"),
        ACCOUNT,
        hole(HoleKind.ENVIRONMENT, "region"),
    ),
}


@pytest.mark.parametrize(
    ("provider", "identity", "deployment", "account", "region"), ACCOUNTS.values(), ids=ACCOUNTS.keys()
)
def test_where_a_key_is(
    provider: Json,
    identity: bool,
    deployment: Deployment,
    account: str,
    region: str,
) -> None:
    given = plan(key(), configuration=module(block(KEY)), provider=provider, identity=identity)

    estate, _ = read(given, deployment=deployment)

    assert (estate.keys[0].account, estate.keys[0].region) == (account, region)


def test_sensitive_values_are_not_known() -> None:
    hidden = {
        "policy": policy(statement({"AWS": "*"}, "kms:*")),
        "description": "secret",
        "tags": {"a": "secret"},
    }
    given = made(KEY, hidden, sensitive={"policy": True, "description": True, "tags": {"a": True}})

    found = keys_of(plan(given, configuration=module(block(KEY, {"policy": refers("var.policy")}))))[KEY]

    assert "secret" not in repr(found)
    assert found.policy.unknown == Unknown("it is marked sensitive")


def test_two_plans_have_names_of_their_own() -> None:
    blocks = module(block(KEY))

    estate, _ = read(plan(key(), configuration=blocks), plan(key(), configuration=blocks))

    assert [one.id for one in estate.keys] == ["plan1#1:aws_kms_key.a", "plan2#2:aws_kms_key.a"]
    assert len({one.key_id for one in estate.keys}) == 2
