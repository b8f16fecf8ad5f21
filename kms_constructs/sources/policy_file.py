"""A key policy by itself: what a team keeps in a file, or what ``aws kms get-key-policy`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from kms_constructs.model.arn import OPEN_PARTITION, of_region
from kms_constructs.model.estate import Deployment, Estate, Key, Location, SourceProblem
from kms_constructs.model.home import home_account
from kms_constructs.model.policy import Policy, named_partition, parse_policy
from kms_constructs.model.position import Origin
from kms_constructs.model.reading import parsed_json
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.vocabulary import KEY_POLICY_FILE
from kms_constructs.sources.plain import plain
from kms_constructs.sources.positions import START, DocumentOrigin, Marks, Pointer
from kms_constructs.sources.reader import Document, Reader


class PolicyFileReader(Reader):
    """Takes in key policies, each as a key of which nothing else is known."""

    kinds: ClassVar[Mapping[str, str]] = {"key policy": "a key policy"}
    lacking: ClassVar[str] = "a key policy (no Statement)"
    suffixes: ClassVar[tuple[str, ...]] = (".json", ".yaml", ".yml", ".template")

    def __init__(self, deployment: Deployment, problems: list[SourceProblem]) -> None:
        super().__init__(deployment, problems)
        self._keys: list[Key] = []

    def looks_relevant(self, text: str) -> bool:
        """Whether it speaks of statements and of principals."""
        return "tatement" in text and "rincipal" in text

    def take(self, document: Document) -> bool:
        """Takes in what has a Statement; when nobody named it, only what looks like a key's."""
        policy = policy_in(document.content)
        if policy is None:
            return False
        where = self.deployment
        origin = None if document.marks is None else policy_origin(document.content, document.marks)
        key = key_from_policy(
            policy, source=document.source, account=where.account, region=where.region, origin=origin
        )
        if not (document.named or _is_key_policy(key.policy)):
            return False
        if _is_of_iam(policy):
            self.problems.append(SourceProblem(document.source, _OF_IAM, _WHERE_IT_BELONGS))
            return True
        self._keys.append(key)
        return True

    def estate(self) -> Estate:
        """The keys."""
        return Estate(keys=tuple(self._keys), sources=tuple(key.location.source for key in self._keys))


_OF_IAM: Final = (
    "it is an IAM policy or a service control policy and no key policy: no statement has a Principal"
)
_WHERE_IT_BELONGS: Final = (
    "Give a service control policy by --scp, and an IAM policy in a template that says whom it is attached to"
)


def _is_of_iam(policy: object) -> bool:
    """Whether a policy is one of identities: no statement says, or tries to say, whom it is for."""
    members = policy.items() if isinstance(policy, Mapping) else ()
    found = next((value for key, value in members if str(key).lower() == "statement"), None)
    statements = found if isinstance(found, list) else [found]
    return bool(statements) and all(
        isinstance(statement, Mapping)
        and "Effect" in statement
        and not any("princip" in str(key).lower() for key in statement)
        for statement in statements
    )


def _is_key_policy(policy: Policy) -> bool:
    """Whether a policy that nobody named is a key policy: it names principals and KMS actions."""
    return any(
        (statement.principals is not None or statement.not_principals is not None)
        and isinstance(statement.actions, tuple)
        and any(action.lower().startswith("kms:") for action in statement.actions)
        for statement in policy.statements
    )


def organization_policy(document: object, source: str) -> Policy | None:
    """A service or resource control policy as plain data, read; None when it is no policy.

    Args:
        document: The policy, or what wraps it.
        source: The file it came from, or what stands for it.
    """
    policy = policy_in(document)
    return None if policy is None else parse_policy(plain(policy), path=source)


def policy_in(document: object) -> object | None:
    """The policy that a document is or wraps; None when it is something else.

    ``aws kms get-key-policy`` wraps it as text: ``{"Policy": "…", "PolicyName": "default"}``.
    """
    found = _policy_in(document)
    return None if found is None else found[0]


def policy_origin(document: object, marks: Marks) -> Origin | None:
    """Where the parts of the policy stand that a document is or wraps; None when it is something else."""
    found = _policy_in(document)
    return None if found is None else DocumentOrigin(document, marks, found[1])


def _policy_in(document: object) -> tuple[object, Pointer] | None:
    """The policy, and where the document has it."""
    if not isinstance(document, Mapping) or "Resources" in document:
        return None
    if any(str(key).lower() == "statement" for key in document):
        return document, START
    wrapped = document.get("Policy")
    if isinstance(wrapped, str):
        try:
            wrapped = parsed_json(wrapped)
        except ValueError:
            return None
    if isinstance(wrapped, Mapping) and any(str(key).lower() == "statement" for key in wrapped):
        return wrapped, ("Policy",)
    return None


def key_from_policy(
    document: object,
    *,
    source: str,
    account: str | None = None,
    region: str | None = None,
    origin: Origin | None = None,
) -> Key:
    """A key of which only the policy is known.

    Args:
        document: The key policy as plain data, or as JSON text.
        source: The file it came from, or what stands for it.
        account: Account of the key. Without it, the account is taken from the policy when it can allow
            PutKeyPolicy in one account only: see `home_account`. That is the key's account but for policies
            written past the check that refuses those that lock their own account out.
        region: Region of the key.
        origin: Where the parts of the policy stand: see `policy_origin`.

    Example:
        >>> key = key_from_policy({"Statement": []}, source="policy.json")
        >>> key.policy_only
        True
    """
    policy = parse_policy(plain(document))
    return Key(
        id=source,
        location=Location(source, origin=origin),
        policy=policy,
        account=account or home_account(policy) or hole(HoleKind.ENVIRONMENT, "AWS::AccountId"),
        region=region or hole(HoleKind.ENVIRONMENT, "AWS::Region"),
        partition=of_region(region).name if region else named_partition(policy) or OPEN_PARTITION,
        # The file does not say which key it is of: a Resource that names one key may name this one.
        key_id=hole(HoleKind.UNRESOLVED, "KeyId"),
        vocabulary=KEY_POLICY_FILE,
    )
