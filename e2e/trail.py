"""The trail of all this: taken into a store, reported, judged, and asked what a change would break."""

from __future__ import annotations

import time
from collections import Counter

from e2e.chain import OPERATOR, Chain
from e2e.recording import delivered
from reference_app.environments import ACCOUNT, REGION, role

LOGS = f"trail-logs-{ACCOUNT}"


def read(run: Chain) -> None:
    """An application that may only use a key schedules its deletion: the trail tells."""
    key = run.made["alias/prod/orders"]
    intruder = role("prod-app-role")
    kms = run.client("kms", caller=intruder)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    run.client("kms").enable_key(KeyId=key)
    place = delivered(run.client("s3"), LOGS, run.records, account=ACCOUNT, region=REGION)
    store = str(run.directory / "trail")
    today = time.strftime("%Y-%m-%d", time.gmtime())
    ingest = ("kms-constructs", "trail", "ingest")
    taken = run.json(*ingest, place, "--since", today, "--into", store, "--format", "json", codes=[0])
    run.expect(taken["kept"] == len(run.records), f"{len(run.records)} calls of this run are in the store")
    run.run(*ingest, place, "--into", store, shown=["taken before"])
    looked_up = (
        "lookup-events",
        "--region",
        REGION,
        "--since",
        today,
        "--into",
        str(run.directory / "looked-up"),
    )
    run.run(*ingest, *looked_up, shown=["events read"])
    report = ("kms-constructs", "trail", "report", store, "--report", "by-event", "--format", "json")
    (events,) = run.json(*report)["reports"]
    counted = Counter(one["eventName"] for one in run.records)
    run.expect(
        {row["event_name"]: row["calls"] for row in events["rows"]} == counted,
        f"the report counts them right: {', '.join(f'{name} {n}' for name, n in counted.most_common(4))}, …",
    )
    findings = run.json(
        *("kms-constructs", "trail", "detect", store, "--format", "json"),
        *("--against", str(run.assembly), "--against", str(run.directory / "watched")),
        codes=[1],
    )["findings"]
    for one in findings:
        run.say(f"{one['level']:11} {one['detection']:21} {one['principal']} on {one['key']}")
    critical = {
        (one["detection"], one["principal"], one["key"]) for one in findings if one["level"] == "critical"
    }
    changed = run.made["dev/us-east-1"]
    run.expect(
        critical
        == {
            ("schedule-key-deletion", intruder, key),
            ("put-key-policy", OPERATOR, changed),
            ("disable-key-rotation", OPERATOR, changed),
        },
        "the planted incident and both changes by hand are found, and nothing else is critical",
    )
