"""Deliberate faults, by layer, and which of them reopen a kind of wrong verdict.

A kind is closed when its cases stand in a table of the tests, a property holds over it, and a fault that
reopens it is noticed.
"""

from __future__ import annotations

from mutations.alike import ALIKE
from mutations.analysis import ANALYSIS
from mutations.conditions import CONDITIONS
from mutations.model import MODEL
from mutations.mutant import Mutant
from mutations.outside import OUTSIDE
from mutations.rules import RULES
from mutations.shortcuts import SHORTCUTS
from mutations.sources import SOURCES
from mutations.use import USE

MUTANTS: tuple[Mutant, ...] = (
    *MODEL,
    *CONDITIONS,
    *ANALYSIS,
    *RULES,
    *ALIKE,
    *SOURCES,
    *USE,
    *SHORTCUTS,
    *OUTSIDE,
)

REOPENS: dict[str, tuple[str, ...]] = {
    "overlaps of patterns contain each other": ("cells-contain-any",),
    "the order of principals decides": ("separation-first-principal",),
    "a user that is not resolved manages nothing": ("separation-unresolved-user",),
    "a flag that is absent counts as false": ("separation-flag-absent",),
    "users may be made managers": ("separation-delegated-management", "users-may-manage"),
    "a condition that is not understood spares the root user": (
        "certain-open-deny-passes",
        "certain-fact-of-the-key",
        "root-user-by-chance",
    ),
    "organization policies are not asked": (
        "certain-scp-ignored",
        "certain-rcp-ignored",
        "certain-scp-list",
        "organization-binds-root-users",
    ),
    "ARNs of another partition": ("partition-unknown-is-aws", "region-other-partition"),
    "colons in names": ("colon-text-pattern-as-arn", "colon-arn-pattern-as-text", "account-pattern-crosses"),
    "a key named by its ARN": (
        "key-by-its-id-is-another",
        "key-of-another-region-is-another",
        "scope-not-principal",
    ),
    "an action that is not resolved": ("identity-undecided-action",),
    "conditions that narrow nothing": ("limit-any-account", "limit-any-organization", "limit-any-service"),
    "IAM policies that are not seen": (
        "source-role-path",
        "source-unseen-policy",
        "source-boundary-attached",
        "managed-policy-of-any-name",
        "separation-unseen-policy",
    ),
    "what AWS does not document": ("any-value-if-exists",),
    "what a template becomes": (
        "source-macro-beside",
        "source-macro-top",
        "source-map-of-a-macro",
        "source-ignored-defaults",
        "glob-generated-name",
    ),
    "worlds that are not judged": (
        "worlds-default-decides",
        "worlds-bound-takes-default",
        "worlds-compliant-in-one",
        "perhaps-there-is-there",
    ),
    "the account of the key": ("home-any-account", "across-accounts-forgotten", "across-accounts-too-much"),
    "dynamic references, SAM, and policies that are no key policy": (
        "source-hole-in-a-hole",
        "state-machine-without-its-role",
        "source-globals",
        "source-policy-of-identities",
    ),
    "objections without a reason": (
        "a-failing-rule-passes",
        "a-name-that-deployment-decides",
        "retention-of-what-no-update-replaces",
        "no-classification-passes",
        "review-said-of-every-key",
        "sid-twice-passes",
        "source-reference-to-nothing",
    ),
    "sessions, unique ids and Denies on accounts": (
        "principal-no-sessions-path",
        "unique-id-is-anyone",
        "deny-for-account",
    ),
}
"""A kind of wrong verdict, and the faults that bring it back."""

__all__ = ["MUTANTS", "REOPENS", "Mutant"]
