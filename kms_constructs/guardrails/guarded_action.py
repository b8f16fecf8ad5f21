"""Base of the controls "only authorised principals, or none, may do this": IAM-KMS-2, 3, 4, 5 and 7.

The key policy is proven, not sampled: the region R(X) of the analysis holds everyone who may call the action
under any IAM policy that may exist, and it has to lie within the authorised principals and the root user of
the key's account (whom IAM-KMS-1 wants there, and who cannot be kept out of a key policy for good).

IAM policies of the app are judged by themselves as well: one that gives the action on keys outside the app,
or on all keys, works on every key in the account whose policy delegates to IAM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import ClassVar, TypedDict, Unpack

from kms_constructs.analysis.holders import holder_witness
from kms_constructs.analysis.identity import IdentityGrant
from kms_constructs.analysis.identity_index import IdentityIndex, is_open
from kms_constructs.analysis.principals import (
    PrincipalKind,
    all_within,
    any_meet,
    cells_meet,
    describe_cells,
    everyone,
    root_arn,
)
from kms_constructs.analysis.reach import Contribution, same_account
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.analysis.witness import Witness, witness
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized
from kms_constructs.guardrails.wording import DELEGATION, IAM_POLICY, UNRESOLVED, merged, resolve, unshown
from kms_constructs.model.actions import ACROSS_ACCOUNTS
from kms_constructs.model.arn import canonical, is_account_id, parse_arn
from kms_constructs.model.estate import IdentityPolicy, Key
from kms_constructs.model.globs import globs_meet
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.model.text import display
from kms_constructs.model.unknown import is_unknown

PRINCIPAL = "principal"

_ANYONE = describe_cells(everyone())
_MOST_SHOWN = 5
"""How many IAM policies a finding names; each is judged by itself as well."""
_SERVICE_LINKED = ("arn:aws:iam::*:role/aws-service-role/*",)


class _Texts(TypedDict):
    """The texts of a control, which its rule file holds."""

    title: str
    rationale: str
    advice: str
    references: tuple[str, ...]
    severity: Severity
    mappings: Mapping[Framework, tuple[str, ...]]


def guarded_control(control_id: str, **texts: Unpack[_Texts]) -> Control:
    """The control of a guarded action: its texts, and what all controls of the kind have in common.

    Raises:
        KeyError: `GUARDED_ACTIONS` has no action for it.
    """
    return Control(
        id=control_id,
        scope=(Subject.KEY_POLICY, Subject.IDENTITY_POLICY),
        actions=(GUARDED_ACTIONS[control_id].qualified,),
        preventable=True,
        authorisable=True,
        **texts,
    )


class GuardedActionRule(KeyRule):
    """Holds the region of one action against the authorised principals."""

    reads_policy: ClassVar[bool] = True
    by_shape: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    verb: ClassVar[str]
    """What it does, after "may"."""

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self.action = GUARDED_ACTIONS[self.control.id].action
        self._iam = IdentityIndex(context.estate.identity_policies, (self.action,))
        self._access = EstateAccess(context.estate)
        self._keys = {key.arn_pattern: key for key in context.estate.keys}

    def judge(self, key: Key) -> Iterator[Finding]:
        """Everyone who may do it without being authorised."""
        for part in merged(self._escapes(key)):
            if part.unresolved is None and (account := _perhaps_home(key, part)) is not None:
                yield self._root_of(key, part, account)
            else:
                yield self._direct(key, part) if not part.delegated else self._delegated(key, part)

    def check_estate(self) -> Iterator[Finding]:
        """IAM policies that give the action."""
        by_policy: dict[int, list[IdentityGrant]] = {}
        for grant in self._iam.grants:
            by_policy.setdefault(id(grant.policy), []).append(grant)
        for grants in by_policy.values():
            yield self._identity_policy(grants[0].policy, grants)

    def _escapes(self, key: Key) -> tuple[Contribution, ...]:
        region = self._access.reach(key, self.action)
        if not region.contributions:
            return ()
        escapes = region.escapes(self._authorised(key))
        return tuple(left for part in escapes if (left := _without_linked(part)) is not None)

    def _authorised(self, key: Key) -> tuple[str, ...]:
        own = key.authorised
        return (
            root_arn(key.account, key.partition),
            *own.get(self.control.id, ()),
            *own.get("*", ()),
            *self.config.authorised_for(self.control.id),
        )

    def _witness(self, key: Key, part: Contribution) -> Witness | None:
        return witness(
            part,
            key,
            self.action,
            organization=self.estate.organization,
            but=self._authorised(key),
        )

    def _direct(self, key: Key, part: Contribution) -> Finding:
        qualified = f"kms:{self.action}"
        # Whoever cannot be told may be anyone; to say so of an imported administrator would only alarm.
        who = (
            "a principal that is not known"
            if part.unresolved and part.principals == _ANYONE
            else part.principals
        )
        message = f"{capitalized(part.label)} lets {who} call {qualified}"
        shown = self._witness(key, part)
        if shown is None or (part.unresolved and not self._whatever_the_name(key, part)):
            return self._open(key, part, message, (part.describe(),), shown)
        return self.violation(
            key,
            f"{message} without being authorised to {self.verb}.",
            detail=PRINCIPAL,
            path=_path(part),
            chain=(part.describe(),),
            principals=_names(part),
            witness=shown,
            fix=self._fix(
                part,
                "deny it to all but the authorised principals, or authorise the principal under "
                f'authorised."{self.control.id}".',
            ),
        )

    def _whatever_the_name(self, key: Key, part: Contribution) -> bool:
        """Whether deployment decides no more than the names of principals, none of whom can be authorised."""
        named = part.statement.principals if part.statement is not None and part.statement.certain else ()
        authorised = tuple(map(canonical, self._authorised(key)))
        return (
            isinstance(named, tuple)
            and part.unresolved in {f"{display(one.value)} is undecided" for one in named}
            and all(
                same_account(cell, key.account) is True
                and not cell.exclude
                and len(cell.include) == 1
                and not any(globs_meet(canonical(cell.include[0]), one) for one in authorised)
                for cell in part.cells
            )
        )

    def _fix(self, part: Contribution, otherwise: str) -> str:
        """How a statement that gives the action stops doing so."""
        qualified = f"kms:{self.action}"
        if self.action == "PutKeyPolicy":
            # A policy that nobody may change any more locks everybody out: IAM-KMS-1, KMS:LINT[lockout].
            return (
                f"Allow {qualified} to the role that deploys the key, name it under "
                f'authorised."{self.control.id}", and deny {qualified} to everyone but the root user and the '
                "authorised principals (Principal '*', ArnNotEquals aws:PrincipalArn)."
            )
        return f"Take {qualified} out of {part.label}, {otherwise}"

    def _delegated(self, key: Key, part: Contribution) -> Finding:
        qualified = f"kms:{self.action}"
        reaching = (grant for grant in self._iam.reaching(key) if any_meet(grant.principals, part.cells))
        using = list(islice(reaching, _MOST_SHOWN))
        more = next(reaching, None) is not None
        steps = tuple(f"{grant.label} → {describe_cells(grant.principals)}" for grant in using)
        here = f"this {key.vocabulary.app}"
        seen = f"no IAM policy of {here} does, and any other may"
        if using:
            gives = (f"{grant.label} {_gives(grant)} {describe_cells(grant.principals)}" for grant in using)
            seen = f"in {here} {'; '.join(gives)}{'; and more do' if more else ''}"
        message = (
            f"{capitalized(part.label)} leaves {qualified} to the IAM policies of {part.principals}; {seen}"
        )
        chain = (part.describe(), *steps)
        shown = self._witness(key, part)
        if part.unresolved or shown is None:
            return self._open(key, part, message, chain, shown)
        return self.violation(
            key,
            f"{message}.",
            detail=DELEGATION,
            path=_path(part),
            chain=chain,
            principals=_names(part),
            witness=shown,
            fix=self._fix(
                part,
                "or deny it to everyone but the root user and the authorised principals (Principal '*', "
                "ArnNotEquals aws:PrincipalArn).",
            ),
        )

    def _root_of(self, key: Key, part: Contribution, account: str) -> Finding:
        return self.undetermined(
            key,
            f"{capitalized(part.label)} lets {part.principals} call kms:{self.action}; that is authorised if "
            "the key lies in this account, and which account it lies in is decided at deployment only.",
            detail=UNRESOLVED,
            path=_path(part),
            chain=(part.describe(),),
            principals=_names(part),
            fix=key.vocabulary.say_account.format(account=account),
        )

    def _open(
        self, key: Key, part: Contribution, message: str, chain: tuple[str, ...], shown: Witness | None
    ) -> Finding:
        reason = part.unresolved or "no request was found that shows it, nor a proof that there is none"
        return self.undetermined(
            key,
            f"{message}; whether that is only authorised principals is not known: {reason}.",
            detail=UNRESOLVED,
            path=_path(part),
            chain=chain,
            principals=_names(part),
            witness=shown,
            fix=resolve(key),
        )

    def _identity_policy(self, policy: IdentityPolicy, grants: list[IdentityGrant]) -> Finding:
        qualified = f"kms:{self.action}"
        who = describe_cells(grants[0].principals) or "nobody yet"
        for grant in grants:
            reached = self._reach(grant)
            if reached is None:
                continue
            problem, shown = reached
            statement = grant.statement
            path = statement.path if statement is not None else policy.policy.path
            chain = (f"{grant.label} → {who}",)
            if grant.unresolved is not None:
                return self.finding(
                    Outcome.UNDETERMINED,
                    policy.location,
                    f"Whether {grant.label} gives {qualified} to {who} is not known: {grant.unresolved}.",
                    fix=resolve(policy),
                    path=path,
                    detail=UNRESOLVED,
                    chain=chain,
                    principals=(who,),
                )
            message = f"{capitalized(grant.label)} gives {qualified} on {problem} to {who}"
            return self.finding(
                Outcome.UNDETERMINED if shown is None and grant.principals else Outcome.VIOLATION,
                policy.location,
                f"{message}, not authorised to {self.verb}.{unshown(shown) if grant.principals else ''}",
                witness=shown,
                fix=f"Take {qualified} out of the policy, or authorise its principals under "
                f'authorised."{self.control.id}".',
                path=path,
                detail=IAM_POLICY,
                chain=chain,
                principals=(who,),
            )
        return self.finding(
            Outcome.COMPLIANT,
            policy.location,
            f"What the policy allows of {qualified} is for authorised principals, or refused by the key.",
        )

    def _reach(self, grant: IdentityGrant) -> tuple[str, Witness | None] | None:
        """The keys that an IAM policy gives the action on to principals not authorised; None for none."""
        authorised = self.config.authorised_for(self.control.id)
        if all_within(grant.principals, authorised):
            return None
        for resource in grant.resources:
            key = self._keys.get(resource)
            if key is None:
                if self._is_abroad(grant, resource):
                    continue
                keys = f"keys {display(resource)}" if resource != "*" else "all keys"
                if not is_open(resource):
                    keys = f"a key outside this {grant.policy.vocabulary.app} ({display(resource)})"
                return keys, holder_witness(
                    grant, resource, but=authorised, organization=self.estate.organization
                )
            if self.exempt(key) is not None or all_within(grant.principals, self._authorised(key)):
                continue
            for part in self._escapes(key):
                if any_meet(grant.principals, part.cells):
                    return f"key {key.location}", self._held(key, grant, part)
        return None

    def _held(self, key: Key, grant: IdentityGrant, part: Contribution) -> Witness | None:
        """A call of a holder on a key of the app, given an IAM policy: this one."""
        met = (cells_meet(one, other) for one in grant.principals for other in part.cells)
        return self._witness(key, part.of(tuple(cell for cell in met if cell is not None)))

    def _is_abroad(self, grant: IdentityGrant, resource: str) -> bool:
        """Whether a resource names keys of another account than the holders': KMS takes no such call."""
        arn = parse_arn(resource)
        account = arn.account if arn is not None else ""
        return (
            self.action not in ACROSS_ACCOUNTS
            and is_account_id(account)
            and bool(grant.principals)
            and all(same_account(cell, account) is False for cell in grant.principals)
        )


def _gives(grant: IdentityGrant) -> str:
    """What is said of a policy: of one whose content is not known, only what may be."""
    return "may give it to" if is_unknown(grant.policy.policy.unknown) else "gives it to"


def _without_linked(part: Contribution) -> Contribution | None:
    """What is delegated, without service-linked roles: AWS alone writes their policies."""
    if not part.delegated:
        return part
    cells = tuple(cell for cell in part.cells if not cell.within(_SERVICE_LINKED))
    return part.of(cells) if cells else None


def _perhaps_home(key: Key, part: Contribution) -> str | None:
    """The account, if all that escapes is the root user of one that may turn out to be the key's own."""
    accounts = {cell.account for cell in part.cells}
    account = accounts.pop()
    if accounts or account is None or not is_account_id(account):
        return None
    perhaps = all(
        cell.kind is PrincipalKind.ROOT and same_account(cell, key.account) is None for cell in part.cells
    )
    return account if perhaps else None


def _path(part: Contribution) -> str:
    return part.statement.path if part.statement is not None else ""


def _names(part: Contribution) -> tuple[str, ...]:
    if all(cell.literal is not None for cell in part.cells):
        return tuple(dict.fromkeys(describe_cells((cell,)) for cell in part.cells))
    return (part.principals,)
