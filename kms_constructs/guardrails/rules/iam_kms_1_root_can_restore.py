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

from collections.abc import Iterator, Mapping
from typing import ClassVar

from msgspec.structs import replace

from kms_constructs.analysis.certain import KEY_POLICY, NOT_SAID, Call, Fact, InView, Step, certain
from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.principals import root_arn
from kms_constructs.analysis.witness import Witness, refusal
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Severity
from kms_constructs.guardrails.rule import KeyRule, capitalized, heading, named
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.estate import Key

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
_EVERY_ROOT = "arn:*:iam::*:root"
_FOR_INSTANCE = "111122223333, for instance"


_PLAIN: Mapping[str, Fact] = {
    "aws:viaawsservice": "false",
    "aws:securetransport": "true",
    "kms:bypasspolicylockoutsafetycheck": "false",
    # Nobody can foresee these, in an emergency least of all.
    **dict.fromkeys(
        (
            "aws:currenttime",
            "aws:epochtime",
            "aws:tokenissuetime",
            "aws:sourceip",
            "aws:useragent",
            "aws:multifactorauthpresent",
            "aws:multifactorauthage",
            "aws:principalorgpaths",
        ),
        NOT_SAID,
    ),
}
"""What a plain call of the root user carries; of other condition keys that hang on the call, nothing."""


class RootCanRestoreRule(KeyRule):
    """Decides the root user's PutKeyPolicy, sent without anything special."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    by_shape: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = "The root user of the account can restore the key policy."

    def judge(self, key: Key) -> Iterator[Finding]:
        """Why the root user could be locked out."""
        organization = self.estate.organization
        view = InView(scps=organization.scps, rcps=organization.rcps)
        call = self._plain_call(key)
        found = certain(call, key, view)
        if found.allowed is True:
            yield from self._denied(key, call, view, found.denies)
            return
        # What a plain call does not carry another may: a statement that needs it is no way back.
        ways = found.allows if found.allowed is None else certain(_any_call(call), key, view).allows
        step = next((step for step in ways if step.statement is not None), None)
        if step is None or step.statement is None:
            yield self.violation(
                key,
                "No statement lets the account's root user call kms:PutKeyPolicy: when the principals that "
                "the policy names are gone, the key is locked.",
                detail="missing",
                path=key.policy.path,
                witness=self._refused(key),
            )
        elif found.allowed is False or step.on_request:
            yield self.violation(
                key,
                f"{heading(step.statement)} lets the root user call kms:PutKeyPolicy only under a condition; "
                "in an emergency it may not hold.",
                detail="conditional",
                path=f"{step.statement.path}/Condition",
                witness=self._refused(key),
                fix="Take the condition out, or keep only one that limits the statement to the root user "
                "(ArnEquals aws:PrincipalArn).",
            )
        else:
            yield self.undetermined(
                key,
                f"Whether {named(step.statement)} lets the root user of this account call kms:PutKeyPolicy "
                "is decided at deployment only.",
                detail="unresolved",
                path=step.statement.path,
                fix=""
                if is_account_id(key.account)
                else key.vocabulary.say_account.format(account=_FOR_INSTANCE),
            )

    def _denied(self, key: Key, call: Call, view: InView, denies: tuple[Step, ...]) -> Iterator[Finding]:
        """The Denies that hit a plain call: those that hit every call, and those that some other escapes."""
        if not denies:
            return
        always = certain(replace(call, others=NOT_SAID), key, view).denies
        sure = {id(step.statement) for step in always if step.certain}
        for step in denies:
            yield self._denial(key, step, certain=id(step.statement) in sure)

    def _denial(self, key: Key, step: Step, *, certain: bool) -> Finding:
        own = step.layer == KEY_POLICY and step.statement is not None
        label = heading(step.statement) if own and step.statement else capitalized(f"a {step.label}")
        path = step.statement.path if own and step.statement else key.policy.path
        fix = (
            "Exempt the root user from the Deny by ArnNotEquals aws:PrincipalArn."
            if own
            else f"Exempt the root users from that {step.layer} by ArnNotLike aws:PrincipalArn {_EVERY_ROOT}."
        )
        if certain:
            message = f"{label} denies the root user kms:PutKeyPolicy."
            shown = self._refused(key)
            return self.violation(key, message, detail="denied", path=path, fix=fix, witness=shown)
        return self.undetermined(
            key,
            f"{label} may deny the root user kms:PutKeyPolicy: "
            + (step.why if step.statement is None else "whether it does is not decided by what is known here")
            + ".",
            detail="denied",
            path=path,
            fix=fix,
        )

    def _refused(self, key: Key) -> Witness | None:
        """The plain call of the root user, which is denied."""
        root = root_arn(key.account, home_partition(key))
        carried = {name: value for name, value in _PLAIN.items() if isinstance(value, str)}
        unforeseen = {*(name for name in _PLAIN if name not in carried), "aws:principalorgid"}
        return refusal(
            root,
            _ACTION,
            key,
            organization=self.estate.organization,
            context=carried,
            unforeseen=unforeseen,
        )

    def _plain_call(self, key: Key) -> Call:
        organization = self.config.organization_id
        home = NOT_SAID if organization is None else organization
        context = {**_PLAIN, "aws:principalorgid": home, "aws:resourceorgid": home}
        root = root_arn(key.account, home_partition(key))
        return Call(principal=root, action=_ACTION, context=context, others=None)


def _any_call(call: Call) -> Call:
    """The same call with whatever else it may carry."""
    return replace(call, context={}, others=NOT_SAID)
