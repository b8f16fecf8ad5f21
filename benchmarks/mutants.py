"""Deliberate faults in the analysis, one at a time: the tests have to notice each.

Every mutant is one change of text in one file of `kms_constructs/analysis`, made in a copy of the package.
`tests/analysis` and the tests of patterns run over the copy; a mutant that they let pass has survived, and
the exit code is 1.

    python benchmarks/mutants.py            # all, one after the other
    python benchmarks/mutants.py session    # those whose name has this word

The tables of cases run first and catch nearly all within seconds; the properties run for those they miss.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = Path("kms_constructs") / "analysis"
PROPERTIES = "tests/analysis/test_properties.py"
PATTERNS = "tests/model/test_globs.py"
LIMIT = 600
"""Seconds after which a run counts as killed: the mutant made it hang."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Args:
        name: Short name.
        file: File of the analysis.
        old: Text that stands there exactly once.
        new: What the fault makes of it.
        harm: What the fault would do to a user.
        tests: The tests that have to notice it, where it is no fault of the analysis.
    """

    name: str
    file: str
    old: str
    new: str
    harm: str
    tests: tuple[str, ...] = ()


WORLDS = ("tests/sources/cloudformation/test_worlds.py", "tests/guardrails/test_worlds.py")

MUTANTS = (
    Mutant(
        "glob-question-mark",
        "../model/globs.py",
        "return other != _STAR and other[0] != OPEN",
        "return other[0] != OPEN",
        "`role/ops-?` would count as covering `role/ops-*`, so a Deny would seem to hit more than it does.",
    ),
    Mutant(
        "glob-prefix-match",
        "../model/globs.py",
        "    return position == len(pattern)\n",
        "    return True\n",
        "A pattern would match every text that begins like it ends nowhere: ARNs would be taken for others.",
    ),
    Mutant(
        "glob-environment-literal",
        "../model/globs.py",
        'return _ENVIRONMENT if token[1] == "e" else _STAR',
        'return token if token[1] == "e" else _STAR',
        "An undecided account would be taken to differ from every literal one, and regions would lose it.",
    ),
    Mutant(
        "glob-variable-literal",
        "../model/globs.py",
        "    left, right = without_variables(left), without_variables(right)\n",
        "",
        "A policy variable in a Resource would be taken literally, and an Allow by it would be overlooked.",
    ),
    Mutant(
        "principal-no-sessions-path",
        "principals.py",
        'found = (f"{start}{name}", f"{start}*/{name}")',
        'found = (f"{start}{name}",)',
        "A session of a role with a path would not be recognised as that role.",
    ),
    Mutant(
        "principal-root-not-delegated",
        "principals.py",
        "return PrincipalCells(cells, delegated=True, unresolved=undecided)",
        "return PrincipalCells(cells[:1], unresolved=undecided)",
        "The root principal would stand for the root user alone, and delegation to IAM would go unseen.",
    ),
    Mutant(
        "principal-unknown-is-nobody",
        "principals.py",
        'everyone(partition), unresolved=f"{display(value)} is no ARN and no account id"',
        '(), unresolved=f"{display(value)} is no ARN and no account id"',
        "A principal that cannot be read would be nobody, and the key would pass.",
    ),
    Mutant(
        "cell-exclusion-lost",
        "principals.py",
        "        if any(glob_covers(pattern, present) for present in cell.include):\n",
        "        if any(globs_meet(pattern, present) for present in cell.include):\n",
        "Excluding one principal would exclude everyone it has a pattern in common with.",
    ),
    Mutant(
        "within-any-meet",
        "principals.py",
        "glob_covers(canonical(pattern), canonical(included))",
        "globs_meet(canonical(pattern), canonical(included))",
        "A whole account would count as authorised because one role of it is.",
    ),
    Mutant(
        "meet-ignores-kind",
        "principals.py",
        "    if left.kind is not right.kind:\n        return None\n    found: Cell",
        "    found: Cell",
        "A user and a role of one pattern would count as one principal.",
    ),
    Mutant(
        "condition-missing-negated",
        "conditions.py",
        "    return operator is not None and operator.negated\n",
        "    return False\n",
        "A negated operator would not match a missing key, so Denies would seem to spare AWS services.",
    ),
    Mutant(
        "condition-if-exists",
        "conditions.py",
        'if condition.if_exists or condition.qualifier == "forallvalues":\n        return True',
        'if condition.qualifier == "forallvalues":\n        return True',
        "…IfExists would demand the key.",
    ),
    Mutant(
        "condition-for-all-values",
        "conditions.py",
        'return all(verdicts) if condition.qualifier == "forallvalues" else any(verdicts)',
        "return any(verdicts)",
        "ForAllValues would be content with one value.",
    ),
    Mutant(
        "condition-empty-list",
        "conditions.py",
        "return not values or condition.qualifier not in QUALIFIERS",
        "return condition.qualifier not in QUALIFIERS",
        "A Deny that exempts an empty list would be trusted, which AWS does not document.",
    ),
    Mutant(
        "condition-variable",
        "conditions.py",
        "return has_variable(value) or not",
        "return not",
        "A Deny that exempts by a policy variable would seem to exempt nobody.",
    ),
    Mutant(
        "condition-arn-crosses-colons",
        "conditions.py",
        '    "arnlike": _arn,\n',
        '    "arnlike": _like,\n',
        "ArnLike would run over colons as StringLike does.",
    ),
    Mutant(
        "condition-literal-asterisk",
        "conditions.py",
        "patterns = certain = tuple(value for value in values if not has_wildcard(value))",
        "patterns = certain = values",
        "An asterisk under StringEquals would exempt principals that AWS denies, and allow others.",
    ),
    Mutant(
        "condition-type-case",
        "conditions.py",
        "any(value not in _TYPES for value in values):\n        return None\n    kinds = {_TYPES[value] for",
        "not values:\n        return None\n    kinds = {_TYPES.get(value, PrincipalKind.ROLE) for",
        "A Deny on the misspelt type `assumedrole` would count, though it hits nobody.",
    ),
    Mutant(
        "atom-satisfying-failing",
        "conditions.py",
        "        leaves_out = self.negated is want\n",
        "        leaves_out = want\n",
        "What satisfies a positive condition would be what it excludes.",
    ),
    Mutant(
        "atom-service-open",
        "conditions.py",
        "return () if self.missing is (not want) else (cell,)",
        "return (cell,) if self.missing is want else ()",
        "Where AWS does not say what a service carries, it would fall out of the region.",
    ),
    Mutant(
        "service-key-inverted",
        "conditions.py",
        '    service = wanted == {"true"}\n',
        '    service = wanted == {"false"}\n',
        "`aws:PrincipalIsAWSService` would be read the wrong way round.",
    ),
    Mutant(
        "region-uncertain-deny",
        "reach.py",
        "                    if statement.certain or not denies\n",
        "                    if True\n",
        "A Deny that a condition may leave out would count as there.",
    ),
    Mutant(
        "region-open-deny",
        "statements.py",
        "            if atom is None:\n                return None\n",
        "            if atom is None:\n                continue\n",
        "A Deny with an open condition would count as if the condition held.",
    ),
    Mutant(
        "region-other-partition",
        "principals.py",
        "    return text.replace(OPEN_PARTITION, partition) if known else text\n",
        "    text = text.replace(OPEN_PARTITION, partition) if known else text\n"
        "    return text.replace('arn:aws-cn:', f'arn:{partition}:')\n",
        "A Deny that names an ARN of another partition would count, though it hits nobody.",
    ),
    Mutant(
        "region-deny-not-principal",
        "statements.py",
        "return None if in_key_policy or statement.not_principals is not None else tuple(atoms)",
        "return tuple(atoms)",
        "A Deny with NotPrincipal would count against everyone, the exempt included.",
    ),
    Mutant(
        "region-session-deny",
        "statements.py",
        "if found.unresolved is not None or is_session(principal.value):",
        "if found.unresolved is not None:",
        "A Deny on one session would count against its role.",
    ),
    Mutant(
        "region-account-deny",
        "statements.py",
        "            if cell.literal is not None:\n",
        "            if True:\n",
        "Patterns that KMS does not take as principals would deny whole sets of them.",
    ),
    Mutant(
        "region-not-action",
        "statements.py",
        "(_action_names(pattern, not certainly) for pattern in not_actions)",
        "(_action_names(pattern, certainly) for pattern in not_actions)",
        "NotAction with an undecided entry would be read the unsafe way round.",
    ),
    Mutant(
        "region-not-resource",
        "key_names.py",
        "return answer if answer is None else answer is wanted",
        "return answer is wanted",
        "A Deny with NotResource would count although an undecided entry may name the key.",
    ),
    Mutant(
        "region-unknown-principal",
        "statements.py",
        "        return (PrincipalCells(everyone(partition), unresolved=statement.principals.reason),)\n",
        "        return ()\n",
        "A statement whose principals cannot be resolved would allow nobody.",
    ),
    Mutant(
        "region-grant-forgotten",
        "reach.py",
        "        parts.extend(_granted(grant, self._key.partition) for grant in grants)\n",
        "",
        "Grants would not be seen.",
    ),
    Mutant(
        "region-scp-binds-all",
        "reach.py",
        "    return (Atom(own, missing=False), *_rcp_scope(partition)",
        "    return (*_rcp_scope(partition)",
        "An SCP would seem to bind other accounts.",
    ),
    Mutant(
        "region-scp-service-linked",
        "reach.py",
        "    return (Atom(own, missing=False), *_rcp_scope(partition)",
        "    return (Atom(own, missing=False)",
        "An SCP would seem to bind service-linked roles.",
    ),
    Mutant(
        "region-rcp-retire",
        "reach.py",
        "binding_rcps = () if action in UNBOUND_BY_RCP else rcps",
        "binding_rcps = rcps",
        "An RCP would seem to take kms:RetireGrant away.",
    ),
    Mutant(
        "region-cache-forgets-context",
        "reach.py",
        "return (action in GRANT_ACTIONS, known), allows",
        "return (action in GRANT_ACTIONS, ()), allows",
        "The answer for one context would be given for another.",
    ),
    Mutant(
        "region-cap-drops-cells",
        "reach.py",
        "            left = tuple(dict.fromkeys(kept))\n    return left\n",
        "            left = tuple(dict.fromkeys(kept))[:1]\n    return left\n",
        "All but one of the pieces that a Deny leaves would be lost.",
    ),
    Mutant(
        "partition-unknown-is-aws",
        "key_names.py",
        "named_partition(key.policy) or key.partition",
        'named_partition(key.policy) or "aws"',
        "Where no Region is given, a Deny on `arn:aws:` would count in every partition.",
    ),
    Mutant(
        "partition-of-a-doubtful-statement",
        "../model/policy.py",
        "        if not statement.certain:\n            continue\n        for principals in",
        "        for principals in",
        "A branch that may not be deployed would settle the partition.",
    ),
    Mutant(
        "partition-foreign-principal",
        "principals.py",
        "if undecided is None and not globs_meet(arn.partition, partition):",
        "if False:",
        "A principal of another partition, which KMS refuses, would be reported as if it could call.",
    ),
    Mutant(
        "partition-variants-exempt",
        "reach.py",
        "account_pattern(PrincipalKind.ROLE, '*', partition)",
        "account_pattern(PrincipalKind.ROLE, '*', 'aws')",
        "Service-linked roles outside `aws` would seem bound by organization policies.",
    ),
    Mutant(
        "colon-text-pattern-as-arn",
        "conditions.py",
        '    elif operator.base != "stringlike":\n        return None\n',
        '    elif operator.base == "stringlike":\n'
        "        patterns = certain = tuple(arn_pattern(one, certainly=True) or one for one in values)\n"
        "    else:\n        return None\n",
        "An exemption by StringLike would spare fewer than it does: text patterns run over colons.",
    ),
    Mutant(
        "colon-arn-pattern-as-text",
        "conditions.py",
        "    if operator.values is ValueType.ARN:\n",
        "    if False:\n",
        "A Deny under ArnLike would seem to hit names that only a text pattern matches.",
    ),
    Mutant(
        "colon-in-the-resource",
        "../model/globs.py",
        "inner = resource.translate(_TO_FIELD) if certainly else resource",
        "inner = resource",
        "A Deny under ArnLike would count for paths with colons, of which AWS does not say so.",
    ),
    Mutant(
        "colon-doubt-unsaid",
        "contribution.py",
        "unresolved=self.unresolved or doubt)",
        "unresolved=self.unresolved)",
        "What AWS does not say would be reported as a violation.",
    ),
    Mutant(
        "colon-account-of-a-text-pattern",
        "principals.py",
        "arn is None or any(map(_CROSSING.search, arn.fields[:3])) or",
        "arn is None or",
        "A text pattern that runs over colons would seem to lie in the account that it spells.",
    ),
    Mutant(
        "any-value-if-exists",
        "conditions.py",
        "return None if condition.if_exists else False",
        "return condition.if_exists",
        "A Deny under ForAnyValue…IfExists would count against services, of which AWS does not say so.",
    ),
    Mutant(
        "key-by-its-id-is-another",
        "key_names.py",
        "return None if _GENERATED not in text and globs_meet(text, key.any_id) else False",
        "return False",
        "An Allow on the key's own ARN, written out, would be overlooked.",
    ),
    Mutant(
        "key-by-its-id-is-this-one",
        "key_names.py",
        "return None if _GENERATED not in text and globs_meet(text, key.any_id) else False",
        "return _GENERATED not in text and globs_meet(text, key.any_id)",
        "A Deny on some key's ARN would count for this key.",
    ),
    Mutant(
        "key-generated-id-is-any",
        "key_names.py",
        "_GENERATED not in text and globs_meet(text, key.any_id)",
        "globs_meet(text, key.any_id)",
        "A policy on one key of the app would seem to reach every other.",
    ),
    Mutant(
        "identity-key-by-its-id",
        "identity_index.py",
        "others = self._open | self._by_id if has_hole(key.arn_pattern) else self._open",
        "others = self._open",
        "An IAM policy that names the key by its id would not be seen to reach it.",
    ),
    Mutant(
        "separation-doubtful-key",
        "separation.py",
        "    return [grant for grant, _ in doubtful], doubtful[0][1]\n",
        "    return [grant for grant, _ in doubtful], None\n",
        "An IAM policy on a key that may be another would be reported as a violation.",
    ),
    Mutant(
        "evaluate-root-needs-iam",
        "evaluate.py",
        'if named == "account" and request.kind is not PrincipalKind.ROOT and by_identity is None:',
        'if named == "account" and by_identity is None:',
        "The root user would seem to need an IAM policy.",
    ),
    Mutant(
        "evaluate-abroad",
        "evaluate.py",
        "        if not home and request.kind is not PrincipalKind.ROOT and by_identity is None:\n"
        "            continue\n",
        "",
        "A principal of another account would seem allowed without an IAM policy of its own.",
    ),
    Mutant(
        "identity-deny-any",
        "identity.py",
        "if not any(glob_covers(deny, pattern) for deny in denied)",
        "if not any(globs_meet(deny, pattern) for deny in denied)",
        "A Deny on one key would seem to take the action off all keys.",
    ),
    Mutant(
        "identity-conditional-deny",
        "identity.py",
        "        and statement.conditions == ()\n",
        "",
        "A Deny under a condition would count as if it always held.",
    ),
    Mutant(
        "separation-grants-for-services",
        "separation.py",
        "_sides(key, (CREATE_GRANT,), DIRECT_GRANT_CONTEXT)",
        "_sides(key, (CREATE_GRANT,))",
        "CreateGrant for AWS services would be reported as use.",
    ),
    Mutant(
        "separation-no-create-grant",
        "separation.py",
        "    using.extend(_sides(key, (CREATE_GRANT,), DIRECT_GRANT_CONTEXT))\n",
        "",
        "An administrator with CreateGrant would pass as separated.",
    ),
    Mutant(
        "separation-delegated-use",
        "separation.py",
        "if manager.part.delegated and not user.part.delegated:",
        "if manager.part.delegated or user.part.delegated:",
        "Use that is left to the account's IAM policies would not count.",
    ),
    Mutant(
        "separation-root-user",
        "separation.py",
        "cells = tuple(cell for cell in cells if cell.kind is PrincipalKind.ROOT)",
        "continue",
        "The root user, who manages without IAM, would not be seen to use.",
    ),
    Mutant(
        "separation-iam-ignored",
        "separation.py",
        "    found.extend(_through_identity(key, managing, using, identity_policies))\n",
        "",
        "An IAM policy of the app that makes a key user its manager would go unseen.",
    ),
    Mutant(
        "access-unknown-shown-as-allowed",
        "access.py",
        "    if part.unresolved:\n        return Access.UNKNOWN\n",
        "",
        "What is not resolved would be shown as known.",
    ),
    Mutant(
        "diff-conditions-ignored",
        "diff.py",
        "if (one.access, set(one.conditions)) == (other.access, set(other.conditions)):",
        "if one.access == other.access:",
        "A changed condition would not be reported as a change of access.",
    ),
    Mutant(
        "worlds-other-value-forgotten",
        "../sources/cloudformation/worlds.py",
        "return (*dict.fromkeys((*first, *self.compared)), None)",
        "return tuple(dict.fromkeys((*first, *self.compared)))",
        "A free text would be judged with the values that conditions name alone.",
        WORLDS,
    ),
    Mutant(
        "worlds-default-decides",
        "../sources/cloudformation/templates.py",
        "    if choices is None:\n",
        "    if True:\n",
        "A branch that the default does not take would go unseen.",
        WORLDS,
    ),
    Mutant(
        "worlds-bound-takes-default",
        "../sources/cloudformation/worlds.py",
        "left_open: dict[str, str | None] = dict.fromkeys(self.open)",
        "left_open: dict[str, str | None] = {}",
        "Beyond the bound, defaults would pass for all that can be deployed.",
        WORLDS,
    ),
    Mutant(
        "worlds-compliant-in-one",
        "../guardrails/worlds.py",
        "        if failing:\n",
        "        if len(failing) == len(found):\n",
        "A key that complies in one deployment would pass in all.",
        WORLDS,
    ),
    Mutant(
        "worlds-iam-policies-forgotten",
        "../guardrails/worlds.py",
        "            tuple(map(id, estate.identity_policies)),\n",
        "",
        "A key would be judged once, whatever the IAM policies of other deployments give.",
        WORLDS,
    ),
    Mutant(
        "home-any-account",
        "../model/home.py",
        "            if _ANY in found:\n                return None\n",
        "            found.discard(_ANY)\n",
        "A key whose policy anyone may change would be judged in an account that may not be its own.",
        ("tests/model/test_home.py",),
    ),
)


def _run(copy: Path, *arguments: str) -> bool:
    """Whether the tests pass over the copy."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, check=False, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in {0, 1}:
        raise SystemExit(f"pytest could not run:\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.returncode == 0


def _verdict(copy: Path, tests: tuple[str, ...]) -> str:
    if tests:
        return "SURVIVED" if _run(copy, *tests) else "killed by a case"
    if not _run(copy, "tests/analysis", PATTERNS, f"--ignore={PROPERTIES}"):
        return "killed by a case"
    return "SURVIVED" if _run(copy, PROPERTIES) else "killed by a property"


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutant for mutant in MUTANTS if word in mutant.name]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(REPOSITORY / "kms_constructs", copy / "kms_constructs")
        shutil.copytree(REPOSITORY / "tests" / "analysis", copy / "tests" / "analysis")
        (copy / "tests" / "model").mkdir()
        for name in ("__init__.py", Path(PATTERNS).name):
            shutil.copy(REPOSITORY / "tests" / "model" / name, copy / "tests" / "model" / name)
        for name in ("__init__.py", "conftest.py", "strategies.py"):
            shutil.copy(REPOSITORY / "tests" / name, copy / "tests" / name)
        # Cases of the analysis share the makers of keys and policies with those of the guardrails.
        (copy / "tests" / "guardrails").mkdir()
        for name in ("__init__.py", "factories.py"):
            shutil.copy(REPOSITORY / "tests" / "guardrails" / name, copy / "tests" / "guardrails" / name)
        shutil.copy(REPOSITORY / "pyproject.toml", copy)
        if not _run(copy, "tests/analysis", PATTERNS, f"--ignore={PROPERTIES}"):
            raise SystemExit("the tests fail without any mutant")
        if any(mutant.tests for mutant in chosen):
            shutil.copytree(REPOSITORY / "tests", copy / "tests", dirs_exist_ok=True)
        for mutant in chosen:
            target = copy / PACKAGE / mutant.file
            original = target.read_text(encoding="utf-8")
            if original.count(mutant.old) != 1:
                raise SystemExit(f"{mutant.name}: its text stands {original.count(mutant.old)} times")
            target.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
            started = time.perf_counter()
            verdict = _verdict(copy, mutant.tests)
            target.write_text(original, encoding="utf-8")
            survived += verdict == "SURVIVED"
            print(
                f"{mutant.name:34} {verdict:21} {time.perf_counter() - started:5.1f} s  {mutant.harm}",
                flush=True,
            )
    print(f"{len(chosen)} mutants, {len(chosen) - survived} killed, {survived} survived")
    return 1 if survived else 0


if __name__ == "__main__":
    raise SystemExit(main())
