"""A guarded action is added in one place: whatever derives from the list follows it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from kms_constructs.analysis.access import ACTIONS_OF, Capability
from kms_constructs.guardrails.registry import RULES
from kms_constructs.model.actions import ActionClass, find_action
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS, GuardedAction, May


@pytest.mark.parametrize("guarded", GUARDED_ACTIONS.values(), ids=GUARDED_ACTIONS)
def test_a_guarded_action_is_one_that_kms_has_and_that_is_no_use_of_the_key(guarded: GuardedAction) -> None:
    action = find_action(guarded.action)
    assert action is not None
    assert action.on_key
    assert action.classification is not ActionClass.CRYPTOGRAPHIC


@pytest.mark.parametrize("guarded", GUARDED_ACTIONS.values(), ids=GUARDED_ACTIONS)
def test_it_has_a_rule_and_a_column(guarded: GuardedAction) -> None:
    (rule,) = (rule for rule in RULES if rule.control.id == guarded.control)
    assert rule.control.actions == (guarded.qualified,)
    assert ACTIONS_OF[Capability(guarded.capability)] == (guarded.action,)


def test_those_that_share_a_statement_of_an_organization_policy_share_its_exemptions() -> None:
    kinds: dict[str, set[bool]] = {}
    for guarded in GUARDED_ACTIONS.values():
        kinds.setdefault(guarded.organization_sid, set()).add(guarded.may is May.NOBODY)
    assert all(len(found) == 1 for found in kinds.values())


ADDED = """
import json
from types import MappingProxyType
from kms_constructs.model import guarded_actions
from kms_constructs.model.guarded_actions import GuardedAction, May

new = GuardedAction(
    control="IAM-KMS-9", action="UntagResource", capability="take tags", may=May.GUARDIANS,
    sid="DenyTagging", organization_sid="DenyKeyTagging",
)
guarded_actions.GUARDED_ACTIONS = MappingProxyType({**guarded_actions.GUARDED_ACTIONS, new.control: new})

from kms_constructs.analysis.access import ACTIONS_OF, Capability, capabilities_of
from kms_constructs.model.estate import Key, Location
from kms_constructs.policies.key_policy import KeyPolicySpec, declaration, key_policy
from kms_constructs.policies.organization import service_control_policy

spec = KeyPolicySpec(root_arn="root", administrators=("admin",), deployment=(), break_glass=("glass",))
statements = {one["Sid"]: one for one in key_policy(spec)["Statement"]}
key = Key(id="k", location=Location("t"), account="1", region="r", policy=None)
scp = {one["Sid"]: one for one in service_control_policy()["Statement"]}
print(json.dumps({
    "column": capabilities_of(key).index(Capability("take tags")) > 0,
    "actions": ACTIONS_OF[Capability("take tags")],
    "authorised": declaration(spec).authorised["IAM-KMS-9"],
    "deny": statements["DenyTagging"]["Condition"],
    "allowed": [sid for sid, one in statements.items() if one["Effect"] == "Allow"
                and "kms:UntagResource" in one["Action"]],
    "organization": scp["DenyKeyTagging"]["Action"],
}))
"""


def test_one_more_is_followed_by_policies_access_matrix_and_declaration() -> None:
    done = subprocess.run([sys.executable, "-c", ADDED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "column": True,
        "actions": ["UntagResource"],
        "authorised": ["glass"],
        "deny": {"ArnNotEquals": {"aws:PrincipalArn": ["root", "glass"]}},
        "allowed": ["RootAccount", "BreakGlass"],
        "organization": "kms:UntagResource",
    }


REGISTRY = """
from types import MappingProxyType
from kms_constructs.model import guarded_actions
found = dict(guarded_actions.GUARDED_ACTIONS)
del found["IAM-KMS-4"]
guarded_actions.GUARDED_ACTIONS = MappingProxyType(found)
import kms_constructs.guardrails.registry
"""


def test_a_rule_whose_action_is_not_listed_does_not_load() -> None:
    done = subprocess.run([sys.executable, "-c", REGISTRY], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "KeyError: 'IAM-KMS-4'" in done.stderr
