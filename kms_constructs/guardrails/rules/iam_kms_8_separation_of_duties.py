"""IAM-KMS-8: no principal both manages the key and uses it.

The root user of the key's account is left out: IAM-KMS-1 wants it to be able to restore the policy, and who
can write the policy can write anything.

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

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import ClassVar

from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.principals import PrincipalKind, root_arn
from kms_constructs.analysis.separation import CREATE_GRANT, Overlap
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized
from kms_constructs.guardrails.wording import DELEGATION, IAM_POLICY, UNRESOLVED, resolve
from kms_constructs.model.estate import Key

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

_DETAILS = {"key policy": "key-policy", "IAM policy": IAM_POLICY, "root user": "root-user"}
_FIXES = {
    CREATE_GRANT: "Take kms:CreateGrant from those who manage the key (kms:Create* includes it), or allow "
    "it only with Bool kms:GrantIsForAWSResource 'true'.",
    DELEGATION: "Give the account's root principal administrative actions only: no cryptographic action "
    "and no kms:CreateGrant, and so no kms:*.",
    "IAM policy": "Take the managing actions out of the IAM policy of the key's user, or use another role.",
    "key policy": "Name separate principals for management and use, and list actions instead of wildcards.",
}


class SeparationRule(KeyRule):
    """Reports each way in which principals come by both."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "No principal both manages the key and uses it."

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self._access = EstateAccess(context.estate)

    def judge(self, key: Key) -> Iterator[Finding]:
        """Who both manages and uses the key, and how."""
        found = self._access.overlaps(key)
        for overlap in _merged(one for one in found if not _only_own_root(one, key)):
            message = (
                f"{overlap.principals} can both manage the key ({_some(overlap.manages)}) and use it "
                f"({_some(overlap.uses)})."
            )
            if not message.startswith("arn:"):
                message = capitalized(message)
            if overlap.unresolved is not None:
                yield self.undetermined(
                    key,
                    f"{message[:-1]}, if {overlap.unresolved} turns out so.",
                    detail=UNRESOLVED,
                    path=overlap.path,
                    chain=overlap.chain,
                    principals=(overlap.principals,),
                    fix=resolve(key),
                )
                continue
            yield self.violation(
                key,
                f"{message}{key.vocabulary.say(_why(overlap))}",
                detail=_DETAILS.get(overlap.through, overlap.through),
                path=overlap.path,
                chain=overlap.chain,
                principals=(overlap.principals,),
                fix=_FIXES.get(overlap.through, self.control.remediation),
            )


def _only_own_root(overlap: Overlap, key: Key) -> bool:
    own = root_arn(key.account, home_partition(key))
    return all(cell.kind is PrincipalKind.ROOT and own in cell.include for cell in overlap.cells)


def _merged(overlaps_found: Iterable[Overlap]) -> Iterator[Overlap]:
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
            cells=tuple(dict.fromkeys(cell for one in group for cell in one.cells)),
            chain=tuple(dict.fromkeys(step for one in group for step in one.chain)),
        )
        for group in groups.values()
    ]
    for one in merged:
        if not any(other is not one and _contains(other, one) for other in merged):
            yield one


def _contains(wide: Overlap, narrow: Overlap) -> bool:
    return (
        wide.through == narrow.through
        and wide.unresolved == narrow.unresolved
        and (wide.through == DELEGATION or set(wide.manages) >= set(narrow.manages))
        and set(wide.uses) >= set(narrow.uses)
        and wide.cells != narrow.cells
        and all(
            any(
                cell.kind is other.kind and not other.exclude and cell.within(other.include)
                for other in wide.cells
            )
            for cell in narrow.cells
        )
    )


def _why(overlap: Overlap) -> str:
    if overlap.through == CREATE_GRANT:
        return " CreateGrant lets it give itself Decrypt."
    if overlap.through == DELEGATION:
        return " The key policy leaves use to the account's IAM policies, and any of them may hand it out."
    if overlap.through == "IAM policy":
        return " An IAM policy of this {app} adds the managing side."
    return " CreateGrant, too, lets it give itself Decrypt." if CREATE_GRANT in overlap.uses else ""


def _some(actions: tuple[str, ...]) -> str:
    shown = ", ".join(actions[:_SHOWN])
    return f"{shown} and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else shown
