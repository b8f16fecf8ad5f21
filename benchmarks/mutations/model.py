"""Faults in patterns, limits and what a policy says of its key."""

from __future__ import annotations

from mutations.mutant import Mutant

MODEL = (
    Mutant(
        "glob-question-mark",
        "model/globs.py",
        "return other != _STAR and other[0] != OPEN",
        "return other[0] != OPEN",
        "`role/ops-?` would count as covering `role/ops-*`, so a Deny would seem to hit more than it does.",
    ),
    Mutant(
        "glob-prefix-match",
        "model/globs.py",
        "    return position == len(pattern)\n",
        "    return True\n",
        "A pattern would match every text that begins like it ends nowhere: ARNs would be taken for others.",
    ),
    Mutant(
        "glob-environment-literal",
        "model/globs.py",
        'return _ENVIRONMENT if token[1] == "e" else _STAR',
        'return token if token[1] == "e" else _STAR',
        "An undecided account would be taken to differ from every literal one, and regions would lose it.",
    ),
    Mutant(
        "glob-variable-literal",
        "model/globs.py",
        "    left, right = without_variables(left), without_variables(right)\n",
        "",
        "A policy variable in a Resource would be taken literally, and an Allow by it would be overlooked.",
    ),
    Mutant(
        "partition-of-a-doubtful-statement",
        "model/policy.py",
        "        if not statement.certain:\n            continue\n        for principals in",
        "        for principals in",
        "A branch that may not be deployed would settle the partition.",
    ),
    Mutant(
        "colon-in-the-resource",
        "model/globs.py",
        "inner = resource.translate(_TO_FIELD) if certainly else resource",
        "inner = resource",
        "A Deny under ArnLike would count for paths with colons, of which AWS does not say so.",
    ),
    Mutant(
        "glob-generated-name",
        "model/globs.py",
        "    if _may_be_spelt(left, right) or _may_be_spelt(right, left):\n        return True\n",
        "",
        "The name of a role of a deployed stack would never be that role.",
    ),
    Mutant(
        "glob-hole-in-a-hole",
        "model/globs.py",
        "    if OPEN in pattern and _is_broken(pattern):\n        return (_STAR,)\n",
        "",
        "Text put into a hole would count as known.",
    ),
    Mutant(
        "limit-any-account",
        "model/limits.py",
        "    if arn.account:\n        return value.one(arn.account)\n",
        "    if arn.account:\n        return True\n",
        "`arn:aws:sns:*:*:*` would count as a source, so anybody's topic could use the key.",
    ),
    Mutant(
        "limit-any-bucket",
        "model/limits.py",
        'return value.one(arn.resource.partition("/")[0] if arn.service == "s3" else arn.resource)',
        "return True",
        "`arn:aws:s3:::*` would count as a source.",
    ),
    Mutant(
        "limit-crossing",
        "model/limits.py",
        "    if value.crossing and any(map(has_wildcard, before[:2])):\n",
        "    if False:\n",
        "An account that stands in a stranger's resource name would count as the owner's.",
    ),
    Mutant(
        "limit-any-organization",
        "model/limits.py",
        "        return value.one()\n    return value.one(organization)\n",
        "        return value.one()\n    return True\n",
        "`o-*/*` would count as an organization.",
    ),
    Mutant(
        "limit-addresses-one-by-one",
        "model/limits.py",
        "sizes[network.version] += network.num_addresses",
        "sizes[network.version] = network.num_addresses",
        "Ranges that are everything together would count as a limit.",
    ),
    Mutant(
        "limit-any-service",
        "model/limits.py",
        "    return value.one(name if dot else None)\n",
        "    return value.says_something()\n",
        "`*.amazonaws.com` would count as a service.",
    ),
    Mutant(
        "limit-any-role",
        "model/limits.py",
        "    if has_wildcard(kind):\n        return False\n",
        "    return True\n",
        "`role/*` would count as naming principals, and let everyone of the account call directly.",
    ),
    Mutant(
        "limit-variables",
        "model/limits.py",
        "patterns=not exact or open_text != text",
        "patterns=not exact",
        "`${aws:SourceAccount}` would count as one account: the attacker's own.",
    ),
    Mutant(
        "limit-keys-unlisted",
        "model/limits.py",
        "    if limit is None or operator is None or not operator.pins:\n        return False\n    if",
        "    if limit is None:\n        return True\n    if operator is None or not operator.pins:\n"
        "        return False\n    if",
        "A key that nobody has looked at would count as a limit.",
    ),
    Mutant(
        "home-any-account",
        "model/home.py",
        "            if _ANY in found:\n                return None\n",
        "            found.discard(_ANY)\n",
        "A key whose policy anyone may change would be judged in an account that may not be its own.",
        ("tests/model/test_home.py",),
    ),
)
