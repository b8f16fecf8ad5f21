"""A policy as it may be deployed: what is decided at deployment, decided.

See: `kms_constructs.model.text` for the kinds of hole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from kms_constructs.analysis.key_names import home_partition
from kms_constructs.model.arn import is_account_id
from kms_constructs.model.effort import spend
from kms_constructs.model.estate import Key, Organization
from kms_constructs.model.once import once
from kms_constructs.model.policy import Policy, Principal, Statement
from kms_constructs.model.text import HoleKind, has_hole, holes, split_holes
from kms_constructs.model.unknown import Unknown

SOME_ACCOUNT = "111122223333"
"""What an account is taken for that is not known."""


def texts_of(key: Key, organization: Organization, home: str = SOME_ACCOUNT) -> dict[str, str]:
    """A text for every hole, the same wherever it stands.

    Args:
        key: The key.
        organization: Policies of its organization.
        home: The account that it is taken to lie in, where that is not known.
    """
    found: dict[str, None] = {}
    texts = [key.account, key.partition, key.key_id, key.id]
    texts += [key.region] if isinstance(key.region, str) else []
    texts += [grant.grantee for grant in key.grants if isinstance(grant.grantee, str)]
    for text in texts:
        found.update(dict.fromkeys(_holes_of(text)))
    policies = (key.policy, *organization.scps, *organization.rcps)
    for policy in policies:
        found.update(dict.fromkeys(_holes_in(policy)))
    if not found:
        return {}
    partition = home_partition(key)
    known = "aws" if has_hole(partition) else partition
    home = key.account if is_account_id(key.account) else home
    arns = {text for policy in policies for text in _arns_in(policy)} if any(map(_holes_in, policies)) else ()
    made: dict[str, str] = {}
    for number, piece in enumerate(found):
        ((kind, identity),) = holes(piece)
        name = identity.rsplit(".", 1)[-1].rsplit("::", 1)[-1]
        plain = "".join(character for character in name if character.isalnum()) or f"Text{number}"
        if kind is HoleKind.ENVIRONMENT:
            made[piece] = {"partition": known, "region": "us-east-1"}.get(name.lower(), home)
        elif kind is HoleKind.GENERATED:
            made[piece] = f"{plain}-{number}"
        elif piece in arns:
            made[piece] = f"arn:{known}:iam::{home}:role/{plain}"
        else:
            made[piece] = home if piece == key.account or "ccount" in plain else plain
    return made


def _holes_of(text: str) -> list[str]:
    # Text from outside may hold the mark of a hole that is none: nothing is known of it, and nothing taken.
    return [piece for piece in split_holes(text) if holes(piece)] if has_hole(text) else []


@once
def _holes_in(policy: Policy) -> tuple[str, ...]:
    """The holes of a policy in their order: most have none, and every key is asked for them."""
    texts = (text for one in policy.statements if _has_hole(one) for text in _texts_in(one))
    return tuple(dict.fromkeys(piece for text in texts for piece in _holes_of(text)))


def _has_hole(statement: Statement) -> bool:
    """Whether some text of a statement has a hole, each list looked through as one text."""
    listed = [statement.actions, statement.not_actions, statement.resources, statement.not_resources]
    for who in (statement.principals, statement.not_principals):
        if isinstance(who, tuple):
            listed.append(tuple(principal.value for principal in who))
    if isinstance(statement.conditions, tuple):
        listed.extend(condition.values for condition in statement.conditions)
    return any(isinstance(texts, tuple) and has_hole("".join(texts)) for texts in listed)


def _arns_in(policy: Policy) -> Iterator[str]:
    """Texts of a policy that have to be names of principals."""
    for statement in policy.statements:
        for listed in (statement.principals, statement.not_principals):
            if isinstance(listed, tuple):
                yield from (principal.value for principal in listed)
        if isinstance(statement.conditions, tuple):
            for condition in statement.conditions:
                if condition.folded_key == "aws:principalarn" and isinstance(condition.values, tuple):
                    yield from condition.values


def _texts_in(statement: Statement) -> Iterator[str]:
    for listed in (statement.principals, statement.not_principals):
        if isinstance(listed, tuple):
            yield from (principal.value for principal in listed)
    for texts in (statement.actions, statement.not_actions, statement.resources, statement.not_resources):
        if isinstance(texts, tuple):
            yield from texts
    if isinstance(statement.conditions, tuple):
        for condition in statement.conditions:
            if isinstance(condition.values, tuple):
                yield from condition.values


def fill(text: str, texts: Mapping[str, str]) -> str:
    """The text with its holes filled in."""
    if not has_hole(text):
        return text
    return "".join(texts.get(piece, piece) for piece in split_holes(text))


def grounded(policy: Policy, texts: Mapping[str, str]) -> Policy:
    """The policy as it may be deployed, so that what it allows is allowed whatever is decided of its Denies.

    A Deny that may be left out, or of which an element is not known, stays and hits: a request that shows
    something has to be one that it does not mean. What may not be a Deny at all is left out.
    """
    spend(len(policy.statements))
    if not _holes_in(policy) and not any(map(_is_open, policy.statements)):
        return policy
    kept = tuple(
        grounded_statement(statement, texts)
        for statement in policy.statements
        if not (_is_open(statement) and isinstance(statement.effect, Unknown))
    )
    return policy if kept == policy.statements else replace(policy, statements=kept)


def _is_open(statement: Statement) -> bool:
    parts = (
        statement.effect,
        statement.principals,
        statement.not_principals,
        statement.actions,
        statement.not_actions,
        statement.resources,
        statement.not_resources,
        statement.conditions,
    )
    if not statement.certain or any(isinstance(part, Unknown) for part in parts):
        return True
    conditions = statement.conditions if isinstance(statement.conditions, tuple) else ()
    return any(isinstance(condition.values, Unknown) for condition in conditions)


def grounded_statement(statement: Statement, texts: Mapping[str, str]) -> Statement:
    """The statement with its holes filled in, which is there for certain."""
    if not _has_hole(statement) and statement.certain:
        return statement

    def each(listed: tuple[str, ...] | Unknown | None) -> tuple[str, ...] | Unknown | None:
        return tuple(fill(text, texts) for text in listed) if isinstance(listed, tuple) else listed

    def who(listed: tuple[Principal, ...] | Unknown | None) -> tuple[Principal, ...] | Unknown | None:
        if not isinstance(listed, tuple):
            return listed
        return tuple(replace(principal, value=fill(principal.value, texts)) for principal in listed)

    conditions = statement.conditions
    if isinstance(conditions, tuple):
        conditions = tuple(
            replace(condition, values=tuple(fill(value, texts) for value in condition.values))
            if isinstance(condition.values, tuple)
            else condition
            for condition in conditions
        )
    return replace(
        statement,
        certain=True,
        principals=who(statement.principals),
        not_principals=who(statement.not_principals),
        actions=each(statement.actions),
        not_actions=each(statement.not_actions),
        resources=each(statement.resources),
        not_resources=each(statement.not_resources),
        conditions=conditions,
    )
