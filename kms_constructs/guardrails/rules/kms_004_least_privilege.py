"""KMS:004: access to keys follows least privilege.

Five things are judged: everyone as principal without a condition on who calls (*public*), principals of
other accounts that are not trusted or not limited (*cross-account*, *untrusted-account*), ``kms:*`` for
anyone but the account itself (*all-actions*), and IAM policies of the app that decrypt with all keys
(*decrypt-on-all-keys*). A Deny is no exposure, and what a Deny takes away is not counted.

Another account's access is limited when a condition says through which service, with which encryption
context or for which organization; whoever is listed under ``trusted-accounts`` needs that for whole accounts
only. When accounts are listed, all others are refused.

An IAM policy with ``kms:ViaService`` still decrypts with every key, as Security Hub (KMS.1, KMS.2) sees it
too; a condition on the key's aliases, on its tags or on the encryption context does limit the keys.

Anti-pattern::

    {"Statement": [{"Sid": "Anyone", "Effect": "Allow", "Principal": "*",
                    "Action": "kms:Decrypt", "Resource": "*"}]}

Best practice::

    {"Statement": [{"Sid": "App", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}},
                   {"Sid": "Partner", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
                    "Principal": {"AWS": "arn:aws:iam::444455556666:role/Reader"},
                    "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kms_constructs.analysis.grantees import grantee_witness
from kms_constructs.analysis.holders import holder_witness
from kms_constructs.analysis.identity import IdentityGrant
from kms_constructs.analysis.identity_index import IdentityIndex
from kms_constructs.analysis.key_names import home_partition
from kms_constructs.analysis.narrowing import (
    ENCRYPTION_CONTEXT,
    VIA_SERVICE,
    covered_actions,
    narrowed_by,
)
from kms_constructs.analysis.principals import (
    Cell,
    PrincipalKind,
    account_of,
    all_within,
    describe_cells,
    root_arn,
)
from kms_constructs.analysis.reach import Contribution, same_account
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.analysis.witness import Witness, witness
from kms_constructs.guardrails.control import Control, Framework, Subject
from kms_constructs.guardrails.exposure import (
    ORGANIZATION,
    StatementAccess,
    has_everything,
    home_accounts,
    is_dynamic,
    leaves_home,
    of_organization,
    perhaps_everything,
    perhaps_somebody,
)
from kms_constructs.guardrails.finding import Finding, Outcome, Severity
from kms_constructs.guardrails.rule import KeyRule, RuleContext, capitalized, heading, named
from kms_constructs.guardrails.wording import UNRESOLVED, resolve, unshown
from kms_constructs.model.actions import ACROSS_ACCOUNTS, READING, USING
from kms_constructs.model.estate import IdentityPolicyKind, Key
from kms_constructs.model.globs import has_wildcard
from kms_constructs.model.policy import Condition, Effect, Statement
from kms_constructs.model.text import display, has_hole, has_unresolved_hole
from kms_constructs.model.unknown import is_unknown

CONTROL = Control(
    id="KMS:004",
    title="Access to keys follows least privilege",
    rationale=(
        "A key that everyone may call, that another account may use for anything, that a role has all "
        "actions on, or an IAM policy that decrypts with every key: each makes encryption a formality."
    ),
    advice=(
        "Name principals; limit other accounts by kms:ViaService, encryption context or organization and "
        "list them as trusted; list actions instead of kms:*; name keys in IAM policies that decrypt."
    ),
    references=(
        "https://docs.aws.amazon.com/kms/latest/developerguide/least-privilege.html",
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html",
    ),
    scope=(Subject.KEY_POLICY, Subject.IDENTITY_POLICY),
    actions=("kms:Decrypt", "kms:ReEncryptFrom"),
    severity=Severity.HIGH,
    mappings={
        Framework.CIS_7: ("2.21",),
        Framework.SOC_2: ("CC6.1", "CC6.3", "CC6.6"),
        Framework.SECURITY_HUB: ("KMS.1", "KMS.2", "KMS.5"),
        Framework.NIST: ("AC-2", "AC-2(1)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-5", "AC-6", "AC-6(3)"),
        Framework.PCI_DSS: ("3.6.1", "7.2.2"),
    },
    authorisable=True,
)

PUBLIC = "public"
CROSS_ACCOUNT = "cross-account"
UNTRUSTED = "untrusted-account"
ALL_ACTIONS = "all-actions"
DECRYPT_ON_ALL_KEYS = "decrypt-on-all-keys"

_DECRYPTING = ("Decrypt", "ReEncryptFrom")
_ACCOUNTS = ("aws:principalaccount", "kms:calleraccount")
_CALLER = (
    *ORGANIZATION,
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
)
"""Keys that say who calls, beside those that the analysis turns into principals."""
_LIMITS = (*_CALLER, VIA_SERVICE, ENCRYPTION_CONTEXT)
_KEY_LIMITS = ("kms:resourcealiases", "kms:requestalias", "aws:resourcetag/", ENCRYPTION_CONTEXT)


class LeastPrivilegeRule(KeyRule):
    """Looks at whom each Allow reaches, and at IAM policies that decrypt."""

    control = CONTROL
    reads_policy: ClassVar[bool] = True
    by_shape: ClassVar[bool] = True
    reads_properties: ClassVar[bool] = False
    compliant_message: ClassVar[str] = (
        "Every Allow names who it is for, and is limited where it leaves the account."
    )

    def __init__(self, context: RuleContext) -> None:
        super().__init__(context)
        self._asked = EstateAccess(context.estate)
        self._keys = frozenset(key.arn_pattern for key in context.estate.keys)
        self._trusted = frozenset(context.config.trusted_accounts)
        bounding = (
            one for one in context.estate.identity_policies if one.kind is IdentityPolicyKind.BOUNDARY
        )
        self._boundaries = frozenset(one.id.removesuffix("/boundary") for one in bounding)

    def judge(self, key: Key) -> Iterator[Finding]:
        """Everyone, other accounts and all actions."""
        home = home_accounts(key)
        for statement in key.policy.statements:
            if statement.effect is Effect.DENY:
                continue
            if is_unknown(statement.principals) or is_unknown(statement.not_principals):
                yield from self._unreadable(key, statement)
                continue
            everything, leaves = has_everything(statement), leaves_home(statement, home)
            perhaps = None if everything else perhaps_everything(statement)
            if not everything and not leaves and perhaps is None:
                continue
            for access in self._accesses(key, statement):
                if access.unresolved is not None and (account := self._read_elsewhere(statement, access)):
                    yield self._elsewhere(key, statement, account)
                    continue
                if access.unresolved is not None:
                    # Actions that are not known may be all: that matters to whom all are too many.
                    beyond = leaves and any(
                        cell.account not in home
                        for cell in access.cells
                        if cell.kind is not PrincipalKind.SERVICE
                    )
                    if (
                        everything
                        or beyond
                        or (perhaps is not None and tuple(self._all_actions(key, statement, access, home)))
                    ):
                        yield self._unresolved(key, statement, access.unresolved)
                    continue
                yield from self._reach(key, statement, access, home)
                if everything:
                    yield from self._all_actions(key, statement, access, home)
                elif perhaps is not None and tuple(self._all_actions(key, statement, access, home)):
                    yield self._unresolved(key, statement, perhaps)
        yield from self._live_grants(key, home)

    def check_estate(self) -> Iterator[Finding]:
        """IAM policies that decrypt with all keys."""
        by_policy: dict[int, list[IdentityGrant]] = {}
        # Asked for here and not before: an IAM policy that cannot be judged costs no key its answer.
        for grant in IdentityIndex(self.estate.identity_policies, _DECRYPTING).grants:
            by_policy.setdefault(id(grant.policy), []).append(grant)
        for grants in by_policy.values():
            yield self._identity_policy(grants)

    def _accesses(self, key: Key, statement: Statement) -> tuple[StatementAccess, ...]:
        """Whom a statement reaches with any of its actions, after all Denies."""
        found: dict[tuple[tuple[Condition, ...], bool, str | None], dict[Cell, None]] = {}
        examples: dict[object, tuple[str, Contribution]] = {}
        for names, parts in self._asked.shared_reaches(key, sorted(covered_actions(statement))):
            for part in parts:
                if part.statement is statement:
                    how = (part.conditions, part.delegated, part.unresolved)
                    found.setdefault(how, {}).update(dict.fromkeys(part.cells))
                    examples.setdefault(how, (next((one for one in names if one in USING), names[0]), part))
        return tuple(StatementAccess(tuple(cells), *how, examples[how]) for how, cells in found.items())

    def _shown(self, key: Key, access: StatementAccess, cells: tuple[Cell, ...]) -> Witness | None:
        return witness(access.of(cells), key, access.example[0], organization=self.estate.organization)

    def _unreadable(self, key: Key, statement: Statement) -> Iterator[Finding]:
        unknown = statement.principals if is_unknown(statement.principals) else statement.not_principals
        if is_unknown(unknown):
            yield self._unresolved(key, statement, unknown.reason)

    def _unresolved(self, key: Key, statement: Statement, reason: str) -> Finding:
        return self.undetermined(
            key,
            f"Whom {named(statement)} lets in is not known: {reason}.",
            detail=UNRESOLVED,
            path=f"{statement.path}/Principal",
            fix=resolve(key),
        )

    def _read_elsewhere(self, statement: Statement, access: StatementAccess) -> str | None:
        """The account that a statement lets in without a limit, where a dynamic reference names it.

        No input can ever tell which account that is, so to leave it undetermined would be for good; and
        whoever means the key's own account has no need to look it up.
        """
        if (
            self._trusted
            or covered_actions(statement) <= READING
            or not isinstance(statement.principals, tuple)
        ):
            return None
        if narrowed_by(access.conditions, _LIMITS) is not False:
            return None
        for principal in statement.principals:
            if access.unresolved == f"{display(principal.value)} is undecided":
                account = account_of(principal.value)
                is_root = principal.value.endswith(":root")
                return account if is_root and account is not None and is_dynamic(account) else None
        return None

    def _elsewhere(self, key: Key, statement: Statement, account: str) -> Finding:
        who = f"any principal of account {display(account)}"
        return self.violation(
            key,
            f"{heading(statement)} lets in {who}, which is read at deployment and named as another than the "
            "key's; no condition limits what for.",
            detail=CROSS_ACCOUNT,
            path=statement.path,
            principals=(who,),
            fix="Add kms:ViaService, an encryption context or aws:PrincipalOrgID, or list the account under "
            "trusted-accounts and write it out; name the key's own account by AWS::AccountId.",
        )

    def _reach(
        self, key: Key, statement: Statement, access: StatementAccess, home: frozenset[str]
    ) -> Iterator[Finding]:
        people = tuple(cell for cell in access.cells if cell.kind is not PrincipalKind.SERVICE)
        anywhere = tuple(cell for cell in people if cell.account is None)
        if anywhere:
            yield from self._public(key, statement, access, anywhere)
        foreign: dict[str, list[Cell]] = {}
        for cell in people:
            if cell.account is not None and cell.account not in home:
                foreign.setdefault(cell.account, []).append(cell)
        for account, cells in foreign.items():
            yield from self._foreign(key, statement, access, account, tuple(cells))

    def _public(
        self, key: Key, statement: Statement, access: StatementAccess, cells: tuple[Cell, ...]
    ) -> Iterator[Finding]:
        verdict = narrowed_by(access.conditions, _CALLER)
        own = self.config.organization_id
        if verdict and own is not None and not of_organization(access.conditions, own):
            verdict = narrowed_by(access.conditions, [key for key in _CALLER if key not in ORGANIZATION])
        if verdict:
            return
        who = describe_cells(cells)
        # A principal or an account that deployment names is somebody, and perhaps of another account.
        if verdict is None or any(map(perhaps_somebody, access.conditions)):
            yield self.undetermined(
                key,
                f"{heading(statement)} lets in {who}, unless a value that is not known limits it.",
                detail=PUBLIC,
                path=statement.path,
                principals=(who,),
                fix=resolve(key),
            )
            return
        shown = self._shown(key, access, cells)
        yield self.finding(
            Outcome.UNDETERMINED if shown is None else Outcome.VIOLATION,
            key.location,
            f"{heading(statement)} lets in {who}; no condition says who may call.{unshown(shown)}",
            detail=PUBLIC,
            witness=shown,
            path=statement.path,
            principals=(who,),
            fix="Name the principals, or add StringEquals aws:PrincipalOrgID or kms:CallerAccount.",
        )

    def _foreign(
        self, key: Key, statement: Statement, access: StatementAccess, account: str, cells: tuple[Cell, ...]
    ) -> Iterator[Finding]:
        if account in self._trusted:
            whole = access.delegated or any(cell.literal is None for cell in cells)
            if not whole:
                return
        elif has_hole(key.account) or has_hole(account):
            # The account of the key is decided at deployment: it may be this one.
            yield self.undetermined(
                key,
                f"{heading(statement)} lets in {describe_cells(cells)}; whether that is the account "
                "of the key is decided at deployment.",
                detail=CROSS_ACCOUNT,
                path=statement.path,
                principals=(describe_cells(cells),),
                fix=key.vocabulary.say(
                    "Give the {stack} an explicit account, or list the account under trusted-accounts."
                ),
            )
            return
        who = describe_cells(cells)
        own = self.config.organization_id
        if (
            self._trusted
            and account not in self._trusted
            and not (own and of_organization(access.conditions, own))
        ):
            shown = self._shown(key, access, cells)
            yield self.finding(
                Outcome.UNDETERMINED if shown is None else Outcome.VIOLATION,
                key.location,
                f"{heading(statement)} lets in {who}; account {display(account)} is not trusted."
                f"{unshown(shown)}",
                detail=UNTRUSTED,
                witness=shown,
                path=statement.path,
                principals=(who,),
                fix="Take the principal out, or list its account under trusted-accounts.",
            )
            return
        if covered_actions(statement) & ACROSS_ACCOUNTS <= READING:
            return
        verdict = narrowed_by(access.conditions, _LIMITS)
        if verdict:
            return
        shown = self._shown(key, access, cells)
        yield self.finding(
            Outcome.UNDETERMINED if verdict is None or shown is None else Outcome.VIOLATION,
            key.location,
            f"{heading(statement)} lets in {who} of another account"
            + (
                ", unless a value decided at deployment limits it."
                if verdict is None
                else "; no condition limits what for."
            )
            + ("" if verdict is None else unshown(shown)),
            fix="Add kms:ViaService, an encryption context or aws:PrincipalOrgID"
            + (
                ", or name principals instead of the account."
                if account in self._trusted
                else ", or list the account under trusted-accounts and name its principals."
            ),
            detail=CROSS_ACCOUNT,
            path=statement.path,
            principals=(who,),
            witness=shown,
        )

    def _all_actions(
        self, key: Key, statement: Statement, access: StatementAccess, home: frozenset[str]
    ) -> Iterator[Finding]:
        partition = home_partition(key)
        roots = frozenset(root_arn(account, partition) for account in home)
        beyond = tuple(
            cell
            for cell in access.cells
            if not (cell.kind is PrincipalKind.ROOT and cell.include[0] in roots)
            and not (access.delegated and cell.account in home)
        )
        if not beyond:
            return
        who = describe_cells(beyond)
        form = "kms:*" if statement.not_actions is None else "all actions but a few (NotAction)"
        perhaps_home = access.delegated and all(same_account(cell, key.account) is None for cell in beyond)
        shown = self._shown(key, access, beyond)
        yield self.finding(
            Outcome.UNDETERMINED if perhaps_home or shown is None else Outcome.VIOLATION,
            key.location,
            f"{heading(statement)} gives {form} to {who}"
            + (", unless that turns out to be the account of the key." if perhaps_home else ".")
            + unshown(shown),
            detail=ALL_ACTIONS,
            path=f"{statement.path}/{'Action' if statement.not_actions is None else 'NotAction'}",
            principals=(who,),
            witness=shown,
            fix="List the actions that the principal needs.",
        )

    def _live_grants(self, key: Key, home: frozenset[str]) -> Iterator[Finding]:
        for grant in key.grants:
            if is_unknown(grant.grantee):
                if grant.live:  # of one that is declared, IAM-KMS-6 says it
                    message = f"Whom grants let use the key is not known: {grant.grantee.reason}."
                    yield self.undetermined(key, message, detail=CROSS_ACCOUNT, fix=resolve(key))
                continue
            account = None if grant.for_aws_service else account_of(grant.grantee)
            if account is None or account in home or account in self._trusted or grant.constraints:
                continue
            shown = grantee_witness(grant, key, self._asked, self.estate.organization)
            yield self.finding(
                Outcome.UNDETERMINED if shown is None else Outcome.VIOLATION,
                key.location,
                f"A grant lets {display(grant.grantee)} of another account use the key; "
                f"no constraint limits it, and the account is not trusted.{unshown(shown)}",
                detail=CROSS_ACCOUNT,
                witness=shown,
                principals=(display(grant.grantee),),
                fix="Revoke the grant, add an encryption-context constraint, or list the account under "
                "trusted-accounts.",
            )

    def _identity_policy(self, grants: list[IdentityGrant]) -> Finding:
        policy = grants[0].policy
        found = [(grant, doubt) for grant in grants if (doubt := self._decrypts_with_any(grant)) is not None]
        if not found:
            return self.finding(
                Outcome.COMPLIANT, policy.location, "The policy names the keys that it decrypts with."
            )
        # What is certain is said before what is not.
        grant, reason = min(found, key=lambda one: bool(one[1]))
        who = describe_cells(grant.principals) or "nobody yet"
        alike = (one for one in grants if one.statement is grant.statement)
        what = ", ".join(f"kms:{one.action}" for one in alike if one.unresolved == grant.unresolved)
        message = f"{capitalized(grant.label)} gives {who} {what} on {_resources(grant)}"
        bounds = (
            not is_unknown(policy.attached_to) and not policy.attached_to and policy.id in self._boundaries
        )
        if bounds:
            message += " if it is attached to them; here it is a permissions boundary, which gives nothing"
        shown = None
        if not reason:
            wide = next((one for one in grant.resources if has_wildcard(one)), grant.resources[0])
            shown = holder_witness(grant, wide, organization=self.estate.organization)
        unsure = bool(reason) or (shown is None and bool(grant.principals))
        return self.finding(
            Outcome.UNDETERMINED if unsure else Outcome.VIOLATION,
            policy.location,
            f"{message}, if what is not known turns out so: {reason}."
            if reason
            else f"{message}.{unshown(shown) if unsure else ''}",
            witness=shown,
            fix="Name the keys in Resource, or limit them by kms:ResourceAliases.",
            path=grant.statement.path if grant.statement is not None else policy.policy.path,
            detail=DECRYPT_ON_ALL_KEYS,
            chain=(f"{grant.label} → {who}",),
            principals=(who,),
            severity=Severity.WARNING if bounds else None,
        )

    def _decrypts_with_any(self, grant: IdentityGrant) -> str | None:
        """Why it is not known whether a grant reaches keys that it does not name; None when it does not.

        Empty when it does for certain.
        """
        if all_within(grant.principals, self.config.authorised_for(self.control.id)):
            return None
        unnamed = [one for one in grant.resources if one not in self._keys]
        open_ = next((one for one in unnamed if has_unresolved_hole(one)), None)
        # An unknown Region is a wildcard in an ARN.
        certain = any(map(has_wildcard, unnamed))
        if not certain and open_ is None:
            return None
        conditions = grant.conditions
        limited = None if is_unknown(conditions) else narrowed_by(conditions, _KEY_LIMITS)
        if limited:
            return None
        if grant.unresolved or is_unknown(conditions):
            return grant.unresolved or (conditions.reason if is_unknown(conditions) else "")
        if limited is None:
            return "a value of its conditions is decided at deployment"
        return "" if certain or open_ is None else f"{display(open_)} is undecided"


def _resources(grant: IdentityGrant) -> str:
    return "all keys" if "*" in grant.resources else f"keys {', '.join(map(display, grant.resources))}"
