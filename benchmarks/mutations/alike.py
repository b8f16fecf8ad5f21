"""Faults in what keys that differ by names alone have in common."""

from __future__ import annotations

from mutations.mutant import Mutant

ALIKE_FILE = "guardrails/alike.py"
SHAPES = "guardrails/shapes.py"
TOKENS = "guardrails/tokens.py"
LINT = "guardrails/rules/kms_lint.py"
TESTS = ("tests/guardrails/test_alike.py",)


def _fault(name: str, old: str, new: str, harm: str, file: str = SHAPES) -> Mutant:
    return Mutant(f"alike-{name}", file, old, new, harm, TESTS)


ALIKE = (
    _fault(
        "pattern-in-the-policy",
        "patterns = (*filter(may_mean_names, rest), *around.patterns)",
        "patterns = around.patterns",
        "A key whose policy denies role/*-2 would get the answer of one whose roles it does not mean.",
    ),
    _fault(
        "pattern-around",
        "patterns = (*filter(may_mean_names, rest), *around.patterns)",
        "patterns = tuple(filter(may_mean_names, rest))",
        "A pattern of the configuration would authorise the users of every key, or of none.",
    ),
    _fault(
        "word-around",
        "                or around.has_word(name, own)\n",
        "",
        "An IAM policy of one would be lost.",
    ),
    _fault("word-in-the-policy", "name in words\n", "False\n", "A session of one would be lost."),
    _fault("one-name-twice", "if names[name] > 1 or", "if", "Two accounts' roles would be one."),
    _fault("begun", " or arn in begun:", ":", "The end of a longer name would be cut off."),
    _fault(
        "reserved",
        'if found is None or _RESERVED.match(found["name"]):',
        "if found is None:",
        "Roles that AWS writes would be roles like any other.",
        TOKENS,
    ),
    _fault(
        "spelt",
        "return None if found.re is _TOKEN and may_be_generated(text) else found",
        "return found",
        "A name of CloudFormation's form would be like any other, and may be that of a role of a template.",
        TOKENS,
    ),
    _fault(
        "order",
        "sorted(spoken.texts, key=canonical)",
        "()",
        "Principals would be listed in another order than by name.",
    ),
    _fault(
        "order-by-partition",
        "sorted(spoken.texts, key=canonical)",
        "sorted(spoken.texts)",
        "Principals of another partition would be listed in another order than by name.",
    ),
    _fault("size", ", key.policy.size)", ")", "Policies of any size would be one."),
    _fault(
        "key-of-an-iam-policy",
        " or key.key_id in self._of_several\n",
        "\n",
        "What an IAM policy gives on several keys it would give on all, or on none.",
    ),
    _fault(
        "own-iam-policy",
        "        for before, policy in own:\n",
        "        for before, policy in ():\n",
        "What an IAM policy gives on one key it would give on all, or on none.",
    ),
    _fault(
        "for-one-key",
        "            if alone is not None and _is_for(policy, alone):\n",
        "            if alone is not None:\n",
        "A policy for one key and for all others would be for one.",
    ),
    _fault(
        "holder",
        "        parts += (len(texts), *texts)\n",
        "",
        "Whoever an IAM policy hangs at would be its holder for every key.",
    ),
    _fault(
        "before",
        "parts: list[Hashable] = [before, policy.kind",
        "parts: list[Hashable] = [policy.kind",
        "What others give would be told in the order of another key.",
    ),
    _fault(
        "alias-around",
        "self._by_name_of_key or ",
        "",
        "An RCP about aliases would bind keys without one.",
    ),
    _fault(
        "alias-in-the-policy",
        "        of_one_key = of_one_key or speaks_of_one_key(condition.key)\n",
        "",
        "A condition on the alias would hold of keys without one.",
    ),
    _fault(
        "resource",
        'of_one_key = statement.resources != ("*",) or statement.not_resources is not None',
        "of_one_key = statement.not_resources is not None",
        "A statement on another key would be one on this.",
    ),
    _fault("grants", "and not key.grants ", "", "Grants of one key would be lost or those of all."),
    _fault("replica", "key.kind is KeyKind.KEY and key.primary is None", "True", "A replica would be a key."),
    _fault(
        "facts",
        "*_numbered(spoken, arns), *_facts(key)",
        "*_numbered(spoken, arns), id(key.vocabulary)",
        "A key of another account would get the answer of this one.",
    ),
    _fault(
        "declared",
        "            spoken.say(control, patterns)\n",
        "            pass\n",
        "Principals declared for one key would be authorised for all.",
    ),
    _fault(
        "made-around",
        "                or around.has_made(resource, own)\n",
        "",
        "A role of a template that has a policy for all keys would be like one that has none.",
    ),
    _fault(
        "made-and-spelt",
        "                spelt\n                or around",
        "                around",
        "A literal name that may be a role's of a template would be nobody's.",
    ),
    _fault(
        "made-and-patterns",
        "                or any(may_be_made(pattern, arn) for pattern in patterns)\n",
        "",
        "A pattern that means the roles of one stack would mean those of all.",
    ),
    _fault(
        "location",
        "replace(finding, location=location) if pieces is None",
        "finding if pieces is None",
        "The finding of one key would stand a thousand times.",
        ALIKE_FILE,
    ),
    _fault(
        "names", "form.format(*spelt)", "text", "Findings would name the roles of another key.", ALIKE_FILE
    ),
    _fault(
        "own-text",
        "if any(self._own.search(piece) for piece in pieces[::2]):",
        "if False:",
        "What is said of one key by another of its names would be said of all.",
        ALIKE_FILE,
    ),
    _fault(
        "own-policy",
        "            told += (policy.id, policy.name, display(policy.name))\n",
        "            pass\n",
        "Findings would name the IAM policy of another key.",
        ALIKE_FILE,
    ),
    _fault(
        "apart",
        "        place = rule, shaped.shape, apart\n",
        "        place = rule, shaped.shape, ()\n",
        "What is wrong with the properties of one key would be wrong with those of all.",
        ALIKE_FILE,
    ),
    _fault(
        "properties",
        "return key.policy_only or tuple(property_remarks(key))",
        "return ()",
        "What is wrong with the properties of one key would be wrong with those of all.",
        LINT,
    ),
)
