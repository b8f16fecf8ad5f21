"""KMS:GRANTS: grants are recent, and stay within the account.

What else a grant may break the other controls find, for a grant gives access as a key policy does.
IAM-KMS-6 lists grants that no AWS service made, KMS:004 finds those that let another account use the key
without a constraint, and IAM-KMS-8 those that make a manager a user.

Anti-pattern: a grant of years ago, of which nobody knows any more what it is for::

    {"Grants": [{"GrantId": "1", "GranteePrincipal": "arn:aws:iam::111122223333:role/Import",
                 "Operations": ["Decrypt"], "CreationDate": "2019-04-01"}]}

Best practice: a grant that is retired when its work is done, and made anew when there is more::

    {"Grants": [{"GrantId": "1", "GranteePrincipal": "arn:aws:iam::111122223333:role/Import",
                 "Operations": ["Decrypt"], "CreationDate": "2026-05-20"}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import NOT_LIVE, KeyRule
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Grant, Key
from kms_constructs.model.text import display
from kms_constructs.model.unknown import is_unknown

CONTROL = Control(
    id="KMS:GRANTS",
    title="Grants are recent, and stay within the account",
    rationale=(
        "A grant stays until somebody retires or revokes it, and no review of key policies shows it. Whom it "
        "was made for may be gone, or may be somebody else by now."
    ),
    advice="Revoke the grant (RevokeGrant); make a new one when it is needed.",
    references=("https://docs.aws.amazon.com/kms/latest/developerguide/grant-manage.html",),
    scope=(Subject.KEY,),
    severity=Severity.LOW,
    mappings={
        Framework.SOC_2: ("CC6.2", "CC6.3"),
        Framework.NIST: ("AC-2", "AC-6(7)"),
        Framework.PCI_DSS: ("7.2.4",),
    },
)


class GrantsRule(KeyRule):
    """Looks at the grants of live keys."""

    control = CONTROL
    compliant_message: ClassVar[str] = "No grant of the key is old, and none leads out of the account."

    def exempt(self, key: Key) -> str | None:
        """Keys that are not live: what a template declares, other controls judge."""
        return NOT_LIVE if key.live is None else None

    def judge(self, key: Key) -> Iterator[Finding]:
        """Grants that are old, lead out of the account, or are not known."""
        for grant in key.grants:
            if is_unknown(grant.grantee):
                yield self.undetermined(
                    key, f"Not all grants are known: {grant.grantee.reason}.", detail="grants", path=_PATH
                )
            elif not grant.for_aws_service:
                yield from self._old(key, grant)
                yield from self._foreign(key, grant, grant.grantee)

    def _old(self, key: Key, grant: Grant) -> Iterator[Finding]:
        if grant.created is None:
            return
        age = (self.context.today - date.fromisoformat(grant.created)).days
        if age > self.config.review_max_age:
            yield self.violation(
                key,
                f"{_named(grant)} was made on {grant.created}, longer ago than the "
                f"{self.config.review_max_age} days that a review stays good.",
                detail="old",
                path=_PATH,
                severity=Severity.WARNING,
                principals=_principals(grant),
            )

    def _foreign(self, key: Key, grant: Grant, grantee: str) -> Iterator[Finding]:
        arn = parse_arn(grantee)
        account = arn.account if arn is not None else grantee
        # Without a constraint it is a finding of KMS:004.
        if account in (key.account, *self.config.trusted_accounts) or not grant.constraints:
            return
        yield self.violation(
            key,
            f"{_named(grant)} leads to another account that is not trusted, for one encryption context.",
            detail="foreign",
            path=_PATH,
            principals=_principals(grant),
            fix="Revoke the grant, or list the account under trusted-accounts.",
        )


_PATH = "ListGrants/Grants"


def _named(grant: Grant) -> str:
    who = "somebody" if is_unknown(grant.grantee) else display(grant.grantee)
    return f"The grant {grant.name or grant.id} to {who}"


def _principals(grant: Grant) -> tuple[str, ...]:
    return () if is_unknown(grant.grantee) else (display(grant.grantee),)
