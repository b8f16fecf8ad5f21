"""IAM-KMS-1: the account's root user can restore the key policy.

The opposite question of the other controls: not who may possibly do it, but whether the root user certainly
can. So a statement that may not exist does not count, and a Deny that may apply does.

Anti-pattern: only roles are named, and roles can be deleted::

    {"Statement": [{"Sid": "Admins", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/Admin"}}]}

Best practice: the root user, and through it the account's recovery, without handing use of the key to IAM::

    {"Statement": [{"Sid": "RootAccount", "Effect": "Allow", "Resource": "*",
                    "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
                    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                    "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import ClassVar

from kms_constructs.analysis.conditions import Atom, RequestContext, decide, holds, principal_atom
from kms_constructs.analysis.key_names import KeyName, speaks_of_key
from kms_constructs.analysis.principals import Cell, PrincipalKind, cells_meet, principal_cells, root_arn
from kms_constructs.analysis.reach import applies_to_action
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule, heading, named
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.estate import Key
from kms_constructs.model.policy import Effect, Principal, Statement
from kms_constructs.model.unknown import is_unknown

CONTROL = Control(
    id="IAM-KMS-1",
    title="The account's root user can restore the key policy",
    rationale=(
        "Roles and users that a key policy names can be deleted, and a principal that is made again under "
        "the same name is another one. When nobody whom the policy names is left, nobody can change the "
        "policy, and the key is locked: only AWS Support can help. The root user cannot be deleted, so a "
        "statement that reaches it keeps a way back, for emergencies and not for daily work."
    ),
    advice=(
        "Allow the account's root principal kms:PutKeyPolicy on Resource '*', without a condition, or with "
        "one that limits the statement to the root user (ArnEquals aws:PrincipalArn); and exempt the root "
        "user from every Deny on kms:PutKeyPolicy."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html",
    ),
    scope=(Subject.KEY_POLICY,),
    actions=("kms:PutKeyPolicy",),
    severity=Severity.HIGH,
    mappings={
        Framework.SOC_2: ("CC6.1", "CC7.5"),
        Framework.NIST: ("SC-12(1)",),
    },
)

_ACTION = "PutKeyPolicy"
_FOR_INSTANCE = "111122223333, for instance"


class _Answer(Enum):
    """How surely a statement applies to the root user's plain request."""

    NO = 0
    CONDITION = 1
    """Only under a condition that a plain request may not meet."""
    UNKNOWN = 2
    YES = 3


class RootCanRestoreRule(KeyRule):
    """Decides the root user's PutKeyPolicy, sent without anything special."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "The root user of the account can restore the key policy."

    def judge(self, key: Key) -> Iterator[Finding]:
        """Why the root user could be locked out."""
        name = KeyName.of(key)
        root = Cell(PrincipalKind.ROOT, (root_arn(key.account, name.partition),))
        context = self._request()
        answers = [
            (_allows(statement, name, root, context), statement)
            for statement in key.policy.statements
            if statement.effect is not Effect.DENY
        ]
        best = max((answer.value for answer, _ in answers), default=0)
        found = next((statement for answer, statement in answers if answer.value == best), None)
        if found is None or best == _Answer.NO.value:
            yield self.violation(
                key,
                "No statement lets the account's root user call kms:PutKeyPolicy: when the principals that "
                "the policy names are gone, the key is locked.",
                detail="missing",
                path=key.policy.path,
            )
        elif best == _Answer.CONDITION.value:
            yield self.violation(
                key,
                f"{heading(found)} lets the root user call kms:PutKeyPolicy only under a condition; "
                "in an emergency it may not hold.",
                detail="conditional",
                path=f"{found.path}/Condition",
                fix="Take the condition out, or keep only one that limits the statement to the root user "
                "(ArnEquals aws:PrincipalArn).",
            )
        elif best == _Answer.UNKNOWN.value:
            yield self.undetermined(
                key,
                f"Whether {named(found)} lets the root user of this account call kms:PutKeyPolicy "
                "is decided at deployment only.",
                detail="unresolved",
                path=found.path,
                fix=""
                if is_account_id(key.account)
                else key.vocabulary.say_account.format(account=_FOR_INSTANCE),
            )
        else:
            yield from self._denied(key, name, root, context)

    def _denied(self, key: Key, name: KeyName, root: Cell, context: RequestContext) -> Iterator[Finding]:
        for statement in key.policy.statements:
            if statement.effect is Effect.ALLOW:
                continue
            answer = _denies(statement, name, root, context)
            if answer is _Answer.YES:
                yield self.violation(
                    key,
                    f"{heading(statement)} denies the root user kms:PutKeyPolicy.",
                    detail="denied",
                    path=statement.path,
                    fix="Exempt the root user from the Deny by ArnNotEquals aws:PrincipalArn.",
                )
            elif answer is not _Answer.NO:
                yield self.undetermined(
                    key,
                    f"{heading(statement)} may deny the root user kms:PutKeyPolicy: its conditions "
                    "are not decided by what is known of the root user.",
                    detail="denied",
                    path=statement.path,
                    fix="Exempt the root user from the Deny by ArnNotEquals aws:PrincipalArn.",
                )

    def _request(self) -> RequestContext:
        organization = self.config.organization_id
        return {
            "aws:principalisawsservice": "false",
            "aws:viaawsservice": "false",
            "aws:securetransport": "true",
            "kms:bypasspolicylockoutsafetycheck": "false",
            **({"aws:principalorgid": organization} if organization is not None else {}),
        }


def _allows(statement: Statement, key: KeyName, root: Cell, context: RequestContext) -> _Answer:
    if not applies_to_action(statement, _ACTION, certainly=False):
        return _Answer.NO
    on_key = speaks_of_key(statement, key)
    if on_key is False:
        return _Answer.NO
    answer: _Answer = _names(statement, root, key.partition)
    if answer is _Answer.NO:
        return _Answer.NO
    if is_unknown(statement.conditions):
        return _Answer.UNKNOWN
    for condition in statement.conditions:
        verdict = decide(condition, _ACTION, context)
        if verdict is None:
            atom = principal_atom(condition, key.partition)
            if atom is None and is_unknown(condition.values):
                answer = _weaker(answer, _Answer.UNKNOWN)
                continue
            if atom is None:
                answer = _weaker(answer, _Answer.CONDITION)
                continue
            verdict = _of_root(atom, root)
        if verdict is False:
            return _Answer.NO
        if verdict is None:
            answer = _weaker(answer, _Answer.UNKNOWN)
    certain = statement.certain and applies_to_action(statement, _ACTION, certainly=True)
    if not certain or is_unknown(statement.effect) or on_key is None:
        answer = _weaker(answer, _Answer.UNKNOWN)
    return answer


def _denies(statement: Statement, key: KeyName, root: Cell, context: RequestContext) -> _Answer:
    if not applies_to_action(statement, _ACTION, certainly=False):
        return _Answer.NO
    on_key = speaks_of_key(statement, key)
    if on_key is False:
        return _Answer.NO
    answer: _Answer = _names(statement, root, key.partition)
    if answer is _Answer.NO:
        return _Answer.NO
    if is_unknown(statement.conditions):
        return _Answer.UNKNOWN
    for condition in statement.conditions:
        verdict = decide(condition, _ACTION, context)
        if verdict is None:
            atom = principal_atom(condition, key.partition)
            if atom is None:
                # The root user's plain request need not carry the key: then a positive operator fails.
                verdict = False if holds(condition, None) is False else None
            else:
                verdict = _of_root(atom, root)
        if verdict is False:
            return _Answer.NO
        if verdict is None:
            answer = _Answer.UNKNOWN
    certain = statement.certain and on_key is True and applies_to_action(statement, _ACTION, certainly=True)
    return answer if certain and not is_unknown(statement.effect) else _Answer.UNKNOWN


def _of_root(atom: Atom, root: Cell) -> bool | None:
    """Whether the root user satisfies what a condition says of the principal; None when that is open."""
    if not atom.satisfying(root):
        return False
    return None if atom.failing(root) else True


def _names(statement: Statement, root: Cell, partition: str) -> _Answer:
    """Whether the Principal element takes the root user in."""
    if is_unknown(statement.principals) or is_unknown(statement.not_principals):
        return _Answer.UNKNOWN
    if statement.principals is not None:
        answers = (_is(principal, root, partition) for principal in statement.principals)
        return max(answers, key=lambda answer: answer.value, default=_Answer.NO)
    if statement.not_principals is not None:
        left_out = max((_is(one, root, partition).value for one in statement.not_principals), default=0)
        return {_Answer.YES.value: _Answer.NO, _Answer.UNKNOWN.value: _Answer.UNKNOWN}.get(
            left_out, _Answer.YES
        )
    return _Answer.NO


def _is(principal: Principal, root: Cell, partition: str) -> _Answer:
    found = principal_cells(principal, partition)
    if any(cell.kind is root.kind and cell.include[0] == root.include[0] for cell in found.cells):
        return _Answer.UNKNOWN if found.unresolved else _Answer.YES
    if principal.value == "*" and principal.type in ("AWS", "*"):
        return _Answer.YES
    if any(cells_meet(cell, root) is not None for cell in found.cells):
        return _Answer.UNKNOWN
    return _Answer.NO


def _weaker(left: _Answer, right: _Answer) -> _Answer:
    return left if left.value < right.value else right
