"""A case without anything open, and the requests that it is asked about.

One thing is left open on purpose, for AWS does not document it: whether a wildcard of an ARN operator runs
across a colon in the name of a principal (paths may hold colons). Such a principal counts as allowed when
one of the two readings allows it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.model.actions import ACROSS_ACCOUNTS
from kms_constructs.model.policy import Condition, Policy, parse_policy
from tests.worlds.case import Case
from tests.worlds.conditions import ALWAYS, FOLDED, GRANT, OPTIONAL, carried_of, values_of
from tests.worlds.vocabulary import (
    ATTACKER,
    FOREIGN,
    GENERATED_ROLE,
    GRANTING,
    HOME,
    ORGANIZATION,
    OTHER,
    PARTNER,
    RESOURCES,
    SERVICES,
    STRANGERS,
    arn,
)

Context = dict[str, str | tuple[str, ...]]

EVERYTHING = parse_policy({"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
"""The IAM policy that allows the most: the adversary of every "whatever IAM policies exist"."""
UNNAMED = "o-unnamed000"


class World:
    """One deployment of a case.

    Args:
        case: Without holes and unknowns.
        seed: Decides the circumstances that are tried.
        tries: How many random circumstances there are beside the plain one.
    """

    def __init__(self, case: Case, seed: int = 0, tries: int = 5) -> None:
        self.case = case
        self.key = case.key()
        self.iam = case.identity_policies()
        self.scps, self.rcps = case.organization_policies()
        self.asked = 0
        self._seed = seed
        self._tries = tries
        self._contexts: dict[tuple[bool, bool], list[Context]] = {}
        self._strict_worlds: dict[str, World | None] = {}

    # Who calls

    def arn(self, resource: str, account: str = HOME) -> str:
        """ARN of a principal in the partition of the case."""
        return arn(self.case.partition, account, resource)

    @cached_property
    def callers(self) -> tuple[str, ...]:
        """Principals that the case can tell from each other, one of each sort."""
        case = self.case
        texts: dict[str, None] = {}
        for part in (case.statements, case.scps, case.rcps, case.authorised, case.trusted):
            texts.update(dict.fromkeys(_texts(part)))
        for iam in case.iam:
            texts.update(dict.fromkeys((*_texts(iam.document), *iam.attached)))
        texts.update(dict.fromkeys(str(grant.grantee) for grant in case.grants))
        patterns = [_pattern(text) for text in texts]
        found: dict[object, str] = {}
        for caller in self._everyone:
            names = (caller, *(self._identity(caller, None).get("aws:userid", ""),))
            sort = tuple(any(pattern.fullmatch(str(name)) for name in names) for pattern in patterns)
            # Accounts that are named nowhere are one to every policy.
            account = caller.split(":", 5)[4] if caller.startswith("arn:") else ""
            known = account if account == case.account or any(account in text for text in texts) else ""
            found.setdefault((known, _kind(caller), sort), caller)
        return tuple(found.values())

    @cached_property
    def _everyone(self) -> tuple[str, ...]:
        # A policy that names no account of its own may be deployed to another.
        own = self.case.account
        home = (*RESOURCES, *STRANGERS, f"role/{GENERATED_ROLE}", "federated-user/fred")
        return (
            *(self.arn(resource, own) for resource in home),
            *(
                self.arn(resource, account)
                for account in (HOME, OTHER, PARTNER)
                for resource in FOREIGN
                if account != own
            ),
            *self.attackers,
            *SERVICES,
        )

    @cached_property
    def attackers(self) -> tuple[str, ...]:
        """Principals of an account that no policy names."""
        return (self.arn("role/Evil", ATTACKER), self.arn("user/Evil", ATTACKER), self.arn("root", ATTACKER))

    @property
    def root(self) -> str:
        """The root user of the key's account."""
        return self.arn("root", self.case.account)

    def policies_for(self, caller: str) -> list[Policy]:
        """The adversary's IAM policies: for all who can have some, but those that AWS alone writes."""
        plain = caller.startswith("arn:") and not caller.endswith(":root")
        return [EVERYTHING] if plain and ":role/aws-service-role/" not in caller else []

    # What requests carry

    def facts(self) -> Context:
        """What follows from the key."""
        key = self.key
        return {
            "kms:keyorigin": str(key.origin),
            "kms:keyspec": str(key.key_spec),
            "kms:keyusage": str(key.key_usage),
            "kms:multiregion": "true" if key.multi_region is True else "false",
            "aws:requestedregion": self.case.region,
            "aws:resourceaccount": self.case.account,
        }

    def _identity(self, caller: str, organization: str | None) -> Context:
        if not caller.startswith("arn:"):
            return {}
        account, resource = caller.split(":", 5)[4:]
        name = resource.rsplit("/", 1)[-1].upper()
        kind = resource.split("/", 1)[0]
        user_id = {
            "root": account,
            "user": f"AIDAEXAMPLE{name}",
            "role": f"AROAEXAMPLE{name}:session",
        }.get(kind, f"{account}:{name}")
        found: Context = {"aws:userid": user_id}
        if organization is not None:
            found["aws:principalorgid"] = organization
            found["aws:principalorgpaths"] = (f"{organization}/r-ab12/ou-ab12-11111111/",)
        return found

    def organization_of(self, caller: str) -> str | None:
        """The organization of a caller's account: nobody outside shares the key's."""
        account = caller.split(":", 5)[4] if caller.startswith("arn:") else ""
        return ORGANIZATION if account in {HOME, PARTNER} else UNNAMED if account else None

    def base(self, caller: str, organization: str | None = None) -> Context:
        """What a plain call of this caller carries."""
        return {
            **self.facts(),
            **self._identity(caller, organization or self.organization_of(caller)),
            "aws:currenttime": "2026-06-01T12:00:00Z",
            "aws:epochtime": "1780315200",
            "aws:sourceip": "203.0.113.9",
            "aws:securetransport": "true",
        }

    @cached_property
    def mentioned(self) -> tuple[str, ...]:
        """Folded names of the condition keys that the case uses."""
        found: dict[str, None] = {}
        policies = (self.key.policy, *(one.policy for one in self.iam), *self.scps, *self.rcps)
        for policy in policies:
            for statement in policy.statements:
                if isinstance(statement.conditions, tuple):
                    found.update((condition.folded_key, None) for condition in statement.conditions)
        return tuple(found)

    def circumstances(self, action: str) -> Sequence[Context]:
        """The plain call and some others, in what a caller can choose or nobody can foresee."""
        granting = action in GRANTING
        place = (granting, action == "CreateGrant")
        if place not in self._contexts:
            self._contexts[place] = self._draw(granting=granting, creates=action == "CreateGrant")
        return self._contexts[place]

    def _draw(self, *, granting: bool, creates: bool) -> list[Context]:
        rng = random.Random(f"circumstances {self._seed}")  # noqa: S311 - random tests, no secrets
        keys = [
            key
            for key in self.mentioned
            if key in FOLDED
            and (FOLDED[key].origin in {OPTIONAL, ALWAYS} or (granting and FOLDED[key].origin == GRANT))
        ]
        if not creates:
            keys = [key for key in keys if FOLDED[key].feature != "grantee"]
        found: list[Context] = [{}]
        if not keys:
            return found
        for _ in range(self._tries):
            drawn: Context = {}
            for key in keys:
                carried = carried_of(key, self.case.partition, self.case.region)
                if FOLDED[key].origin != ALWAYS and rng.randrange(3) == 0:
                    continue
                if (
                    rng.randrange(3) == 0
                    and FOLDED[key].origin == OPTIONAL
                    and not isinstance(carried[0], tuple)
                ):
                    values = values_of(key, self.case.partition, self.case.region)
                    drawn[key] = rng.choice(values).replace("*", "x").replace("?", "x")
                else:
                    drawn[key] = rng.choice(carried)
            if drawn not in found:
                found.append(drawn)
        return found

    def contexts(self, caller: str, action: str) -> Iterator[Context]:
        """What calls of this caller for this action may carry."""
        base = self.base(caller)
        for circumstance in self.circumstances(action):
            context = {**base, **circumstance}
            if not caller.startswith("arn:") or caller.endswith(":root"):
                context.pop("aws:principaltag/team", None)
            yield context

    # What is allowed

    def allowed(self, caller: str, action: str, context: Mapping[str, Any], iam: Sequence[Policy]) -> bool:
        """What the evaluator says of one request."""
        self.asked += 1
        request = Request(principal=caller, action=action, context=context)
        if evaluate(request, self.key, identity_policies=iam, scps=self.scps, rcps=self.rcps).allowed:
            return True
        strict = self._strict(caller) if ":" in caller.split(":", 5)[-1] else None
        return strict is not None and strict.allowed(caller, action, context, iam)

    def _strict(self, caller: str) -> World | None:
        """The same, where a wildcard of an ARN operator stops at each colon of this caller's name."""
        if caller not in self._strict_worlds:
            key = replace(self.key, policy=_strictly(self.key.policy, caller))
            made: World | None = None
            if key.policy is not self.key.policy:
                made = World(self.case, self._seed, self._tries)
                made.key = key
                made._strict_worlds[caller] = None
            self._strict_worlds[caller] = made
        return self._strict_worlds[caller]

    def anyhow(self, caller: str, action: str, iam: Sequence[Policy] | None = None) -> Context | None:
        """Circumstances in which a caller may call an action, or None."""
        policies = self.policies_for(caller) if iam is None else iam
        # From abroad KMS takes no other action, whatever the call carries: once is enough.
        hopeless = self.is_abroad(caller) and action not in ACROSS_ACCOUNTS
        for context in (
            islice(self.contexts(caller, action), 1) if hopeless else self.contexts(caller, action)
        ):
            if self.allowed(caller, action, context, policies):
                return context
        return None

    def is_abroad(self, caller: str) -> bool:
        """Whether a caller belongs to another account."""
        return caller.startswith("arn:") and caller.split(":", 5)[4] != self.case.account

    def deployable(self) -> bool:
        """Whether someone of the key's account may change the policy: KMS refuses any other."""
        own = [
            caller
            for caller in self.callers
            if caller.startswith("arn:") and caller.split(":")[4] == self.case.account
        ]
        return any(self.anyhow(caller, "PutKeyPolicy") is not None for caller in own)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            # What stands under these names says nothing of the caller.
            if key not in {"Action", "NotAction", "Resource", "NotResource", "Effect"}:
                yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """Matches whom a text of a policy may mean: a session its role, a name in another partition's spelling
    too."""
    text = re.sub(r"^arn:[a-z-]+:sts::(\d+):assumed-role/(.*)/.*", r"arn:*:iam::\1:role/*\2", text)
    text = re.sub(r"\$\{[^}]*\}", "*", re.sub(r"^arn:aws[a-z-]*:", "arn:*:", text))
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in text), re.DOTALL | re.IGNORECASE
    )


def _kind(caller: str) -> tuple[str, ...]:
    """Kind of a caller: service-linked roles and names with colons are kinds of their own."""
    if not caller.startswith("arn:"):
        return ("service", caller)
    resource = caller.split(":", 5)[-1]
    return (resource.split("/")[0], str("aws-service-role" in resource), str(":" in resource))


def _strictly(policy: Policy, name: str) -> Policy:
    """The policy without the values of ARN operators that match this name across a colon only."""
    statements = tuple(
        replace(statement, conditions=tuple(_strict_condition(one, name) for one in statement.conditions))
        if isinstance(statement.conditions, tuple)
        else statement
        for statement in policy.statements
    )
    return replace(policy, statements=statements) if statements != policy.statements else policy


def _strict_condition(condition: Condition, name: str) -> Condition:
    if "arn" not in condition.base or condition.folded_key != "aws:principalarn":
        return condition
    if not isinstance(condition.values, tuple) or all(_by_colons(value, name) for value in condition.values):
        return condition
    kept = tuple(
        value if _by_colons(value, name) else "arn:none:none:none:none:none" for value in condition.values
    )
    return replace(condition, values=kept)


def _by_colons(pattern: str, name: str) -> bool:
    """Whether the two have as many colons, so that no wildcard has to run across one."""
    return pattern.count(":") == name.count(":")
