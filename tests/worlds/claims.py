"""What "compliant" promises, control by control, as the requests that would refute it.

In every claim a policy is taken as it can be deployed (each hole a text), the evaluator decides one
request, and the adversary writes IAM policies: everyone but the root user, services and service-linked
roles (whose policies AWS alone writes) has one that allows everything.

* **IAM-KMS-1**: the root user of the key's account may call PutKeyPolicy, by a plain call, under the
  organization's policies. A plain call is direct, over TLS, without the lockout bypass, and carries of the
  optional keys none; its time, its address and (unless configured) its organization nobody can foresee.
* **IAM-KMS-2, 3, 4, 5, 7**: nobody but the root user of the key's account and the authorised principals may
  call the action, in any circumstances. Of an IAM policy: it gives the action to nobody who is not
  authorised, neither on the key nor on a key outside the app that leaves everything to IAM.
* **IAM-KMS-6**: (a) no service principal acts on an attacker's behalf: with source keys and an encryption
  context that are the attacker's or absent, it may do nothing but read, and create grants for AWS
  resources; (b) what ``*`` gives of cryptographic actions (as ``NotPrincipal`` does), no attacker may do, and
  nobody whom the policy does not name may do in a direct call, or through a service that no policy names;
  (c) nobody but the root user and the authorised principals may create a grant that is not an AWS
  service's, but of operations and to grantees that the key declares.
* **IAM-KMS-8**: no principal but the root user of the key's account may call a managing and a using action,
  each in some circumstances, whatever its IAM policies say. CreateGrant outside AWS services is a use.
* **KMS:004**: (a) no attacker may call anything; (b) no principal of another account that is not trusted
  may do more than read in a plain call: direct or through a service that nobody named, without encryption
  context, and from an organization, network and address that nobody named; (c) nobody but the account
  itself may call every action by the key policy alone. Of an IAM policy: it decrypts with no key that it
  does not name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kms_constructs.analysis.evaluate import Request, evaluate
from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.actions import ACTIONS, ActionClass
from kms_constructs.model.policy import Effect, default_key_policy
from tests.worlds.case import Case, Verdict, judged, policy_place
from tests.worlds.resolution import resolutions
from tests.worlds.vocabulary import ATTACKER, GUARDED, HOME, MANAGING, OTHER_KEY_ID, SERVICES, USING, arn
from tests.worlds.world import UNNAMED, Context, World

_READS = frozenset(name for name, action in ACTIONS.items() if action.classification is ActionClass.READ)
_ON_KEY = sorted((name for name, action in ACTIONS.items() if action.on_key), reverse=True)
_FOREIGN_USES = (*USING, "CreateGrant", "RetireGrant")


@dataclass(frozen=True)
class Witness:
    """A request that refutes a claim, and how.

    Args:
        principal, action, context: The request.
        note: What is wrong with its being allowed or denied.
        place: Number of the IAM policy that the claim is about; None for the key.
        world: The deployment, as a case without anything open.
    """

    principal: str
    action: str
    context: Context
    note: str
    world: Case
    place: int | None = None


Claim = Callable[[World], Iterator[Witness]]


def _witness(world: World, caller: str, action: str, context: Context, note: str) -> Witness:
    return Witness(caller, action, context, note, world.case)


def _may_do(world: World, caller: str) -> bool:
    """Whether a caller is authorised, or cannot exist beside one who is: role names are unique in an
    account."""
    patterns = world.case.authorised
    names = {
        (*pattern.split(":", 5)[4:5], pattern.rsplit("/", 1)[-1])
        for pattern in patterns
        if ":role/" in pattern
    }
    twin = ":role/" in caller and (caller.split(":", 5)[4], caller.rsplit("/", 1)[-1]) in names
    return caller == world.root or _matches(patterns, caller) or twin


def _matches(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a configuration authorises a principal, whatever partition its pattern is written for."""
    rest = name.split(":", 2)[-1]
    return any(_glob(pattern.split(":", 2)[-1], rest) for pattern in patterns)


def _glob(pattern: str, text: str) -> bool:
    made = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    return re.fullmatch(made, text, re.DOTALL) is not None


def root_is_shut_out(world: World) -> Iterator[Witness]:
    """IAM-KMS-1."""
    for context in _unforeseeable(world):
        if not world.allowed(world.root, "PutKeyPolicy", context, []):
            yield _witness(world, world.root, "PutKeyPolicy", context, "the root user is denied")
            return


def _unforeseeable(world: World) -> Iterator[Context]:
    plain = {
        "aws:viaawsservice": "false",
        "kms:bypasspolicylockoutsafetycheck": "false",
        "aws:principalisawsservice": "false",
    }
    own = world.case.organization
    for organization in (own,) if own else ("o-home123456", "o-other12345", UNNAMED):
        base = {**world.base(world.root, organization), **plain}
        yield base
        for moment in ("2019-06-01T12:00:00Z", "2026-01-01T00:00:00Z", "2031-01-01T00:00:00Z"):
            yield {**base, "aws:currenttime": moment}
        for epoch in ("1500000000", "1900000000"):
            yield {**base, "aws:epochtime": epoch}
        for address in ("10.1.2.3", "198.51.100.7", "2001:db8::1", "2001:db9::1"):
            yield {**base, "aws:sourceip": address}
    if not own:
        base = {**world.base(world.root), **plain}
        yield {key: value for key, value in base.items() if not key.startswith("aws:principalorg")}


def guarded(action: str) -> Claim:
    """IAM-KMS-2, 3, 4, 5, 7."""

    def claim(world: World) -> Iterator[Witness]:
        for caller in world.callers:
            if _may_do(world, caller):
                continue
            context = world.anyhow(caller, action)
            if context is not None:
                yield _witness(world, caller, action, context, "not authorised")
                return

    return claim


def _confused_deputies(world: World) -> Iterator[Context]:
    """What a service's call on an attacker's behalf carries."""
    evil = {
        "aws:sourcearn": f"arn:{world.case.partition}:sns:{world.case.region}:{ATTACKER}:evil",
        "aws:sourceaccount": ATTACKER,
        "aws:sourceorgid": UNNAMED,
        "aws:sourceorgpaths": (f"{UNNAMED}/r-evil/",),
    }
    bucket = {**evil, "aws:sourcearn": f"arn:{world.case.partition}:s3:::evil"}
    for source in ({}, evil, bucket):
        for encryption in (
            {},
            {"kms:encryptioncontext:dept": "attack", "kms:encryptioncontextkeys": ("dept",)},
        ):
            yield {**world.facts(), "aws:currenttime": "2026-06-01T12:00:00Z", **source, **encryption}


def services_are_open(world: World) -> Iterator[Witness]:
    """IAM-KMS-6."""
    named = _naming_someone(world)
    for caller in SERVICES:
        for action in (*USING, "Sign", "PutKeyPolicy", "TagResource", "ScheduleKeyDeletion"):
            # What everyone may do beside cryptography is for KMS:004 to say.
            asked = world if ACTIONS[action].classification is ActionClass.CRYPTOGRAPHIC else named
            for context in _confused_deputies(world):
                if asked.allowed(caller, action, context, []):
                    yield _witness(world, caller, action, context, "confused deputy")
                    return
    yield from _open_to_everyone(world)
    yield from _grants_by_anyone(world)


def _unnamed_service(world: World) -> str:
    """A service that no policy names: whoever lets it in lets any service in."""
    return f"unnamed.{world.case.region}.amazonaws.com"


def _names_someone(statement: Mapping[str, object]) -> bool:
    if statement.get("Effect") != "Deny" and "NotPrincipal" in statement:
        return False  # whom it does not name is everyone else
    principal = statement.get("Principal")
    listed = principal.get("AWS", ()) if isinstance(principal, dict) else principal
    return statement.get("Effect") == "Deny" or not (
        listed == "*" or (isinstance(listed, list) and "*" in listed)
    )


def _naming_someone(world: World) -> World:
    """The world without the Allows for everyone."""
    return World(replace(world.case, statements=tuple(filter(_names_someone, world.case.statements))))


def _open_to_everyone(world: World) -> Iterator[Witness]:
    named = _naming_someone(world)
    strangers = (world.arn("role/Stranger"), world.arn("user/Stranger"))
    for caller in (*world.attackers, *strangers):
        # A stranger's own IAM policies are not the key policy's doing: at home nothing but the statement
        # counts.
        iam = [] if caller in strangers else world.policies_for(caller)
        for action in USING:
            for circumstance in (*world.circumstances(action), {"kms:viaservice": _unnamed_service(world)}):
                context = {**world.base(caller), **circumstance}
                if caller in strangers:
                    context = {
                        key: value
                        for key, value in context.items()
                        if not key.startswith("kms:encryptioncontext")
                        and (key != "kms:viaservice" or value == _unnamed_service(world))
                    }
                # A policy that names a stranger once it is resolved means that one.
                if world.allowed(caller, action, context, iam) and not named.allowed(
                    caller, action, context, iam
                ):
                    note = (
                        "an attacker" if caller not in strangers else "a direct call of one who is not named"
                    )
                    yield _witness(world, caller, action, context, note)
                    return


def _grants_by_anyone(world: World) -> Iterator[Witness]:
    alone = _without_service_grants(world)
    for caller in world.callers:
        if _may_do(world, caller):
            continue
        for circumstance in world.circumstances("CreateGrant"):
            # A grant that the key declares is not asked about: this one serves somebody else.
            evil = {"kms:granteeprincipal": world.arn("role/Evil"), "kms:grantoperations": ("Decrypt",)}
            context = {**world.base(caller), **circumstance, **evil}
            for flag in ({}, {"kms:grantisforawsresource": "false"}):
                context.pop("kms:grantisforawsresource", None)
                if alone.allowed(caller, "CreateGrant", {**context, **flag}, world.policies_for(caller)):
                    yield _witness(world, caller, "CreateGrant", {**context, **flag}, "a grant for anyone")
                    return


def _without_service_grants(world: World) -> World:
    """The world without the grants that AWS services made for their own use, which no control objects to."""
    kept = tuple(grant for grant in world.key.grants if not grant.for_aws_service)
    return World(replace(world.case, grants=kept)) if kept != world.key.grants else world


def duties_meet(world: World) -> Iterator[Witness]:
    """IAM-KMS-8."""
    uses = USING if world.key.key_usage == "ENCRYPT_DECRYPT" else ("Sign", "Verify")
    for caller in world.callers:
        if caller == world.root:
            continue
        managed = next(
            (
                (action, context)
                for action in MANAGING
                if (context := world.anyhow(caller, action)) is not None
            ),
            None,
        )
        if managed is None:
            continue
        used = next(
            ((action, context) for action in uses if (context := world.anyhow(caller, action)) is not None),
            None,
        ) or _direct_grant(world, caller)
        if used is None:
            continue
        by_key = any(world.anyhow(caller, action, []) is not None for action in MANAGING)
        use_by_key = used[0] == "CreateGrant" or world.anyhow(caller, used[0], []) is not None
        how = "manages by the key policy" if by_key else "manages by IAM"
        also = "uses by the key policy" if use_by_key else "uses by IAM"
        yield _witness(world, caller, used[0], used[1], f"{how} ({managed[0]}), {also}")
        return


def _direct_grant(world: World, caller: str) -> tuple[str, Context] | None:
    for context in world.contexts(caller, "CreateGrant"):
        for flag in ({}, {"kms:grantisforawsresource": "false"}):
            asked = {key: value for key, value in context.items() if key != "kms:grantisforawsresource"}
            if world.allowed(caller, "CreateGrant", {**asked, **flag}, world.policies_for(caller)):
                return "CreateGrant", {**asked, **flag}
    return None


def outsiders_get_in(world: World) -> Iterator[Witness]:
    """KMS:004."""
    evil: Mapping[str, str] = {
        "aws:sourceip": "198.51.100.66",
        "aws:sourcevpc": "vpc-0evil",
        "aws:sourcevpce": "vpce-0evil",
        "aws:sourceaccount": ATTACKER,
        "aws:sourceorgid": UNNAMED,
        "aws:sourcearn": f"arn:{world.case.partition}:sns:{world.case.region}:{ATTACKER}:evil",
    }
    callers = [
        caller for caller in world.callers if caller.startswith("arn:") and caller not in world.attackers
    ]
    alone = _without_service_grants(world)
    trusted = {world.case.account, *world.case.trusted}
    foreign = [
        caller
        for caller in callers
        if caller.split(":")[4] not in trusted and not _is_named_by_id(world, caller)
    ]
    for caller in (*world.attackers, *foreign):
        attacker = caller in world.attackers
        for action in (*_FOREIGN_USES, *(("DescribeKey",) if attacker else ())):
            for circumstance in world.circumstances(action) if attacker else ({},):
                carried = {
                    key: evil.get(key, value)
                    for key, value in circumstance.items()
                    if key != "kms:granteeprincipal"
                }
                base = {**world.base(caller, UNNAMED), "aws:sourceip": evil["aws:sourceip"]}
                unnamed = {**base, "kms:viaservice": _unnamed_service(world)}
                for context in (
                    ({**base, **carried}, {**base, **evil, **carried}) if attacker else (base, unnamed)
                ):
                    if alone.allowed(caller, action, context, world.policies_for(caller)):
                        note = "an attacker" if attacker else "another account, not limited"
                        yield _witness(world, caller, action, context, note)
                        return
    yield from _all_actions(alone)


def _is_named_by_id(world: World, caller: str) -> bool:
    """Whether a policy pins the unique id of a caller, which nobody else can have: so it limits."""
    own = str(world.base(caller, UNNAMED).get("aws:userid", "")).partition(":")[0]
    listed = _values_of(world.case.statements, "aws:userid")
    return any(str(text).partition(":")[0] == own for texts in listed for text in texts)


def _values_of(statements: Iterable[Mapping[str, object]], key: str) -> Iterator[tuple[object, ...]]:
    for statement in statements:
        conditions = statement.get("Condition")
        for pairs in conditions.values() if isinstance(conditions, dict) else ():
            for name, values in pairs.items() if isinstance(pairs, dict) else ():
                if str(name).lower() == key:
                    yield tuple(values) if isinstance(values, list | tuple) else (values,)


def _all_actions(world: World) -> Iterator[Witness]:
    for caller in world.callers:
        if caller == world.root:
            continue
        at_home = not caller.startswith("arn:") or caller.split(":")[4] == world.case.account
        iam = [] if at_home else world.policies_for(caller)
        if all(world.anyhow(caller, action, iam) is not None for action in _ON_KEY):
            yield _witness(world, caller, "PutKeyPolicy", world.base(caller), "all actions")
            return


CLAIMS: Mapping[str, Claim] = {
    "IAM-KMS-1": root_is_shut_out,
    **{control: guarded(action) for control, action in GUARDED.items()},
    "IAM-KMS-6": services_are_open,
    "IAM-KMS-8": duties_meet,
    "KMS:004": outsiders_get_in,
}
"""Control to what would refute its "compliant" about a key."""


def iam_gives(world: World, control: str, number: int) -> Iterator[Witness]:
    """What would refute that an IAM policy complies: IAM-KMS-2, 3, 4, 5, 7 and KMS:004."""
    iam = world.case.iam[number]
    policy = [world.iam[number].policy]
    actions = (GUARDED[control],) if control in GUARDED else ("Decrypt", "ReEncryptFrom")
    outside = replace(
        world.key,
        key_id=OTHER_KEY_ID,
        policy=default_key_policy(world.case.partition, world.case.account),
        grants=(),
    )
    holders = (*iam.attached, *((world.arn("role/Stranger"),) if iam.attachable else ()))
    if iam.kind == "permissions boundary":
        return
    for holder in holders:
        if _may_do(world, holder):
            continue
        for action in actions:
            for circumstance in world.circumstances(action):
                context = {**world.base(holder), **circumstance}
                plain = {
                    key: value
                    for key, value in context.items()
                    if not key.startswith(("kms:encryptioncontext", "kms:resourcealiases"))
                }
                asked = plain if control == "KMS:004" else context
                world.asked += 1
                request = Request(principal=holder, action=action, context=asked)
                if evaluate(request, outside, identity_policies=policy).allowed:
                    yield Witness(holder, action, asked, "on a key outside the app", world.case, number)
                    return
                if control not in GUARDED or _by_itself(world, holder, action, context):
                    continue
                if action == GUARDED["IAM-KMS-2"] and world.key.origin != "EXTERNAL":
                    continue  # KMS deletes no key material that it made itself, whoever asks
                if world.allowed(holder, action, context, policy):
                    yield Witness(holder, action, context, "on the key", world.case, number)
                    return


def _by_itself(world: World, holder: str, action: str, context: Context) -> bool:
    return world.allowed(holder, action, context, [])


def refutations(
    case: Case, verdict: Verdict | None = None, *, seed: int = 0, tries: int = 5
) -> Iterator[tuple[str, Witness]]:
    """Every control that calls the key or an IAM policy compliant and is refuted by a request."""
    found = verdict or judged(case)
    keys = [control for control in CLAIMS if found.complies(control)]
    policies = [
        (control, number)
        for control in (*GUARDED, "KMS:004")
        for number in range(len(case.iam))
        if found.complies(control, policy_place(number))
    ]
    yield from refuted(case, keys, policies, seed=seed, tries=tries)


def refuted(
    case: Case,
    keys: list[str],
    policies: list[tuple[str, int]],
    *,
    seed: int = 0,
    tries: int = 5,
    asked: Callable[[int], None] = lambda count: None,
) -> Iterator[tuple[str, Witness]]:
    """The controls among these whose claim about the key, or about an IAM policy, a request refutes."""
    left = dict.fromkeys(keys)
    for resolution in resolutions(case, seed):
        if not left and not policies:
            return
        world = World(resolution, seed, tries)
        if HOME not in {case.account, resolution.account} and not world.deployable():
            continue
        for control in tuple(left):
            for witness in CLAIMS[control](world):
                del left[control]
                yield control, witness
                break
        for control, number in tuple(policies):
            for witness in iam_gives(world, control, number):
                policies.remove((control, number))
                yield control, witness
                break
        asked(world.asked)


__all__ = ["CLAIMS", "Effect", "Outcome", "Witness", "arn", "iam_gives", "refutations", "refuted"]
