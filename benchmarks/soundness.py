"""Every compliant verdict against concrete requests: policies by the thousand, requests by the million.

Each run draws a world (a key policy, IAM and organization policies, grants, holes, unknown elements, in any
partition), lets every guardrail that has a claim judge it, and looks for a request that refutes a verdict of
compliant, decided by the evaluator. The worlds and the claims are those of the tests (`tests/worlds`).

    python benchmarks/soundness.py                                  # 100,000 requests
    python benchmarks/soundness.py --requests 1000000 --seed 1 --jobs 2
    python benchmarks/soundness.py --seed 1 --only 4711             # one world again

Prints how many requests were decided, each class of unsound verdicts with its smallest example, and for how
many violations a witness is known: a request that shows it (the finding's own, where it has one). Exit code
1 when a verdict is unsound. World N of a seed is the same on every machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the tests' worlds stand beside, uninstalled

from kms_constructs.guardrails.finding import Outcome
from kms_constructs.model.text import display
from tests.worlds.case import CONTROLS, Case, Verdict, judged, policy_place
from tests.worlds.claims import CLAIMS, Witness, refuted
from tests.worlds.draw import draw_case
from tests.worlds.known import KNOWN_UNSOUND, classes_of
from tests.worlds.shrink import shrunk, still_unsound
from tests.worlds.vocabulary import GUARDED

BATCH = 40
"""Worlds that one job takes at a time."""
SHRUNK = 3
"""How many unsound verdicts of a control one batch makes smaller; the others are counted with them."""


@dataclass
class Tally:
    """What a number of worlds showed."""

    worlds: int = 0
    requests: int = 0
    compliant: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    witnessed: Counter[str] = field(default_factory=Counter)
    unsound: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Takes in what others showed; of two examples the shorter stays."""
        self.worlds += other.worlds
        self.requests += other.requests
        for name in ("compliant", "violations", "witnessed", "unsound"):
            getattr(self, name).update(getattr(other, name))
        for name, example in other.examples.items():
            self.examples[name] = min(self.examples.get(name, example), example, key=lambda one: len(one[1]))
        self.crashes.extend(other.crashes)


def examine(seed: int, numbers: range) -> Tally:
    """Draws, judges and asks about some worlds."""
    tally = Tally()
    smaller: Counter[str] = Counter()
    for number in numbers:
        case = draw_case(random.Random(f"{seed}/{number}"))  # noqa: S311 - random tests, no secrets
        verdict = judged(case)
        tally.worlds += 1
        tally.crashes.extend(f"world {number}: {one.message}" for one in verdict.crashed)
        for control, witness in _unsound(case, verdict, number, tally):
            name = _note(case, control, witness, number, tally, shrink=smaller[control] < SHRUNK)
            smaller[control] += 1
            tally.unsound[name] += 1
    return tally


def _unsound(case: Case, verdict: Verdict, number: int, tally: Tally) -> Iterator[tuple[str, Witness]]:
    complies = [control for control in CLAIMS if verdict.complies(control)]
    violated = [control for control in CLAIMS if Outcome.VIOLATION in verdict.outcomes(control)]
    tally.compliant.update(complies)
    tally.violations.update(violated)
    policies = [
        (control, place)
        for control in (*GUARDED, "KMS:004")
        for place in range(len(case.iam))
        if verdict.complies(control, policy_place(place))
    ]

    def count(requests: int) -> None:
        tally.requests += requests

    yield from refuted(case, complies, policies, seed=number, asked=count)
    shown = {control for control, _ in refuted(case, violated, [], seed=number, asked=count)}
    for control in violated:
        given = (one for one in verdict.at(control) if one.outcome is Outcome.VIOLATION)
        tally.witnessed[control] += control in shown or any(getattr(one, "witness", None) for one in given)


def _note(case: Case, control: str, witness: Witness, number: int, tally: Tally, *, shrink: bool) -> str:
    """The class of an unsound verdict; its example goes into the tally."""
    if not shrink:
        return f"{control}, not looked into"
    smallest = shrunk(case, still_unsound(control, witness.place, seed=number))
    place = [] if witness.place is None else [(control, witness.place)]
    again = next(refuted(smallest, [] if place else [control], place, seed=number), None)
    shown = again[1] if again is not None else witness
    known = sorted(classes_of(control, smallest, shown))
    name = " or ".join(known) if known else f"{control}, of no known class"
    example = (number, _text(smallest, control, shown))
    tally.examples[name] = min(tally.examples.get(name, example), example, key=lambda one: len(one[1]))
    return name


def _text(case: Case, control: str, witness: Witness) -> str:
    plain = Case(statements=())
    differs = {
        name: value
        for name, value in vars(case).items()
        if name != "statements" and value != getattr(plain, name)
    }
    lines = [f"{control}: {witness.note}: {witness.principal} {witness.action}"]
    lines += [f"  {statement}" for statement in case.statements]
    lines += [f"  {name} = {value}" for name, value in differs.items()]
    lines.append(f"  in {dict(sorted(witness.context.items()))}")
    return "\n".join(map(display, lines))


def run(requests: int, seed: int, jobs: int) -> Tally:
    """As many worlds as it takes to decide a number of requests."""
    total = Tally()
    if jobs == 1:
        for start in range(0, sys.maxsize, BATCH):
            total.add(examine(seed, range(start, start + BATCH)))
            if total.requests >= requests:
                return total
    with ProcessPoolExecutor(jobs) as pool:
        start = 0
        waiting = []
        while total.requests < requests:
            while len(waiting) < 2 * jobs:
                waiting.append(pool.submit(examine, seed, range(start, start + BATCH)))
                start += BATCH
            total.add(waiting.pop(0).result())
        for job in waiting:
            job.cancel()
    return total


def report(total: Tally, seconds: float) -> None:
    """Prints what was found."""
    unsound = total.unsound.total()
    print(f"{total.requests:,} requests in {total.worlds:,} worlds, {seconds:.0f} s: {unsound:,} unsound")
    print(f"\n{'control':<10} {'compliant':>10} {'violations':>11} {'with a witness':>15}")
    for control in CONTROLS:
        violations, witnessed = total.violations[control], total.witnessed[control]
        share = f"{witnessed / violations:.0%}" if violations else "-"
        print(f"{control:<10} {total.compliant[control]:>10,} {violations:>11,} {share:>15}")
    for name, count in total.unsound.most_common():
        print(f"\n{count} x {name}{'' if _is_known(name) else '  <== not known'}")
        if name in total.examples:
            number, text = total.examples[name]
            print(f"  world {number}\n  {text.replace(chr(10), chr(10) + '  ')}")
    for crash in total.crashes:
        print(f"\na rule failed: {crash}")


def _is_known(name: str) -> bool:
    return "not looked into" in name or any(part in KNOWN_UNSOUND for part in name.split(" or "))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, help="number of one world")
    options = parser.parse_args()
    began = time.perf_counter()
    if options.only is not None:
        total = examine(options.seed, range(options.only, options.only + 1))
    else:
        total = run(options.requests, options.seed, options.jobs)
    report(total, time.perf_counter() - began)
    return 1 if total.unsound or total.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
