"""The words of Terraform: where each fact of a key stands in a plan, and how it is set.

What becomes of a key when its block goes has no term: ``lifecycle`` (``prevent_destroy``) is in no plan, and
destroying a key schedules its deletion whatever the block says. A plan that does destroy a key says so, and
such a key has the terms for it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from kms_constructs.model.vocabulary import Fact, Term, Vocabulary


def _argument(name: str) -> Term:
    return Term(name, name)


_DESTROYED: Final = Term(
    "The planned action",
    "",
    "Keep the block of the key, or let Terraform forget the key without destroying it (removed block with "
    "destroy = false)",
)
_REPLACED: Final = Term("The planned action", "", "Take back the change that makes Terraform replace the key")

TERRAFORM: Final = Vocabulary(
    source="Terraform plan",
    terms=MappingProxyType(
        {
            Fact.POLICY: _argument("policy"),
            Fact.ROTATION: _argument("enable_key_rotation"),
            Fact.ROTATION_PERIOD: _argument("rotation_period_in_days"),
            Fact.PENDING_WINDOW: _argument("deletion_window_in_days"),
            Fact.KEY_SPEC: _argument("customer_master_key_spec"),
            Fact.ORIGIN: Term("the type of the key resource"),
            Fact.MULTI_REGION: _argument("multi_region"),
            Fact.TAGS: _argument("tags"),
            Fact.ALIAS: Term("aws_kms_alias"),
            Fact.USE: Term("a reference to the key"),
            Fact.MATERIAL_EXPIRY: _argument("valid_to"),
            Fact.LOCKOUT_BYPASS: _argument("bypass_policy_lockout_safety_check"),
            Fact.DESCRIPTION: _argument("description"),
            Fact.ENABLED: Term("is_enabled or enabled"),
            Fact.REPLICAS: Term("aws_kms_replica_key"),
        }
    ),
    kms_types="aws_kms_",
    app="plan",
    stack="configuration",
    resolve=(
        "Give the {what} as a literal or, in a policy, by an aws_iam_policy_document; what Terraform knows "
        "after apply only is in the state that it writes then."
    ),
    say_account=(
        "Say which account the plan is for: read aws_caller_identity in the configuration, or give --account "
        "{account}."
    ),
    decide="Give the alias the count or for_each of the key.",
    point="Give target_key_id of the alias as a reference to the key.",
    rotate=(
        "Set enable_key_rotation to true and rotation_period_in_days to at most the configured ceiling (365 "
        "days by default)"
    ),
    keep=(
        "Set deletion_window_in_days to at least the configured minimum, and lifecycle.prevent_destroy to "
        "true, which no plan shows"
    ),
    hand_on="hand its ARN on by an output of the root module",
    make_multi_region="Create the key with multi_region = true",
    alias="an aws_kms_alias",
    record_events=(
        "Take kms.amazonaws.com out of exclude_management_event_sources (and of the trail's "
        "advanced_event_selector blocks)"
    ),
    unused="Nothing in the plan is seen to use the key, and no output of the root module hands it on.",
    no_expiry="The imported key material has no valid_to.",
)
"""A key of a plan or a state: the arguments of its resource."""

DELETED: Final = replace(
    TERRAFORM,
    terms=MappingProxyType(
        {
            **{fact: term for fact, term in TERRAFORM.terms.items() if fact is not Fact.USE},
            Fact.REMOVAL: _DESTROYED,
        }
    ),
)
"""A key that the plan destroys."""

REPLACED: Final = replace(TERRAFORM, terms=MappingProxyType({**TERRAFORM.terms, Fact.REPLACEMENT: _REPLACED}))
"""A key that the plan destroys and creates anew."""

POLICY_ONLY: Final = replace(TERRAFORM, terms=MappingProxyType({Fact.POLICY: TERRAFORM.terms[Fact.POLICY]}))
"""A key that the plan gives a policy and does not hold itself."""
