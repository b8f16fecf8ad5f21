"""Catalogues of keys: what a file may hold, where keys live, and that none ever moves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from kms_constructs import DirectGrant, KeyCatalog, ReplicaConfig, SourceError
from kms_constructs.cdk.fleet.key_catalog import (
    OUTPUT_CAPACITY,
    STACK_CAPACITY,
    TEMPLATE_CAPACITY,
    construct_id,
    size_in_template,
)
from kms_constructs.policies.services.service_access import presets as preset_attributes
from kms_constructs.testing import assert_guardrails
from tests.cdk.fleet import catalog_schema

pytestmark = pytest.mark.cdk

ADMIN = "arn:aws:iam::111122223333:role/KeyAdmin"
USER = "arn:aws:iam::111122223333:role/Orders"
ENV = cdk.Environment(account="111122223333", region="eu-west-1")
FILE = f"""\
version: 1
stacks: 4
defaults:
  environment: prod
  service: orders
  data_classification: confidential
  key_administrators: ["{ADMIN}"]
  policy_reviewed_on: 2026-01-31
  tags: {{team: payments}}
keys:
  orders/data:
    description: Orders at rest
    key_users: ["{USER}"]
    tags: {{cost-centre: "42"}}
  orders/queue:
    description: The queue of orders
    pending_window: 14
    services:
      - sns
      - cloudwatch_logs: {{log_groups: ["/orders/*"]}}
  orders/signing:
    description: Signs orders
    key_spec: ECC_NIST_P256
    key_usage: SIGN_VERIFY
    stack: signing
"""


def catalogue(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "stacks": 4,
        "defaults": {
            "environment": "prod",
            "service": "orders",
            "data_classification": "confidential",
            "key_administrators": [ADMIN],
        },
        "keys": {"orders/data": {"description": "Orders at rest"}},
        **changes,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.yaml"
    path.write_text(FILE)
    return path


def test_a_file_makes_its_keys_with_defaults_and_overrides(file: Path) -> None:
    shorter = {"kms-constructs": {"production-pending-window": 14}}
    app = cdk.App(analytics_reporting=False, context=shorter)

    keys = KeyCatalog.from_file(file).create(app, env=ENV)

    assert sorted(keys) == ["orders/data", "orders/queue", "orders/signing"]
    assert keys["orders/data"].alias_name == "alias/orders/data"
    found: dict[str, dict[str, Any]] = {}
    for stack in keys.stacks.values():
        for key in assertions.Template.from_stack(stack).find_resources("AWS::KMS::Key").values():
            found[key["Properties"]["Description"]] = key["Properties"]
    assert found["The queue of orders"]["PendingWindowInDays"] == 14
    assert found["Signs orders"]["KeySpec"] == "ECC_NIST_P256"
    sids = [one["Sid"] for one in found["The queue of orders"]["KeyPolicy"]["Statement"]]
    assert {"ServiceSns", "ServiceCloudWatchLogs"} <= {sid[:21] for sid in sids}
    tags = {tag["Key"]: tag["Value"] for tag in found["Orders at rest"]["Tags"]}
    assert tags == {
        "cost-centre": "42",
        "data-classification": "confidential",
        "environment": "prod",
        "kms:alias": "orders/data",
        "kms:policy-reviewed-on": "2026-01-31",
        "service": "orders",
        "team": "payments",
    }
    assert keys["orders/signing"].stack.stack_name == "Keys-signing"


def test_a_name_decides_its_stack_for_ever() -> None:
    # Fixed expectations: another hash or encoding would move, and so replace, every key that is deployed.
    catalog = KeyCatalog.from_mapping(catalogue(stacks=16))

    assert {name: catalog.stack_of(name) for name in ("a", "b", "orders/data", "s3-data")} == {
        "a": "10",
        "b": "10",
        "orders/data": "5",
        "s3-data": "4",
    }


_names = st.sets(st.from_regex(r"[A-Za-z0-9/_-]{1,20}", fullmatch=True), min_size=1, max_size=40)


@given(before=_names, after=_names, stacks=st.integers(1, 32))
def test_keys_that_come_and_go_move_no_other(before: set[str], after: set[str], stacks: int) -> None:
    def placed(names: set[str]) -> dict[str, str]:
        keys = {name: {"description": "x"} for name in sorted(names)}
        return KeyCatalog.from_mapping(catalogue(stacks=stacks, keys=keys)).placement()

    old, new = placed(before), placed(before | after)

    assert {name: new[name] for name in old} == old
    left = placed(after) if after else {}
    assert all(new[name] == place for name, place in left.items())


def test_logical_ids_stay_when_keys_come_and_go() -> None:
    def ids(names: list[str]) -> dict[str, str]:
        app = cdk.App(analytics_reporting=False)
        data = catalogue(keys={name: {"description": name} for name in names})
        keys = KeyCatalog.from_mapping(data).create(app, env=ENV)
        found: dict[str, str] = {}
        for stack in keys.stacks.values():
            resources = assertions.Template.from_stack(stack).find_resources("AWS::KMS::Key")
            for logical_id, key in resources.items():
                found[key["Properties"]["Description"]] = f"{stack.stack_name}.{logical_id}"
        return found

    before = ids(["a", "b/c", "b-c", "d"])
    after = ids(["aa", "b-c", "b/c", "c", "d", "e"])

    assert {name: after[name] for name in ("b/c", "b-c", "d")} == {
        name: before[name] for name in ("b/c", "b-c", "d")
    }
    assert len(set(before.values())) == 4


@given(_names)
def test_no_two_names_share_a_construct_id(names: set[str]) -> None:
    assert len({construct_id(name) for name in names}) == len(names)


BAD_FILES = {
    "unknown setting": (
        "version: 1\nstacks: 1\nkeys:\n  a:\n    description: x\n    rotation: off\n",
        r"line 6: keys\.a: Additional properties are not allowed \('rotation' was unexpected\)",
    ),
    "window out of bounds": (
        "version: 1\nstacks: 1\nkeys:\n  a:\n    description: x\n    pending_window: 5\n",
        r"line 6: keys\.a\.pending_window: 5 is less than the minimum of 7",
    ),
    "two errors at once": (
        "version: 2\nstacks: 0\nkeys: {a: {description: x}}\n",
        r"line 2: stacks: 0 is less than the minimum of 1; line 1: version: 1 was expected",
    ),
    "a key twice": (
        "version: 1\nstacks: 1\nkeys:\n  a:\n    description: x\n  a:\n    description: y\n",
        r"keys\.yaml:6: keys\.a stands on line 4 already",
    ),
    "no keys": ("version: 1\nstacks: 1\n", r"the file: 'keys' is a required property"),
    "a bad name": (
        "version: 1\nstacks: 1\nkeys:\n  'a:b': {description: x}\n",
        r"'a:b' does not match",
    ),
    "a bad date": (
        "version: 1\nstacks: 1\nkeys:\n  a: {description: x, policy_reviewed_on: soon}\n",
        r"line 4: keys\.a\.policy_reviewed_on: 'soon' is not a 'date'",
    ),
    "an unknown preset": (
        "version: 1\nstacks: 1\nkeys:\n  a:\n    services: [lamda]\n",
        r"line 5: keys\.a\.services\.0: 'lamda' is not one of",
    ),
    "no YAML": ("version: [1\n", r"keys\.yaml:2: it is no YAML"),
    "a tag that runs code": ("a: !!python/object:os.system x\n", r"it is no YAML"),
    "an alias into itself": ("a: &a [*a]\n", r"keys\.yaml:1: an alias points into itself"),
    "empty": ("", r"keys\.yaml: it is empty"),
    "a list": ("- a\n", r"\['a'\] is not of type 'object'"),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_gets_one_error_with_line_and_fix(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)

    with pytest.raises(SourceError, match=message) as caught:
        KeyCatalog.from_file(path)
    assert ". Fix: " in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="it cannot be read: No such file or directory"):
        KeyCatalog.from_file(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"it is no UTF-8 text"):
        KeyCatalog.from_file(binary)


def test_keys_that_the_construct_refuses_are_all_named_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(
        FILE
        + """\
  bad/one:
    description: x
    key_users: ["arn:aws:iam::1111111111:role/TenDigits"]
  bad/two:
    description: x
    key_administrators: []
""".replace("[]", '["*"]')
    )

    with pytest.raises(SourceError) as caught:
        KeyCatalog.from_file(path).create(cdk.App(analytics_reporting=False), env=ENV)

    message = str(caught.value)
    assert "line 26: bad/one: " in message
    assert "line 29: bad/two: " in message
    assert "twelve digits" in message or "12" in message


def test_missing_arguments_of_a_preset_are_named() -> None:
    data = catalogue(keys={"a": {"description": "x", "services": ["rds"]}})

    with pytest.raises(SourceError, match=r"services\.rds"):
        KeyCatalog.from_mapping(data).create(cdk.App(analytics_reporting=False), env=ENV)


def test_a_full_stack_says_how_to_go_on_without_moving_keys() -> None:
    keys = {f"k{number}": {"description": "x"} for number in range(STACK_CAPACITY // 2 + 1)}

    with pytest.raises(SourceError, match=r"stack 0 has 482 resources, and 480 is the most.*stack: more-1"):
        KeyCatalog.from_mapping(catalogue(stacks=1, keys=keys))

    keys["k0"] = {"description": "x", "stack": "more-1"}
    placement = KeyCatalog.from_mapping(catalogue(stacks=1, keys=keys)).placement()
    assert placement["k0"] == "more-1"
    assert {place for name, place in placement.items() if name != "k0"} == {"0"}


REPLICATED = """\
version: 1
stacks: 2
defaults:
  environment: prod
  service: orders
  data_classification: confidential
  key_administrators: ["arn:aws:iam::111122223333:role/KeyAdmin"]
  replica_regions: [us-east-1]
keys:
  orders/data:
    description: Orders at rest
    key_users: ["arn:aws:iam::111122223333:role/Orders"]
    replica_regions:
      - us-east-1
      - region: us-west-2
        description: Orders at rest, for recovery
        key_users: ["arn:aws:iam::111122223333:role/Recovery"]
        aliases: [recovery/orders, recovery/all-orders]
        services:
          - cloudwatch_logs: {log_groups: ["/recovery/*"]}
  orders/queue:
    description: The queue of orders
  orders/local:
    description: Stays in its Region
    replica_regions: []
  orders/imported:
    description: Material of our own
    origin: EXTERNAL
    material_expires: {expires}
    key_material_importers: ["arn:aws:iam::111122223333:role/Ceremony"]
    direct_grants:
      - grantee: arn:aws:iam::111122223333:role/Report
        operations: [Decrypt]
        created_by: ["arn:aws:iam::111122223333:role/ReportSetup"]
        encryption_context_subset: {Department: Finance}
"""


def everything(keys: Any) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Stack, logical id and properties of every key and replica, by description and Region."""
    found: dict[str, tuple[str, str, dict[str, Any]]] = {}
    app = next(iter(keys.stacks.values())).node.root
    for stack in app.node.children:
        if not isinstance(stack, cdk.Stack):
            continue
        template = assertions.Template.from_stack(stack)
        for kind in ("AWS::KMS::Key", "AWS::KMS::ReplicaKey"):
            for logical_id, resource in template.find_resources(kind).items():
                properties = resource["Properties"]
                found[f"{properties['Description']} in {stack.region}"] = (
                    stack.stack_name,
                    logical_id,
                    properties,
                )
    return found


def test_a_file_makes_replicas_with_settings_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(
        REPLICATED.replace("{expires}", (datetime.now(UTC).date() + timedelta(days=90)).isoformat())
    )
    app = cdk.App(analytics_reporting=False)

    keys = KeyCatalog.from_file(path).create(app, env=ENV)

    made = everything(keys)
    assert set(made) == {
        "Orders at rest in eu-west-1",
        "Orders at rest in us-east-1",
        "Orders at rest, for recovery in us-west-2",
        "The queue of orders in eu-west-1",
        "The queue of orders in us-east-1",
        "Stays in its Region in eu-west-1",
        "Material of our own in eu-west-1",
        "Material of our own in us-east-1",
    }
    home = keys["orders/data"].stack.stack_name
    stack, _, recovery = made["Orders at rest, for recovery in us-west-2"]
    assert stack == f"{home}-replicas-us-west-2"
    statements = {one["Sid"]: one for one in recovery["KeyPolicy"]["Statement"]}
    assert statements["KeyUsers"]["Principal"] == {"AWS": "arn:aws:iam::111122223333:role/Recovery"}
    assert statements["ServiceCloudWatchLogs"]["Principal"] == {"Service": "logs.us-west-2.amazonaws.com"}
    replica = keys["orders/data"].replica("us-west-2")
    assert replica.alias_name == "alias/recovery/orders"
    assert keys["orders/data"].replica("us-east-1").alias_name == "alias/orders/data"
    assert dict(keys["orders/local"].replicas) == {}
    assert made["Stays in its Region in eu-west-1"][2]["MultiRegion"] is False
    imported = made["Material of our own in eu-west-1"][2]
    assert imported["Origin"] == "EXTERNAL"
    sids = [one["Sid"] for one in imported["KeyPolicy"]["Statement"]]
    assert {"KeyMaterialImport", "DirectGrant1"} <= set(sids)
    warned = {one.id for one in assert_guardrails(app).findings if one.outcome.value == "violation"}
    assert warned <= {"IAM-KMS-6[direct-grant]", "KMS:003[unused]", "KMS:008[missing]"}


def names_in_regions(names: list[str], regions: list[str]) -> dict[str, Any]:
    shared = catalogue()["defaults"] | {"replica_regions": regions}
    return catalogue(defaults=shared, keys={name: {"description": name} for name in names})


def test_replicas_never_move_when_keys_and_regions_come_and_go() -> None:
    def places(names: list[str], regions: list[str]) -> dict[str, tuple[str, str]]:
        app = cdk.App(analytics_reporting=False)
        made = everything(KeyCatalog.from_mapping(names_in_regions(names, regions)).create(app, env=ENV))
        return {key: place[:2] for key, place in made.items()}

    names = [f"k{number}" for number in range(12)]
    before = places(names, ["us-east-1", "us-west-2"])
    after = places([*names[6:], "aa", "zz", "k/3"], ["eu-central-1", "us-west-2"])

    stay = {key for key in before if int(key.split()[0][1:]) >= 6 and not key.endswith("us-east-1")}
    assert len(stay) == 6 * 2
    assert {key: after[key] for key in stay} == {key: before[key] for key in stay}


def test_two_thousand_keys_in_three_regions_fill_no_stack() -> None:
    names = [f"team-{number % 40}/data-{number}" for number in range(2000)]
    data = names_in_regions(names, ["us-east-1", "us-west-2"]) | {"stacks": 25}

    placement = KeyCatalog.from_mapping(data).placement()

    load = {suffix: list(placement.values()).count(suffix) for suffix in set(placement.values())}
    assert len(load) == 25
    assert max(load.values()) * 2 <= STACK_CAPACITY
    assert max(load.values()) <= OUTPUT_CAPACITY


def test_what_a_stack_and_its_replica_stacks_hold_stays_within_every_limit(tmp_path: Path) -> None:
    names = [f"team/data-{number}" for number in range(40)]
    app = cdk.App(analytics_reporting=False, outdir=str(tmp_path / "cdk.out"))
    data = names_in_regions(names, ["us-east-1", "us-west-2"])
    keys = KeyCatalog.from_mapping(data).create(app, env=ENV)

    assembly = app.synth()

    loads = {}
    for artifact in assembly.stacks:
        template = json.loads(Path(artifact.template_full_path).read_text())
        loads[artifact.stack_name] = (len(template["Resources"]), len(template.get("Outputs", {})))
        size = Path(artifact.template_full_path).stat().st_size
        per_key = size / (len(template["Resources"]) / 2)
        # What is told before synthesis is a little more than what is written.
        estimate = _estimate(keys, artifact.stack_name)
        assert 0.95 * estimate <= size + 300 <= estimate * 1.02, (artifact.stack_name, size, estimate)
        assert per_key < TEMPLATE_CAPACITY / 120
    for number in range(4):
        resources, outputs = loads[f"Keys-{number}"]
        assert (resources, outputs) == (2 * outputs, outputs)
        for region in ("us-east-1", "us-west-2"):
            assert loads[f"Keys-{number}-replicas-{region}"] == (resources, 0)
    assert sum(outputs for _, outputs in loads.values()) == len(names)


def _estimate(keys: Any, stack_name: str) -> int:
    made = [one for key in keys.values() for one in (key, *key.replicas.values())]
    return sum(size_in_template(one) for one in made if one.stack.stack_name == stack_name)


FULL = {
    "outputs, by which replicas find their keys": (
        {f"k{number}": {"replica_regions": ["us-east-1"]} for number in range(OUTPUT_CAPACITY + 1)},
        r"stack 0 has 191 outputs \(one for each key with replicas\), and 190 is the most.*stack: more-1",
    ),
    "resources of replicas": (
        {
            f"k{number}": {
                "replica_regions": [
                    {"region": "us-east-1", "aliases": [f"{name}/{number}" for name in "abcd"]}
                ]
            }
            for number in range(100)
        },
        r"the replica stack of 0 in us-east-1 has 500 resources, and 480 is the most",
    ),
    "bytes": (
        {f"k{number}": {"description": "x" * 8192} for number in range(76)},
        r"the template of stack 0 has \d+ bytes, and 960000 is the most.*stack: more-1",
    ),
}


@pytest.mark.parametrize(("keys", "message"), FULL.values(), ids=FULL)
def test_a_stack_that_is_full_in_another_way_says_so(keys: dict[str, Any], message: str) -> None:
    data = catalogue(stacks=1, keys={name: {"description": "x"} | key for name, key in keys.items()})

    with pytest.raises(SourceError, match=message):
        KeyCatalog.from_mapping(data).create(cdk.App(analytics_reporting=False), env=ENV)


def test_the_schema_is_a_schema_and_names_every_preset_and_argument() -> None:
    import inspect

    from kms_constructs import SecureKmsKey

    schema = KeyCatalog.json_schema()

    Draft202012Validator.check_schema(schema)
    presets = schema["$defs"]["service"]["anyOf"][0]["enum"]
    assert set(presets) == {*preset_attributes()}
    arguments = set(inspect.signature(SecureKmsKey.__init__).parameters)
    known = set(schema["$defs"]["settings"]["properties"]) - {"stack"}
    assert known <= arguments
    of_replicas = set(schema["$defs"]["replica"]["properties"])
    assert of_replicas == set(ReplicaConfig.__slots__) - {"stack_name", "made_elsewhere"}
    of_grants = set(schema["$defs"]["direct_grant"]["properties"])
    assert of_grants == set(DirectGrant.__slots__)
    json.dumps(schema)


def test_the_schema_has_every_argument_in_the_shape_of_its_type() -> None:
    """When it has not: python -m tests.cdk.fleet.catalog_schema."""
    schema, made = KeyCatalog.json_schema(), catalog_schema.made()

    for part in ("settings", "replica"):
        assert schema["$defs"][part] == made["$defs"][part]
    assert schema == made


def test_an_argument_of_a_new_type_has_to_say_what_a_catalogue_holds() -> None:
    assert catalog_schema.shape("owner", str | None) == {"type": "string", "minLength": 1}
    with pytest.raises(TypeError, match="what a catalogue holds for colour"):
        catalog_schema.shape("colour", complex)


def test_a_catalogue_for_each_stage_keeps_its_replicas_in_the_stage() -> None:
    app = cdk.App(analytics_reporting=False)
    made: dict[str, set[str]] = {}
    for name in ("Dev", "Prod"):
        stage = cdk.Stage(app, name, env=ENV)
        catalog = KeyCatalog.from_mapping(names_in_regions(["a", "b"], ["us-east-1"]) | {"stacks": 1})
        keys = catalog.create(stage, stack_prefix="Fleet")
        made[name] = {
            one.stack.stack_name for key in keys.values() for one in (key, key.replica("us-east-1"))
        }

    app.synth()

    assert made == {
        "Dev": {"Dev-Fleet-0", "Dev-Fleet-0-replicas-us-east-1"},
        "Prod": {"Prod-Fleet-0", "Prod-Fleet-0-replicas-us-east-1"},
    }


def test_a_catalogue_needs_a_region_for_replicas() -> None:
    data = names_in_regions(["a"], ["us-east-1"])

    with pytest.raises(
        SourceError, match=r"a: Keys-\d/a: replica_regions='us-east-1' is refused: the primary's stack"
    ):
        KeyCatalog.from_mapping(data).create(cdk.App(analytics_reporting=False))
