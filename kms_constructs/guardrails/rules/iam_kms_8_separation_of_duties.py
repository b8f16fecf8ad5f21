"""IAM-KMS-8: no principal both manages the key and uses it.

Whoever deploys a key may use it through services that the key policy names: see `guardrails.deployment`. That
is a warning, and only that.

The root user of the key's account is left out: IAM-KMS-1 wants it to be able to restore the policy, and who
can write the policy can write anything.

A key may declare that it leaves use to its account's IAM policies (`RootAccess.FULL_DELEGATION`): what
follows from that root statement is a warning then, too; see `guardrails.declared_delegation`.

Where the key policy leaves management to the account's IAM policies, one of them may make a manager of a user
of the key. If that is the key policy itself, PutKeyPolicy, the key's user could let itself do anything: a
violation. Anything else is a warning, ``IAM-KMS-8[delegated-management]``, for AWS's own policies are so;
``severities`` in the configuration raises it.

Anti-pattern: ``kms:Create*`` includes CreateGrant, with which the administrator can give itself Decrypt::

    {"Statement": [{"Sid": "Admins", "Effect": "Allow", "Resource": "*",
                    "Action": ["kms:Create*", "kms:Describe*", "kms:Put*"],
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/Admin"}}]}

Best practice: administrators and users apart, and no action list with a wildcard::

    {"Statement": [{"Sid": "KeyAdministrators", "Effect": "Allow", "Resource": "*",
                    "Action": ["kms:CreateAlias", "kms:DescribeKey", "kms:EnableKey", "kms:TagResource"],
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/Admin"}},
                   {"Sid": "KeyUsers", "Effect": "Allow", "Resource": "*",
                    "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}]}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from msgspec.structs import replace

from kms_constructs.analysis.duties import duties_witness
from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.principals import Cell, PrincipalKind, root_arn
from kms_constructs.analysis.separation import CREATE_GRANT, Overlap
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.declared_delegation import DECLARED_DELEGATION, declared_apart
from kms_constructs.guardrails.deployment import (
    DEPLOYMENT_VIA_SERVICE,
    deployers,
    services_of,
    told_apart,
)
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized
from kms_constructs.guardrails.wording import DELEGATION, IAM_POLICY, UNRESOLVED, resolve
from kms_constructs.model.effort import spend
from kms_constructs.model.estate import Key
from kms_constructs.model.text import display

CONTROL = Control(
    id="IAM-KMS-8",
    title="No principal both manages the key and uses it",
    rationale=(
        "Whoever administers the keys should not read the data, and whoever reads the data should not decide "
        "who else may: one stolen identity then does not give both, and a slip by a user cannot break the "
        "key. Wildcards, the right to create grants, and delegation to the account's IAM join the two "
        "without anyone having written it down."
    ),
    advice=(
        "Name separate principals for administration and for use; list actions instead of wildcards "
        "(kms:Create* includes kms:CreateGrant); give the account's root principal administrative actions "
        "only, so that no IAM policy can hand out use of the key."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
        "https://docs.aws.amazon.com/prescriptive-guidance/latest/aws-kms-best-practices/introduction.html",
    ),
    scope=(Subject.KEY_POLICY, Subject.IDENTITY_POLICY),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC6.3"),
        Framework.NIST: ("AC-5", "AC-6", "SC-12"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
)

_SHOWN = 4
_One = TypeVar("_One")

DELEGATED_POLICY, DELEGATED_MANAGEMENT = "delegated policy", "delegated management"
_DETAILS = {
    "key policy": "key-policy",
    "IAM policy": IAM_POLICY,
    "root user": "root-user",
    DELEGATED_POLICY: "delegated-policy",
    DELEGATED_MANAGEMENT: "delegated-management",
    DEPLOYMENT_VIA_SERVICE: "deployment-via-service",
    DECLARED_DELEGATION: DELEGATION,
}
_WARNS = (DELEGATED_MANAGEMENT, DEPLOYMENT_VIA_SERVICE, DECLARED_DELEGATION)
_OF_THE_ACCOUNT = (DELEGATION, DECLARED_DELEGATION)
_HANDED = (DELEGATED_POLICY, DELEGATED_MANAGEMENT)
_SAYS_MORE = frozenset({DELEGATION, CREATE_GRANT, "key policy"})
"""Ways that, said of principals, leave nothing to say of what they might be handed as well."""
_DENY_TO_USERS = (
    "Deny the managing actions to those who use the key, by aws:PrincipalArn (SecureKmsKey writes such a "
    "statement, DenyManagementToUsers), or leave them out of what the account's root principal is given."
)
_FIXES = {
    CREATE_GRANT: "Take kms:CreateGrant from those who manage the key (kms:Create* includes it), or allow "
    "it only with Bool kms:GrantIsForAWSResource 'true'.",
    DELEGATION: "Give the account's root principal administrative actions only: no cryptographic action "
    "and no kms:CreateGrant, and so no kms:*.",
    "IAM policy": "Take the managing actions out of the IAM policy of the key's user, or use another role.",
    DELEGATED_POLICY: "Deny kms:PutKeyPolicy to all but the root user and those who are to change the policy "
    "(ArnNotEquals aws:PrincipalArn). " + _DENY_TO_USERS,
    DELEGATED_MANAGEMENT: _DENY_TO_USERS,
    DEPLOYMENT_VIA_SERVICE: "Leave it where the deployment makes resources that this key encrypts; else take "
    "the deployer out of the statement.",
    DECLARED_DELEGATION: "Leave it where the account manages use by IAM policies alone, and guard who writes "
    "those; else give the root principal administrative actions only (RootAccess.ADMINISTRATION).",
    "key policy": "Name separate principals for management and use, and list actions instead of wildcards.",
}


class SeparationRule(KeyRule):
    """Reports each way in which principals come by both."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    by_shape: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "No principal both manages the key and uses it."

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self._access = EstateAccess(context.estate)

    def judge(self, key: Key) -> Iterator[Finding]:
        """Who both manages and uses the key, and how."""
        found = told_apart(declared_apart(self._access.overlaps(key), key), self._deployers(key))
        for overlap in _merged(one for one in found if not _only_own_root(one, key)):
            message = _message(overlap)
            if not message.startswith("arn:"):
                message = capitalized(message)
            detail = _DETAILS.get(overlap.through, overlap.through)
            warns = overlap.through in _WARNS
            fix = _FIXES.get(overlap.through, self.control.remedy(key.vocabulary))
            shown = duties_witness(overlap, key, self.estate.organization)
            if overlap.unresolved is not None or shown is None:
                message = f"{message[:-1]}{_open(overlap)}."
                detail = detail if warns else UNRESOLVED
                fix = resolve(key)
            else:
                message += key.vocabulary.say(_why(overlap))
            yield self.finding(
                Outcome.VIOLATION if overlap.unresolved is None and shown else Outcome.UNDETERMINED,
                key.location,
                message,
                severity=Severity.WARNING if warns else None,
                detail=detail,
                path=overlap.path,
                chain=overlap.chain,
                principals=(overlap.principals,),
                witness=shown,
                fix=fix,
            )

    def _deployers(self, key: Key) -> tuple[str, ...]:
        writers, guardians = (
            (*key.authorised.get(control, ()), *self.config.authorised_for(control))
            for control in ("IAM-KMS-5", "IAM-KMS-4")
        )
        return deployers(writers, guardians)


def _open(overlap: Overlap) -> str:
    if overlap.unresolved is not None:
        return f", if what is not known turns out so: {overlap.unresolved}"
    return "; no request was found that shows it, nor a proof that there is none"


def _message(overlap: Overlap) -> str:
    if overlap.through not in _HANDED:
        return (
            f"{overlap.principals} can both manage the key ({_some(overlap.manages)}) and use it "
            f"({_some(overlap.uses)})."
        )
    return (
        f"{overlap.principals} can use the key ({_some(overlap.uses)}), and the key policy leaves it to the "
        f"account's IAM policies who manages it ({', '.join(overlap.manages)}): any of them may hand that to "
        "its users."
    )


def _only_own_root(overlap: Overlap, key: Key) -> bool:
    own = root_arn(key.account, home_partition(key))
    return all(cell.kind is PrincipalKind.ROOT and own in cell.include for cell in overlap.cells)


def _merged(overlaps_found: Iterable[Overlap]) -> tuple[Overlap, ...]:
    """One overlap for each way and statement, without those that a wider one of the same way contains.

    Delegation is the account's, whoever of it manages what: its widest overlap says it all.
    """
    groups: dict[tuple[object, ...], list[Overlap]] = {}
    for one in overlaps_found:
        how = (one.through, one.manages, one.uses, one.path, one.unresolved)
        groups.setdefault(how, []).append(one)
    merged = [
        replace(
            group[0],
            cells=_widest(
                tuple(dict.fromkeys(cell for one in group for cell in one.cells)), Cell.contains, _cell_order
            ),
            chain=tuple(dict.fromkeys(step for one in group for step in one.chain)),
            pairs=tuple(pair for one in group for pair in one.pairs),
        )
        for group in groups.values()
    ]
    return _widest(merged, _contains, _order)


def _widest(
    given: Sequence[_One], contains: Callable[[_One, _One], bool], order: Callable[[_One], Any]
) -> tuple[_One, ...]:
    """Those that no other contains, as given; of two that contain each other always the same one."""
    left = list(given)
    for one in sorted(given, key=order) if len(left) > 1 else ():
        spend(len(left))
        if any(other is not one and contains(other, one) for other in left):
            left = [other for other in left if other is not one]
    return tuple(left)


def _cell_order(cell: Cell) -> tuple[Any, ...]:
    return cell.kind, cell.include, cell.exclude


def _order(one: Overlap) -> tuple[Any, ...]:
    cells = sorted(map(_cell_order, one.cells))
    return one.through, one.unresolved or "", cells, one.manages, one.uses, one.path


def _contains(wide: Overlap, narrow: Overlap) -> bool:
    """Whether what is said of one overlap is said by another."""
    alike = wide.through == narrow.through
    return (
        (alike or (wide.through in _SAYS_MORE and narrow.through in _HANDED))
        and wide.unresolved == narrow.unresolved
        and ((alike and wide.through in _OF_THE_ACCOUNT) or set(wide.manages) >= set(narrow.manages))
        and set(wide.uses) >= set(narrow.uses)
        and all(any(other.contains(cell) for other in wide.cells) for cell in narrow.cells)
    )


def _why(overlap: Overlap) -> str:
    if overlap.through == CREATE_GRANT:
        return " CreateGrant lets it give itself Decrypt."
    if overlap.through == DELEGATION:
        return " The key policy leaves use to the account's IAM policies, and any of them may hand it out."
    if overlap.through == DECLARED_DELEGATION:
        return (
            " The key declares that it leaves use to the account's IAM policies: any of them may hand it "
            "out, to the key's managers as well, and the separation of duties is given up to them."
        )
    if overlap.through == DELEGATED_POLICY:
        return " Who may write the key policy can let itself do anything."
    if overlap.through == DELEGATED_MANAGEMENT:
        return ""
    if overlap.through == DEPLOYMENT_VIA_SERVICE:
        services = ", ".join(display(one) for one in services_of(overlap))
        return f" It deploys the key, may write its policy, and uses it through {services} only."
    if overlap.through == "IAM policy":
        return " An IAM policy of this {app} adds the managing side."
    return " CreateGrant, too, lets it give itself Decrypt." if CREATE_GRANT in overlap.uses else ""


def _some(actions: tuple[str, ...]) -> str:
    shown = ", ".join(actions[:_SHOWN])
    return f"{shown} and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else shown
