"""Runs the rules over an estate and makes one report of their answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from functools import partial

from msgspec.structs import replace

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.acceptance import Acceptances, meant_for_us
from kms_constructs.guardrails.alike import FEWEST, Alike, Alikes
from kms_constructs.guardrails.baseline import Baseline
from kms_constructs.guardrails.catalogue import CATALOGUE, find_control
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.control import Control
from kms_constructs.guardrails.declarations import declared, limited, refused
from kms_constructs.guardrails.finding import INTERNAL_ERROR, Finding, Outcome, Report, Severity
from kms_constructs.guardrails.fingerprint import Evidence, Fingerprints
from kms_constructs.guardrails.live.authorised import as_declared
from kms_constructs.guardrails.registry import RULES
from kms_constructs.guardrails.rule import Rule, RuleContext
from kms_constructs.guardrails.worlds import Judged, merged_findings
from kms_constructs.model.ceilings import MAX_STEPS
from kms_constructs.model.collector import collector_paused
from kms_constructs.model.effort import SIMPLER, Effort, Efforts, TooComplexError, limited_to, spend
from kms_constructs.model.estate import Estate, Key, Location, without_policy
from kms_constructs.model.frozen import Frozen

DISABLED = "disabled"
"""Detail of the finding that stands for a control that the configuration switches off."""

TOO_COMPLEX = "too-complex"
"""Detail of the finding that stands for what takes too many steps to follow."""

_ORDER = {control_id: position for position, control_id in enumerate(CATALOGUE)}


def judge(
    estate: Estate,
    config: GuardrailConfig | None = None,
    *,
    controls: Collection[str] | None = None,
    today: date | None = None,
    rules: Sequence[type[Rule]] = RULES,
    pause_gc: bool = False,
    baseline: Baseline | None = None,
    declarations: bool = True,
    share_from: float = FEWEST,
    alikes: Alikes | None = None,
) -> Report:
    """Judges an estate by the guardrails.

    Args:
        estate: Everything that is to be judged together, in every world that it can become.
        config: The configuration; None for the defaults.
        controls: Ids of the controls to judge by; None for all.
        today: The day that ages are counted to; None for the current day (UTC).
        rules: The rules; for tests.
        pause_gc: Whether to switch the cyclic garbage collector off meanwhile, for the whole process. Saves
            up to a fifth of the time over many keys, where nothing else runs in the process.
        baseline: What was there when the guardrails came, and is accepted.
        declarations: Whether what the input says of itself counts: who is authorised, what is accepted.
        share_from: From how many keys on those that differ by names alone are judged once; ``math.inf`` to
            judge each by itself, with the same report.
        alikes: What other reports on the same estate have found of keys that are alike; None for nothing.

    Returns:
        Every answer, compliant ones included, sorted by source, resource, control and detail. A rule that
        fails gives an undetermined finding and never a pass.

    Raises:
        ConfigurationError: `controls` names one that the catalogue does not have.

    Example:
        >>> from kms_constructs.model.estate import Key, Location
        >>> from kms_constructs.model.policy import default_key_policy
        >>> key = Key(id="k", location=Location("t.json", logical_id="Key"), account="111122223333",
        ...     region="eu-west-1", policy=default_key_policy("aws", "111122223333"))
        >>> [finding.id for finding in judge(Estate(keys=(key,)), controls=["KMS:001"]).failures]
        ['KMS:001[enabled]']
    """
    settings = config or GuardrailConfig()
    wanted = _wanted(controls)
    day = today or datetime.now(UTC).date()
    estate = as_declared(estate)
    estate = limited(estate, settings.may_declare) if declarations else refused(estate)
    estate = replace(estate, acceptances=tuple(filter(meant_for_us, estate.acceptances)))
    chosen = [rule for rule in rules if rule.control.id in wanted]
    asked = _Asked(settings, chosen, day, share_from, Efforts(), alikes or Alikes())
    found: Iterable[Finding]
    with collector_paused() if pause_gc else nullcontext():
        if estate.worlds:
            known = Judged()
            each = [asked.found(world.estate, known) for world in estate.worlds]
            found = merged_findings(estate.worlds, each)
        else:
            found = asked.found(estate)
        acceptances = Acceptances(settings, estate.acceptances, baseline, wanted, day)
        finish = _Finish(settings, Fingerprints(estate))
        finished: list[Finding] = []
        for finding in found:
            if finding.outcome is _COMPLIANT or finding.outcome is _NOT_APPLICABLE:
                finished.append(finding)  # nothing to accept: most findings are
            else:
                finished += acceptances.applied_to(finish(finding))
        finished.sort(key=_sort_key)
    return Report(
        findings=tuple(finished),
        problems=estate.problems,
        keys=len({key.id for world in estate.every_world for key in world.estate.keys}),
        sources=estate.sources,
        notes=estate.notes,
        remarks=(*declared(estate), *acceptances.remarks()),
    )


_COMPLIANT = Outcome.COMPLIANT
_NOT_APPLICABLE = Outcome.NOT_APPLICABLE


class _Asked(Frozen, frozen=True):
    """What is asked of every world.

    Args:
        settings: The configuration.
        rules: The rules.
        day: The day that ages are counted to.
        share_from: From how many keys on those that differ by names alone are judged once.
        efforts: What each key has left of the steps that it is given, in all worlds together.
        alikes: What is known of keys that are alike.
    """

    settings: GuardrailConfig
    rules: Sequence[type[Rule]]
    day: date
    share_from: float
    efforts: Efforts
    alikes: Alikes

    def found(self, estate: Estate, known: Judged | None = None) -> list[Finding]:
        """What the rules find in one world, given what they found in others."""
        context = RuleContext(estate, self.settings, self.day)
        if known is not None:
            known.enter(estate)
        alike = self.alikes.of(estate, self.settings) if len(estate.keys) >= self.share_from else None
        found: list[Finding] = []
        for rule_type in self.rules:
            if rule_type.control.id in self.settings.disabled:
                found.append(_disabled(rule_type.control, self.settings))
            else:
                found.extend(_run(rule_type, context, known, alike, self.efforts))
        return found


def _wanted(controls: Collection[str] | None) -> frozenset[str]:
    if controls is None:
        return frozenset(CATALOGUE)
    found: set[str] = set()
    for given in controls:
        control = find_control(given)
        if control is None:
            raise ConfigurationError(
                "controls", given, "there is no such control", f"use ids of {', '.join(CATALOGUE)}"
            )
        found.add(control.id)
    return frozenset(found)


def _run(
    rule_type: type[Rule], context: RuleContext, known: Judged | None, alike: Alike | None, efforts: Efforts
) -> Iterator[Finding]:
    estate = context.estate
    everywhere = Location(estate.sources[0] if estate.sources else "estate")
    try:
        rule = rule_type(context)
    except Exception as error:  # noqa: BLE001 - a rule that fails must become a finding, whatever it raised
        yield _failed(rule_type.control, everywhere, error)
        return
    for key in estate.keys:
        if known is None:
            yield from _of_key(rule, key, alike, efforts)
        else:
            yield from known.of(rule_type, key, partial(_of_key, rule, key, alike, efforts))
    yield from _check_estate(rule, estate, everywhere)


def _of_key(rule: Rule, key: Key, alike: Alike | None, efforts: Efforts) -> list[Finding]:
    """What a rule finds of a key; what it found of another that is alike, if there is one."""
    if alike is None or not rule.by_shape:
        return _check_key(rule, key, efforts)
    try:
        return alike.of(type(rule), key, partial(_check_key, rule, key, efforts), rule.apart(key))
    except Exception as error:  # noqa: BLE001 - a rule that fails must become a finding, whatever it raised
        return [_failed(rule.control, key.location, error)]


def _check_key(rule: Rule, key: Key, efforts: Efforts) -> list[Finding]:
    """What a rule finds of a key; if it takes too long to follow, as if its policy were not known."""
    effort = efforts.of(key.id)
    try:
        with limited_to(effort):
            spend(0)  # what is used up is not begun
            return _guarded(rule, lambda: rule.check_key(key), key.location)
    except TooComplexError as error:
        unread = without_policy(key, str(error))
    try:
        with limited_to(Effort()):
            return _guarded(rule, lambda: rule.check_key(unread), key.location)
    except TooComplexError as error:
        return [_too_complex(rule.control, key.location, error)]


def _check_estate(rule: Rule, estate: Estate, everywhere: Location) -> list[Finding]:
    size = len(estate.keys) + len(estate.identity_policies)
    try:
        with limited_to(Effort(MAX_STEPS * max(1, size))):
            return _guarded(rule, rule.check_estate, everywhere)
    except TooComplexError as error:
        return [_too_complex(rule.control, everywhere, error)]


def _guarded(rule: Rule, check: Callable[[], Iterable[Finding]], location: Location) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check())
    except TooComplexError:
        raise
    except Exception as error:  # noqa: BLE001 - a rule that fails must become a finding, whatever it raised
        # What it found before it failed stays, but nothing that says "compliant" does.
        found = [finding for finding in found if finding.outcome is Outcome.VIOLATION]
        found.append(_failed(rule.control, location, error))
    return found


def _failed(control: Control, location: Location, error: Exception) -> Finding:
    return Finding(
        control=control.id,
        outcome=Outcome.UNDETERMINED,
        severity=control.severity if control.severity.fails else Severity.LOW,
        location=location,
        message=f"The rule for {control.id} failed with {type(error).__name__}: {error}",
        fix="This is a defect of kms-constructs: report it with the input. "
        "Until it is mended, review this control by hand.",
        detail=INTERNAL_ERROR,
    )


def _too_complex(control: Control, location: Location, error: TooComplexError) -> Finding:
    return Finding(
        control=control.id,
        outcome=Outcome.UNDETERMINED,
        severity=control.severity if control.severity.fails else Severity.LOW,
        location=location,
        message=f"It cannot be told: {error}.",
        fix=SIMPLER,
        detail=TOO_COMPLEX,
    )


def _disabled(control: Control, config: GuardrailConfig) -> Finding:
    return Finding(
        control=control.id,
        outcome=Outcome.NOT_APPLICABLE,
        severity=control.severity,
        location=Location(config.source),
        message=f"Switched off by the configuration: {config.disabled[control.id]}",
        detail=DISABLED,
    )


def _sort_key(finding: Finding) -> tuple[str, str, str, int, str, str, str]:
    place = finding.location
    return (
        *place.order,
        _ORDER.get(finding.control, len(_ORDER)),
        finding.detail,
        finding.path,
        finding.message,
    )


class _Finish:
    """Completes what speaks against a resource: its severity by the configuration, and what exactly it is."""

    def __init__(self, config: GuardrailConfig, fingerprints: Fingerprints) -> None:
        self._config = config
        self._fingerprints = fingerprints

    def __call__(self, finding: Finding) -> Finding:
        return replace(
            finding, severity=self._severity(finding), evidence=Evidence(self._fingerprints, finding)
        )

    def _severity(self, finding: Finding) -> Severity:
        if finding.outcome is Outcome.UNDETERMINED and not self._config.undetermined_fails:
            return Severity.WARNING
        overrides = self._config.severities
        if not overrides:
            return finding.severity
        return overrides.get(finding.id) or overrides.get(finding.control) or finding.severity
