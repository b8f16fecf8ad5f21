"""A request that an IAM policy lets through, on a key that leaves such calls to IAM.

An IAM policy by itself opens no key. Where it speaks of all keys, or of one that is not seen, it is asked
about a key that leaves everything to the IAM policies of the caller's account, as KMS's default key policy
does.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from msgspec.structs import replace

from kms_constructs.analysis.carried import misses, nearest, values_around
from kms_constructs.analysis.evaluate import Request, evaluate, may_call
from kms_constructs.analysis.grounding import fill, grounded, texts_of
from kms_constructs.analysis.identity import IdentityGrant
from kms_constructs.analysis.principals import Cell, PrincipalKind
from kms_constructs.analysis.witness import Context, Witness
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Key, Organization
from kms_constructs.model.globs import glob_covers, has_wildcard
from kms_constructs.model.policy import Condition, Effect, Policy, Principal, Statement, parse_policy
from kms_constructs.model.text import FIELD_ANY, FIELD_STAR, display

_MOST_CONTEXTS = 64
_SOME_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
_NOWHERE = Organization()
_WILD = str.maketrans({FIELD_STAR: "*", FIELD_ANY: "?"})
_OF_THE_CALLER = frozenset(
    {"aws:principalarn", "aws:principalaccount", "kms:calleraccount", "aws:principaltype"}
)


def holder_witness(
    grant: IdentityGrant, resource: str, *, but: Sequence[str] = (), organization: Organization = _NOWHERE
) -> Witness | None:
    """A call that a holder of an IAM policy may make on a key that leaves it to IAM.

    Args:
        grant: What the IAM policy allows.
        resource: The one of its resources that is looked at.
        but: ARN patterns of principals that do not count, the authorised ones.
        organization: The organization's policies in force.

    Returns:
        The witness, which `evaluate` allows; None when none was found, as where the policy is not known.
    """
    if grant.statement is None:
        return None
    written = grant.policy.policy
    texts = _texts(grant, resource)
    policy = grounded(written, texts)
    bound = [
        tuple(grounded(one, texts) for one in policies) for policies in (organization.scps, organization.rcps)
    ]
    for cell in grant.principals:
        caller = _caller(cell, texts)
        if caller is None or Cell(cell.kind, (caller,)).within(but):
            continue
        key = _left_to_iam(grant, fill(resource, texts), caller)
        for carried in islice(_contexts(policy), _MOST_CONTEXTS):
            request = Request(principal=caller, action=grant.action, context=carried)
            decided = evaluate(request, key, identity_policies=(policy,), scps=bound[0], rcps=bound[1])
            if decided.allowed:
                taken = {display(hole): text for hole, text in texts.items() if text in caller}
                return Witness(caller, grant.action, carried, True, True, taken)
    return None


def _texts(grant: IdentityGrant, resource: str) -> Mapping[str, str]:
    """A text for every hole in the policy, in the names of its holders and in the resource."""
    holders = tuple(Principal("AWS", one) for cell in grant.principals for one in cell.include)
    named = Statement(index=0, effect=Effect.ALLOW, principals=holders, resources=(resource,))
    both = replace(grant.policy.policy, statements=(*grant.policy.policy.statements, named))
    account = grant.policy.account
    return texts_of(_key(grant, account=account, partition="aws", region="us-east-1", policy=both), _NOWHERE)


def _caller(cell: Cell, texts: Mapping[str, str]) -> str | None:
    """The name of a user or role of the cell: nobody else holds IAM policies."""
    if cell.kind not in (PrincipalKind.USER, PrincipalKind.ROLE):
        return None
    patterns = [fill(one, texts) for one in cell.include]
    written = patterns[0].translate(_WILD)
    name = written.replace("arn:*:", "arn:aws:").replace("*", "Example").replace("?", "x")
    named = parse_arn(name) is not None and may_call(name)
    return name if named and all(glob_covers(pattern, name) for pattern in patterns) else None


def _left_to_iam(grant: IdentityGrant, resource: str, caller: str) -> Key:
    """A key that the resource names, which leaves everything to IAM, in its account and in the caller's."""
    arn, who = parse_arn(resource), parse_arn(caller)
    assert who is not None  # noqa: S101 - `_caller` made it
    parts = {"region": "us-east-1", "account": who.account, "key_id": _SOME_ID}
    if arn is not None:
        written = {"region": arn.region, "account": arn.account, "key_id": arn.resource.removeprefix("key/")}
        parts |= {name: text for name, text in written.items() if text and not has_wildcard(text)}
        if has_wildcard(written["key_id"]):
            parts["key_id"] = written["key_id"].replace("*", _SOME_ID).replace("?", "x")
    roots = [f"arn:{who.partition}:iam::{account}:root" for account in (parts["account"], who.account)]
    policy = parse_policy(
        {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": list(dict.fromkeys(roots))},
                "Action": "kms:*",
                "Resource": "*",
            }
        }
    )
    return _key(grant, policy=policy, partition=who.partition, **parts)


def _key(
    grant: IdentityGrant, *, account: str, partition: str, region: str, policy: Policy, key_id: str = _SOME_ID
) -> Key:
    return Key(
        id="a key that leaves it to IAM",
        location=grant.policy.location,
        account=account,
        partition=partition,
        region=region,
        key_id=key_id,
        policy=policy,
    )


def _contexts(policy: Policy) -> Iterator[Context]:
    """What a call may carry, what satisfies the conditions of Allows first."""
    statements = sorted(policy.statements, key=lambda one: one.effect is not Effect.ALLOW)
    conditions: list[Condition] = [
        condition
        for statement in statements
        if isinstance(statement.conditions, tuple)
        for condition in statement.conditions
        if condition.folded_key not in _OF_THE_CALLER
    ]
    choices: dict[str, tuple[str | tuple[str, ...] | None, ...]] = {}
    for condition in reversed(conditions):
        name = condition.folded_key
        options = dict.fromkeys((*values_around(condition), *choices.get(name, ())))
        choices[name] = tuple(sorted(options, key=partial(misses, condition)))
    for chosen in nearest(list(choices.values())):
        carried = zip(choices, chosen, strict=True)
        yield {name: value for name, value in carried if value is not None}
