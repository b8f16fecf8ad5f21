"""Faults in what keys that differ by names alone have in common."""

from __future__ import annotations

from mutations.mutant import Mutant

FILE = "guardrails/alike.py"
TESTS = ("tests/guardrails/test_alike.py",)


def _fault(name: str, old: str, new: str, harm: str) -> Mutant:
    return Mutant(f"alike-{name}", FILE, old, new, harm, TESTS)


ALIKE = (
    _fault(
        "pattern-in-the-policy",
        "patterns = (*filter(_may_mean_names, rest), *self._open)",
        "patterns = self._open",
        "A key whose policy denies role/*-2 would get the answer of one whose roles it does not mean.",
    ),
    _fault(
        "pattern-around",
        "patterns = (*filter(_may_mean_names, rest), *self._open)",
        "patterns = tuple(filter(_may_mean_names, rest))",
        "A pattern of the configuration would authorise the users of every key, or of none.",
    ),
    _fault(
        "word-around", "                or name in self._words\n", "", "An IAM policy of one would be lost."
    ),
    _fault("word-in-the-policy", "                or name in words\n", "", "A session of one would be lost."),
    _fault("one-name-twice", "names.count(name) > 1", "False", "Two accounts' roles would be one."),
    _fault("begun", "                or arn in begun\n", "", "The end of a longer name would be cut off."),
    _fault(
        "reserved",
        'not _RESERVED.match(found["name"]) and not may_be_generated(text)',
        "True",
        "Roles that AWS writes would be roles like any other.",
    ),
    _fault(
        "order",
        "sorted(spoken.texts, key=canonical)",
        "()",
        "Principals would be listed in another order than by name.",
    ),
    _fault("size", ", key.policy.size)", ")", "Policies of any size would be one."),
    _fault(
        "key-of-an-iam-policy",
        "or not self._ids.isdisjoint(own) ",
        "",
        "What an IAM policy gives on one key it would give on all, or on none.",
    ),
    _fault(
        "alias-around",
        "if self._by_name_of_key or not own",
        "if not own",
        "An RCP about aliases would bind keys without one.",
    ),
    _fault(
        "alias-in-the-policy",
        "            if _speaks_of_one_key(condition.key):\n                return False\n",
        "",
        "A condition on the alias would hold of keys without one.",
    ),
    _fault(
        "resource",
        'if statement.resources != ("*",) or statement.not_resources is not None:',
        "if statement.not_resources is not None:",
        "A statement on another key would be one on this.",
    ),
    _fault("grants", "and not key.grants ", "", "Grants of one key would be lost or those of all."),
    _fault("replica", "key.kind is KeyKind.KEY and key.primary is None", "True", "A replica would be a key."),
    _fault(
        "order-by-partition",
        "sorted(spoken.texts, key=canonical)",
        "sorted(spoken.texts)",
        "Principals of another partition would be listed in another order than by name.",
    ),
    _fault(
        "facts",
        "*_numbered(spoken, arns), *_facts(key)",
        "*_numbered(spoken, arns), id(key.vocabulary)",
        "A key of another account would get the answer of this one.",
    ),
    _fault(
        "declared",
        "            spoken.say(patterns)\n",
        "",
        "Principals declared for one key would be authorised for all.",
    ),
    _fault(
        "location",
        "changed(finding, location=location) if pieces is None",
        "finding if pieces is None",
        "The finding of one key would stand a thousand times.",
    ),
    _fault("names", "form.format(*arns)", "text", "Findings would name the roles of another key."),
    _fault(
        "own-text",
        "if any(self._own.search(piece) for piece in pieces[::2]):",
        "if False:",
        "What is said of one key by another of its names would be said of all.",
    ),
)
