"""The live keys, judged by the same rules; then one is changed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from e2e.chain import REGIONS, Chain
from reference_app.environments import ACCOUNT, REGION

_WORST = ("not applicable", "compliant", "undetermined", "violation")
LIVE_ONLY = frozenset({"KMS:DRIFT", "KMS:LIVE", "KMS:GRANTS"})
"""Controls that ask what no template says."""


def audited(run: Chain) -> None:
    """Audits what was deployed: each control says of each key what it said at synth."""
    everything = ("--all", "--format", "json")
    report = run.json("kms-constructs", "check", str(run.assembly), *everything)
    at_synth = _verdicts(report, _declared)
    report = run.json(*_audit(run), *everything)
    names = {arn: name for name, arn in run.made.items()}
    live = _verdicts(report, lambda place: names.get(_arn(place), ""))
    compared = [
        (place, control, said, here)
        for place, controls in at_synth.items()
        for control, said in controls.items()
        if control not in LIVE_ONLY and (here := live[place].get(control, _WORST[0])) != _WORST[0]
    ]
    differ = [one for one in compared if one[2] != one[3]]
    run.expect(
        not differ and compared,
        f"{len(compared)} verdicts on {len(at_synth)} keys are those of synth" if not differ else str(differ),
    )
    left_out = sorted(
        control
        for control in set().union(*at_synth.values()) - LIVE_ONLY
        if all(controls.get(control, _WORST[0]) == _WORST[0] for controls in live.values())
    )
    run.say(f"(of live keys not asked: {', '.join(left_out) or 'nothing'})")
    run.expect(
        all(controls["KMS:DRIFT"] == "compliant" for controls in live.values()),
        "KMS:DRIFT: every live key is as its template declares it",
    )


def drifted(run: Chain) -> None:
    """Somebody gives a contractor Decrypt by hand, and switches rotation off."""
    key = run.made["dev/us-east-1"]
    kms = run.client("kms")
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    contractor = f"arn:aws:iam::{ACCOUNT}:role/contractor"
    policy["Statement"].append(
        {
            "Sid": "Temporary",
            "Effect": "Allow",
            "Principal": {"AWS": contractor},
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    )
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    kms.disable_key_rotation(KeyId=key)
    run.run(
        *_audit(run),
        *("--against", str(run.directory / "watched"), "--verbose"),
        codes=[1],
        shown=["KMS:DRIFT[policy]", contractor, "KMS:DRIFT[rotation]", "KMS:001[enabled]"],
    )
    run.expect(True, "the change by hand is found and named")


def _audit(run: Chain) -> tuple[str, ...]:
    regions = [part for region in REGIONS for part in ("--region", region)]
    # The emulator knows no GetKeyLastUsage.
    return ("kms-constructs", "audit", *regions, "--no-last-usage", "--against", str(run.assembly))


def _verdicts(report: Any, name: Callable[[dict[str, str]], str]) -> dict[str, dict[str, str]]:
    """The worst outcome of each control of each key, by environment and Region."""
    found: dict[str, dict[str, str]] = {}
    for one in report["findings"]:
        if key := name(one["location"]):
            known = found.setdefault(key, {})
            worst = known.get(one["control"], _WORST[0])
            known[one["control"]] = max(worst, one["outcome"], key=_WORST.index)
    return found


def _declared(place: dict[str, str]) -> str:
    """Environment and Region of a key that is declared: ``prod/eu-west-1``; empty for what is no key."""
    environment, _, rest = place["stack"].partition("-data-key")
    if environment == place["stack"]:
        return ""
    return f"{environment}/{rest.removeprefix('-replicas-') or REGION}"


def _arn(place: dict[str, str]) -> str:
    account, _, region = place["source"].partition("/")
    return f"arn:aws:kms:{region}:{account}:key/{place['logicalId']}"
