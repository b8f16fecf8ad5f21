"""Faults in what says in fewer steps what longer ways say as well."""

from __future__ import annotations

from mutations.mutant import Mutant

_POLICY = ("tests/model/test_policy.py",)
_ACCEPTANCE = ("tests/guardrails/test_acceptance.py",)
_READING = ("tests/model/test_reading.py", "tests/sources/test_decode.py")
_FROZEN = ("tests/model/test_frozen.py",)
_COLLECTOR = ("tests/model/test_collector.py",)
_PACKS = ("tests/cdk/enforcement/test_nag_pack.py",)

SHORTCUTS = (
    Mutant(
        "weighed-with-escapes",
        "model/policy_parser.py",
        'if text.isascii() and "\\\\" not in text:',
        "if text.isascii():",
        "A statement with a null character, which KMS refuses, would pass.",
        _POLICY,
    ),
    Mutant(
        "weighed-beyond-ascii",
        "model/policy_parser.py",
        'if text.isascii() and "\\\\" not in text:',
        'if "\\\\" not in text:',
        "A statement with an arrow in it, which KMS refuses, would pass.",
        _POLICY,
    ),
    Mutant(
        "fingerprints-of-a-copy",
        "guardrails/engine.py",
        "Evidence(self._fingerprints, finding)",
        'Evidence(self._fingerprints, replace(finding, location=Location("elsewhere")))',
        "What was accepted would hang on how a report names its places.",
        _ACCEPTANCE,
    ),
    Mutant(
        "nothing-is-accepted",
        "guardrails/acceptance.py",
        "self._any = bool(self._excluded or self._given or baseline is not None)",
        "self._any = bool(self._given)",
        "What is excluded would fail, and what stands in the baseline.",
        _ACCEPTANCE,
    ),
    Mutant(
        "a-finding-not-completed",
        "guardrails/engine.py",
        "if finding.outcome is _COMPLIANT or finding.outcome is _NOT_APPLICABLE:",
        "if finding.outcome is not Outcome.VIOLATION:",
        "What is undetermined could not be accepted, and `undetermined_fails` would do nothing.",
        ("tests/guardrails/test_engine.py", *_ACCEPTANCE),
    ),
    Mutant(
        "a-rule-by-shape-fails-unsaid",
        "guardrails/engine.py",
        "        return [_failed(rule.control, key.location, error)]\n",
        "        return []\n",
        "A key that cannot be compared with others would pass.",
        ("tests/guardrails/test_alike.py", "tests/guardrails/test_engine.py"),
    ),
    Mutant(
        "collector-thaws-what-others-froze",
        "model/collector.py",
        "    if _is_nothing_frozen():\n",
        "    if True:\n",
        "What a process froze before it forks would be written to by each of its children.",
        _COLLECTOR,
    ),
    Mutant(
        "collector-freezes-for-good",
        "model/collector.py",
        "        gc.unfreeze()\n",
        "",
        "Circles of the app that synthesizes would never be collected.",
        _COLLECTOR,
    ),
    Mutant(
        "asked-above-once-for-all",
        "cdk/enforcement/nag_pack.py",
        " or pack in self._above.told:",
        ":",
        "What an app acknowledges between two validations would not count.",
        _PACKS,
    ),
    Mutant(
        "statement-shape-of-another",
        "analysis/service_calls.py",
        "        place = id(statement)  # it lives as long as the estate does\n",
        "        place = statement.index\n",
        "Services would be refused by what the statement of another key says.",
        ("tests/analysis/test_service_calls.py", "tests/guardrails/rules/test_kms_use.py"),
    ),
    Mutant(
        "metadata-of-one-type",
        "sources/cloudformation/assembly.py",
        "found.setdefault(kind if type(kind) is str else str(kind), [])",
        'found.setdefault("aws:cdk:logicalId", [])',
        "No acknowledgement of the app would count.",
        _PACKS,
    ),
    Mutant(
        "keys-twice-by-count",
        "model/reading.py",
        "    if object_pairs_hook is None or kept == _written(text):\n",
        "    if True:\n",
        "Of a key that stands twice the last would count, whatever stands before it.",
        _READING,
    ),
    Mutant(
        "keys-twice-behind-backslashes",
        "model/reading.py",
        '        quotes = -1 if "\\\\\\\\" in text else quotes - text.count(',
        "        quotes = quotes - text.count(",
        "Objects would be asked, or not, by how many backslashes a text ends in.",
        _READING,
    ),
    Mutant(
        "keys-twice-but-for-texts",
        "model/reading.py",
        "        found += sum(map(len, objects))\n",
        "",
        "Every object would be asked.",
        _READING,
    ),
    Mutant(
        "values-told-apart-by-all",
        "model/frozen.py",
        "        kind.__eq__ = equal  # type: ignore[method-assign]\n",
        "",
        "Findings would differ by what does not tell them apart.",
        _FROZEN,
    ),
    Mutant(
        "values-of-another-class",
        "model/frozen.py",
        "return told(self) == told(other) if type(other) is type(self) else NotImplemented",
        "return told(self) == told(other)",
        "Values of other classes would be compared.",
        _FROZEN,
    ),
    Mutant(
        "values-with-one-list",
        "model/frozen.py",
        '    factory = getattr(default, "factory", None) if type(default) is _FACTORY else None\n',
        "    factory = None\n",
        "The schema of the configuration would show what makes a default.",
        _FROZEN,
    ),
    Mutant(
        "runs-with-a-wildcard-in-them",
        "model/globs.py",
        're.compile(f"[*?{FIELD_STAR}{FIELD_ANY}]")\n_FIELDS',
        're.compile(f"[*?{FIELD_STAR}]")\n_FIELDS',
        "No name would match a pattern with a question mark in a field.",
        ("tests/model",),
    ),
)
