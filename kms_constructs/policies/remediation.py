"""What exactly would mend a finding of a live key, and why a change is not proposed where it is not safe.

Only changes that take nothing away from anybody who uses the key are proposed: rotation switched on, a
deletion cancelled, a guarded action denied to all but the authorised. A new key policy is judged before it is
proposed: the finding has to be gone, no other may be there, the root user has to be able to restore the
policy, and nobody may use the key for less than before. Whatever else there is to do is left to people, with
the advice of its rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from msgspec import field
from msgspec.structs import replace

from kms_constructs.analysis.access import Capability
from kms_constructs.analysis.diff import diff_access
from kms_constructs.analysis.principals import root_arn
from kms_constructs.analysis.recorded.call import Recorded
from kms_constructs.analysis.recorded.impact import impact_of
from kms_constructs.analysis.recorded.replay import Verdict
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report
from kms_constructs.model.estate import Estate, Key
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS, May
from kms_constructs.model.key_specs import DEFAULT_ROTATION_PERIOD_DAYS
from kms_constructs.model.policy import parse_policy
from kms_constructs.model.reading import parsed_json
from kms_constructs.policies.denials import deny_actions
from kms_constructs.sources.kms_api.answers import KMS, Answers, Call
from kms_constructs.sources.kms_api.keys import DEFAULT_POLICY
from kms_constructs.sources.kms_api.vocabulary import POLICY_PATH

_NOT_USE: Final = frozenset(
    {
        *(guarded.capability for guarded in GUARDED_ACTIONS.values()),
        Capability.READ.value,
        Capability.MANAGE.value,
        Capability.REPLICATE.value,
        Capability.IMPORT.value,
    }
)
"""What is no use of a key: everything else may not become less."""
_DISABLED: Final = "KMS takes no change of rotation while the key is not enabled: enable it, or retire it."
_BAD: Final = (Outcome.VIOLATION, Outcome.UNDETERMINED)


class Kind(StrEnum):
    """What becomes of a finding."""

    CHANGE = "change"
    """There is an exact change that is safe."""
    REFUSED = "refused"
    """There is one, and the analysis speaks against it."""
    BY_HAND = "by hand"
    """Somebody has to decide."""
    OPEN = "not known"
    """Whether there is anything to mend is not known: something was not answered."""


class Change(Frozen, frozen=True, kw_only=True):
    """What to do about one or more findings of one key.

    Args:
        kind: What becomes of them.
        findings: Their ids.
        key: ARN of the key; empty for findings of other resources.
        named: What people call the key or the other resource.
        region: Its Region.
        why: What is wrong, or what speaks against the change.
        operation: The call of KMS that makes the change; empty where there is none.
        parameters: Its parameters.
        cdk: The same in a CDK app.
        terraform: The same in Terraform.
        before: The key policy that a new one replaces, as it was read.
    """

    kind: Kind
    findings: tuple[str, ...]
    key: str
    region: str
    why: str
    operation: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cdk: str = ""
    terraform: str = ""
    before: str = ""
    named: str = ""

    @property
    def command(self) -> str:
        """The change as a command of the AWS CLI; empty where there is none."""
        if not self.operation:
            return ""
        words = ["aws", "kms", _kebab(self.operation), "--region", self.region]
        for name, value in self.parameters.items():
            words += [f"--{_kebab(name)}", _quoted(value)]
        return " ".join(words)


def plan(report: Report, estate: Estate, answers: Answers, config: GuardrailConfig) -> tuple[Change, ...]:
    """What to do about every open finding of a report, in its order; those of one change together.

    Args:
        report: What was found.
        estate: What was judged.
        answers: What it was read from: policies are changed in the words they are written in.
        config: The configuration that it was judged by.
    """
    keys = {key.location: key for key in estate.keys}
    found: list[Change] = []
    policies: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.outcome not in _BAD or finding.acknowledged is not None:
            continue
        key = keys.get(finding.location)
        if finding.outcome is Outcome.UNDETERMINED:
            found.append(replace(_by_hand((finding,), key), kind=Kind.OPEN))
            continue
        if key is not None and finding.control in GUARDED_ACTIONS and finding.path.startswith(POLICY_PATH):
            policies.setdefault(key.id, []).append(finding)
            continue
        found.append(_simple(finding, key, config))
    by_id = {key.id: key for key in estate.keys}
    for key_id, findings in policies.items():
        found.extend(_policy(by_id[key_id], findings, estate, answers, config))
    return tuple(found)


def _simple(finding: Finding, key: Key | None, config: GuardrailConfig) -> Change:
    if key is None or not isinstance(key.region, str):
        return _by_hand((finding,), key)
    mended = {
        "KMS:001[enabled]": ("EnableKeyRotation", _rotation),
        "KMS:001[period]": ("EnableKeyRotation", _rotation),
        "KMS:002[pending-deletion]": ("CancelKeyDeletion", _kept),
    }.get(finding.id)
    if mended is None:
        return _by_hand((finding,), key)
    operation, words = mended
    if operation == "EnableKeyRotation" and key.key_state != "Enabled":
        return replace(_by_hand((finding,), key), why=f"{finding.message} {_DISABLED}")
    parameters, cdk, terraform = words(key, config)
    return Change(
        kind=Kind.CHANGE,
        findings=(finding.id,),
        key=key.id,
        named=key.location.title,
        region=key.region,
        why=finding.message,
        operation=operation,
        parameters=parameters,
        cdk=cdk,
        terraform=terraform,
    )


def _rotation(key: Key, config: GuardrailConfig) -> tuple[dict[str, Any], str, str]:
    days = min(config.rotation_period_ceiling, DEFAULT_ROTATION_PERIOD_DAYS)
    return (
        {"KeyId": key.id, "RotationPeriodInDays": days},
        f"rotation_period={days}",
        f"enable_key_rotation = true, rotation_period_in_days = {days}",
    )


def _kept(key: Key, _config: GuardrailConfig) -> tuple[dict[str, Any], str, str]:
    keep = "lifecycle { prevent_destroy = true }"
    return {"KeyId": key.id}, "removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE", keep


def _by_hand(findings: Iterable[Finding], key: Key | None) -> Change:
    listed = tuple(findings)
    return Change(
        kind=Kind.BY_HAND,
        findings=tuple(dict.fromkeys(one.id for one in listed)),
        key="" if key is None else key.id,
        named=key.location.title if key is not None else str(listed[0].location),
        region=str(key.region) if key is not None and isinstance(key.region, str) else "",
        why=f"{listed[0].message} {listed[0].fix}".strip(),
    )


def _policy(
    key: Key, findings: list[Finding], estate: Estate, answers: Answers, config: GuardrailConfig
) -> Iterator[Change]:
    """Denies guarded actions to all but those whom the configuration authorises."""
    decided = [one for one in findings if _exempt(one.control, key, config) is not None]
    undecided = [one for one in findings if one not in decided]
    if undecided:
        yield replace(
            _by_hand(undecided, key),
            why=f"{undecided[0].message} Say in the configuration who is authorised "
            f'(authorised."{undecided[0].control}"): nobody else will be able to.',
        )
    if not decided:
        return
    call = Call.of(
        key.account, str(key.region), KMS, "GetKeyPolicy", KeyId=key.key_id, PolicyName=DEFAULT_POLICY
    )
    before = answers.of(call).text("Policy")
    document = _document(before)
    if before is None or document is None:
        yield _by_hand(decided, key)
        return
    controls = list(dict.fromkeys(one.control for one in decided))
    added = [
        deny_actions(
            f"{GUARDED_ACTIONS[control].sid}{number}",
            [GUARDED_ACTIONS[control].action],
            but=_exempt(control, key, config) or (),
        )
        for number, control in enumerate(controls, start=1)
    ]
    after = json.dumps({**document, "Statement": [*document["Statement"], *added]}, separators=(",", ":"))
    change = Change(
        kind=Kind.CHANGE,
        findings=tuple(dict.fromkeys(one.id for one in decided)),
        key=key.id,
        named=key.location.title,
        region=str(key.region),
        why=decided[0].message,
        operation="PutKeyPolicy",
        parameters={"KeyId": key.id, "PolicyName": DEFAULT_POLICY, "Policy": after},
        cdk="SecureKmsKey writes these statements: give break_glass_principals and deployment_principals",
        terraform=f"policy = jsonencode({after})",
        before=before,
    )
    against = against_policy(key, after, controls, estate, config)
    yield change if not against else replace(change, kind=Kind.REFUSED, why=against)


def against_policy(
    key: Key, policy: str, controls: Iterable[str], estate: Estate, config: GuardrailConfig
) -> str:
    """What speaks against a new key policy; nothing when it may be written.

    Args:
        key: The key as it is.
        policy: The new policy as JSON text.
        controls: The controls that it is to satisfy.
        estate: What the key was judged with.
        config: The configuration.
    """
    changed = replace(key, policy=parse_policy(policy, path=POLICY_PATH))
    mine = replace(estate, keys=(key,), unanswered=(), expected=())
    theirs = replace(mine, keys=(changed,))
    was, now = (
        {
            one.id: one
            for one in judge(one, config).findings
            if one.outcome in _BAD and one.location == key.location
        }
        for one in (mine, theirs)
    )
    if left := [one for one in now.values() if one.control in set(controls)]:
        return f"It would not be enough: {left[0].message}"
    if new := [one for name, one in now.items() if name not in was]:
        return f"It would break {new[0].id}: {new[0].message}"
    if locked := [one for one in now.values() if one.control == "IAM-KMS-1"]:
        return f"It would lock the account out: {locked[0].message}"
    lost = [
        one
        for one in diff_access(mine, theirs)
        if one.capability.value not in _NOT_USE and one.before is not one.after
    ]
    if lost:
        return f"It would change how {lost[0].principal} uses the key: {lost[0].capability.value}"
    return ""


def with_changes(estate: Estate, changes: Iterable[Change]) -> Estate:
    """The estate as it would be with the key policies that are proposed.

    Args:
        estate: What was planned for.
        changes: Changes; only those that write a key policy count.
    """
    policies = {one.key: str(one.parameters["Policy"]) for one in changes if writes_policy(one)}
    return replace(
        estate,
        keys=tuple(
            replace(key, policy=parse_policy(policies[key.id], path=POLICY_PATH))
            if key.id in policies
            else key
            for key in estate.keys
        ),
    )


def held_against(change: Change, estate: Estate, recorded: Recorded) -> Change:
    """The change, refused if it would have denied calls that a trail shows.

    Args:
        change: What is proposed.
        estate: What it is proposed for.
        recorded: What the trail tells, read for all that the estate before and after asks of requests.
    """
    if not writes_policy(change):
        return change
    mine = replace(estate, keys=tuple(key for key in estate.keys if key.id == change.key))
    found = impact_of(recorded, with_changes(mine, (change,)), mine)
    lost = [row for row in found.rows if row.may_break]
    if not lost:
        return change
    worst = lost[0]
    would = "would" if worst.verdict is Verdict.DENIED else "may"
    return replace(
        change,
        kind=Kind.REFUSED,
        why=f"The trail shows {worst.calls} of kms:{worst.action} by {worst.principal}, last on "
        f"{worst.last[:10]}, which it {would} deny. Authorise the principal in the configuration if that is "
        "right.",
    )


def writes_policy(change: Change) -> bool:
    """Whether it is a change that writes a key policy."""
    return change.kind is Kind.CHANGE and change.operation == "PutKeyPolicy"


def _exempt(control: str, key: Key, config: GuardrailConfig) -> tuple[str, ...] | None:
    """Who may go on doing what a control guards; None when nobody has said who that is."""
    if GUARDED_ACTIONS[control].may is May.NOBODY:
        return ()
    authorised = config.authorised_for(control)
    if not authorised:
        return None
    return tuple(dict.fromkeys((root_arn(key.account, key.partition), *authorised)))


def _document(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = parsed_json(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or "Statement" not in found:
        return None
    statements = found["Statement"]
    return {**found, "Statement": statements if isinstance(statements, list) else [statements]}


def _kebab(name: str) -> str:
    return "".join(f"-{one.lower()}" if one.isupper() else one for one in name).lstrip("-")


def _quoted(value: object) -> str:
    text = str(value)
    plain = text and all(one.isalnum() or one in "-_:/.=" for one in text)
    return text if plain else "'" + text.replace("'", "'\\''") + "'"
