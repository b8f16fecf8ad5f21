"""Deliberate faults in the analysis and the sources, one at a time: the tests have to notice each.

Every mutant is one change of text in one file, made in a copy of the package. `tests/analysis` and the tests
of patterns run over the copy, or the tests that the mutant names; a mutant that they let pass has survived,
and the exit code is 1.

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
CASES = (
    "tests/analysis",
    "tests/model/test_globs.py",
    "tests/model/test_limits.py",
    "tests/guardrails/rules/test_iam_kms_6_service_scope.py",
    "tests/guardrails/rules/test_kms_004_least_privilege.py",
)
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
        tests: Tests that have to notice it, where those of the analysis do not look.
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
        "use-omitted-is-open",
        "service_calls.py",
        "carried: dict[str, Fact] = dict.fromkeys(caller.omits)",
        "carried: dict[str, Fact] = {}",
        "A statement on aws:SourceArn would seem to let a rule of EventBridge notify an encrypted topic.",
    ),
    Mutant(
        "use-shared-without-the-statement",
        "service_calls.py",
        "*(shape.number for shape in meant),",
        "",
        "A key would get the answer of another key, of which the policy says something else.",
    ),
    Mutant(
        "use-shared-without-the-context",
        "service_calls.py",
        "            *asked,\n",
        "",
        "An alarm would get the answer of another alarm, which a statement names.",
    ),
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
        'return all_of(verdicts) if condition.qualifier == "forallvalues" else any_of(verdicts)',
        "return any_of(verdicts)",
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
        "shape.py",
        "            if statement.certain or not denies\n",
        "            if True\n",
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
        "            elif cell.literal is not None:\n",
        "            else:\n",
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
        "return (action in GRANT_ACTIONS, home_only, known, perhaps), allows",
        "return (action in GRANT_ACTIONS, home_only, (), perhaps), allows",
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
        "    if operator.values is ValueType.ARN:\n        possible = [",
        "    if False:\n        possible = [",
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
        "_sides(key, (CREATE_GRANT,), organization, context))",
        "_sides(key, (CREATE_GRANT,), organization))",
        "CreateGrant for AWS services would be reported as use.",
    ),
    Mutant(
        "separation-no-create-grant",
        "separation.py",
        "        using.extend(_sides(key, (CREATE_GRANT,), organization, context))\n",
        "        pass\n",
        "An administrator with CreateGrant would pass as separated.",
    ),
    Mutant(
        "separation-delegated-use",
        "separation.py",
        "    if manager.delegated and not user.delegated:\n",
        "    if manager.delegated or user.delegated:\n",
        "Use that is left to the account's IAM policies would not count.",
    ),
    Mutant(
        "separation-root-user",
        "separation.py",
        "        shared = tuple(cell for cell in shared if cell.kind is PrincipalKind.ROOT)\n",
        "        shared = ()\n",
        "The root user, who manages without IAM, would not be seen to use.",
    ),
    Mutant(
        "separation-flag-absent",
        "separation.py",
        '    {"kms:grantisforawsresource": None},\n',
        "",
        "A grant that does not carry kms:GrantIsForAWSResource would count as an AWS service's.",
    ),
    Mutant(
        "separation-first-principal",
        "separation.py",
        "reason = (id(part.statement), id(part.grant), part.delegated, part.unresolved)",
        "reason = (id(part.statement), id(part.grant))",
        "What the first principal of a statement is would decide for all of them.",
    ),
    Mutant(
        "separation-delegated-management",
        "separation.py",
        "    if by_iam_alone:\n",
        "    if False:\n",
        "A user whom IAM may make a manager would pass as separated.",
    ),
    Mutant(
        "separation-unresolved-user",
        "separation.py",
        'yield _DELEGATED if known or not unresolved else "unresolved", by_iam_alone',
        "yield _DELEGATED, by_iam_alone",
        "A user that may turn out to be an account would be a warning.",
    ),
    Mutant(
        "separation-delegated-policy",
        "separation.py",
        "elif through == _DELEGATED and POLICY_ACTION in draft.manages:",
        "elif False:",
        "A user whom IAM may let write the key policy would be a warning.",
    ),
    Mutant(
        "separation-linked-roles",
        "separation.py",
        "if cell.kind is PrincipalKind.ROOT or _LINKED_ROLES.contains(cell):",
        "if cell.kind is PrincipalKind.ROOT:",
        "A service-linked role, whose policies AWS alone writes, would be reported.",
    ),
    Mutant(
        "cells-contain-any",
        "principals.py",
        "and all(any(glob_covers(wide, one) for one in other.include) for wide in self.include)",
        "and any(glob_covers(wide, one) for one in other.include for wide in self.include)",
        "Patterns that hold together would be read as alternatives, and both of two overlaps dropped.",
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
        "rows.py",
        "    if part.unresolved:\n        return Access.UNKNOWN\n",
        "",
        "What is not resolved would be shown as known.",
    ),
    Mutant(
        "certain-fact-of-the-key",
        "call.py",
        '        "aws:requestedregion": key.region,\n',
        "",
        "A Deny by Region would count as not hitting the root user (IAM-KMS-1).",
    ),
    Mutant(
        "certain-unknown-fact-is-absent",
        "certain.py",
        "        return self._call.others\n",
        "        return None\n",
        "A Deny on what nobody knows of the request would count as not hitting.",
    ),
    Mutant(
        "certain-open-deny-passes",
        "certain.py",
        "sure = found is True and not denies and not bound_home",
        "sure = found is True and not bound_home",
        "A Deny that may hit would count as one that does not.",
    ),
    Mutant(
        "certain-scp-ignored",
        "certain.py",
        "        yield from self._denying(SCP, map(Attached, self._view.scps), scp_binds)\n",
        "",
        "A service control policy that locks the root user out would go unseen.",
    ),
    Mutant(
        "certain-rcp-ignored",
        "certain.py",
        "            yield from self._denying(RCP, map(Attached, self._view.rcps), True)\n",
        "            yield from ()\n",
        "A resource control policy that locks the root user out would go unseen.",
    ),
    Mutant(
        "certain-perhaps-attached",
        "certain.py",
        """                if not one.certain:
                    verdict = verdict.also(_Verdict(None, "whether it is attached is not known"))
""",
        "",
        "An IAM policy that is perhaps attached would count as certain access.",
    ),
    Mutant(
        "certain-one-session",
        "certain.py",
        "        if answer and (found.unresolved is not None or is_session(principal.value)):\n",
        "        if answer and found.unresolved is not None:\n",
        "What one session may do would count as what every session of the role may.",
    ),
    Mutant(
        "condition-unknown-value-is-no-match",
        "conditions.py",
        "    return None if open_ else False\n",
        "    return False\n",
        "A Deny with a value that is not resolved would count as not hitting the root user.",
    ),
    Mutant(
        "across-accounts-forgotten",
        "reach.py",
        "if action not in ACROSS_ACCOUNTS and self._abroad:",
        "if False:",
        "Administration from another account, which KMS refuses, would be reported.",
    ),
    Mutant(
        "across-accounts-too-much",
        "reach.py",
        "if action not in ACROSS_ACCOUNTS and self._abroad:",
        "if self._abroad:",
        "Another account that may decrypt would go unseen.",
    ),
    Mutant(
        "account-pattern-crosses",
        "principals.py",
        '    return f"{begin}*" if rest else begin\n',
        "    return arn.account\n",
        "A pattern of which the wildcard runs over the account would be taken to lie in another one.",
    ),
    Mutant(
        "deny-for-account",
        "statements.py",
        "                patterns[cell.kind].extend(cell.include)\n",
        "                patterns[cell.kind].extend([cell.literal] if cell.literal else [])\n",
        "A Deny on an account principal would count against its root user alone.",
    ),
    Mutant(
        "unique-id-is-anyone",
        "principals.py",
        "    if arn is None and (kind := _UNIQUE_IDS.get(value[:4])) and _UNIQUE_ID.fullmatch(value):\n",
        "    if arn is None and (kind := _UNIQUE_IDS.get(value)) and _UNIQUE_ID.fullmatch(value):\n",
        "A principal that was deleted would be reported as any principal of any account.",
    ),
    Mutant(
        "witness-not-asked",
        "witness.py",
        "            if self.decide(caller, action, context, iam=iam):\n",
        "            if True:\n",
        "A finding would show a request that AWS denies.",
    ),
    Mutant(
        "diff-conditions-ignored",
        "diff.py",
        "if (one.access, _groups(one)) == (other.access, _groups(other)):",
        "if one.access == other.access:",
        "A changed condition would not be reported as a change of access.",
    ),
    Mutant(
        "source-role-path",
        "../sources/cloudformation/identities.py",
        '        return iam_arn(scope, kind, name), iam_arn(scope, kind, name, "/*/")\n',
        "        return (iam_arn(scope, kind, name),)\n",
        "A policy of Roles: [App] would not count for role/svc/App.",
        ("tests/sources/cloudformation/test_identities.py",),
    ),
    Mutant(
        "source-unseen-policy",
        "../sources/cloudformation/identities.py",
        '                doubt = Unknown(f"{display(entry)} is in no template given")\n',
        "                continue\n",
        "A managed policy that no template holds would allow nothing.",
        ("tests/sources/cloudformation/test_identities.py",),
    ),
    Mutant(
        "source-boundary-attached",
        "../sources/cloudformation/identities.py",
        "            yield found\n            if draft.is_boundary:\n",
        "            if not draft.is_boundary:\n                yield found\n            else:\n",
        "A policy that is a boundary here would allow nothing where it is attached.",
        ("tests/sources/cloudformation/test_identities.py",),
    ),
    Mutant(
        "source-macro-beside",
        "../sources/cloudformation/content.py",
        '            if _MACRO in raw or _has_macro(raw.get("Metadata")):\n',
        "            if False:\n",
        "A macro beside the properties of a key would change it unseen.",
        ("tests/sources/cloudformation/test_stacks.py",),
    ),
    Mutant(
        "source-macro-top",
        "../sources/cloudformation/content.py",
        "    if _MACRO in template:\n",
        "    if False:\n",
        "A macro at the top of a template would change it unseen.",
        ("tests/sources/cloudformation/test_stacks.py",),
    ),
    Mutant(
        "source-map-of-a-macro",
        "../sources/cloudformation/intrinsics.py",
        '        if isinstance(found, Mapping) and "Fn::Transform" in found:\n',
        "        if False:\n",
        "The default of a lookup would be taken where a macro makes the map.",
        ("tests/sources/cloudformation/test_intrinsics.py",),
    ),
    Mutant(
        "source-nested-by-url",
        "../sources/cloudformation/inner.py",
        "        if not nested_is_given:\n",
        "        if False:\n",
        "A nested stack by URL would be a template without keys.",
        ("tests/sources/cloudformation/test_inner.py",),
    ),
    Mutant(
        "source-stack-set-account",
        "../sources/cloudformation/resolver.py",
        '        own = f"{self.label}." if item.within else ""\n',
        '        own = ""\n',
        "A stack set would lie in the account of the template that makes it.",
        ("tests/sources/cloudformation/test_inner.py",),
    ),
    Mutant(
        "source-hole-in-a-hole",
        "../sources/cloudformation/intrinsics.py",
        "piece if piece.startswith(OPEN) else _VARIABLE.sub(replace, piece)",
        "_VARIABLE.sub(replace, piece)",
        "A rule would fail on a dynamic reference inside Fn::Sub.",
        ("tests/sources/cloudformation/test_intrinsics.py",),
    ),
    Mutant(
        "source-reference-to-nothing",
        "../sources/cloudformation/resolver.py",
        "        self._sought.add(logical_id)\n",
        "",
        "A template that CloudFormation refuses would be judged as if it could be deployed.",
        ("tests/sources/cloudformation/test_dangling.py",),
    ),
    Mutant(
        "source-globals",
        "../sources/cloudformation/content.py",
        "            whole = with_globals(scope.input.template, kind, raw)\n",
        "            whole = raw\n",
        "A key in the Globals of a SAM template would be unused.",
        ("tests/sources/cloudformation/test_sam.py",),
    ),
    Mutant(
        "source-ignored-defaults",
        "../sources/cloudformation/resolver.py",
        "                if not (is_open and self.world.values.ignore_defaults):\n",
        "                if True:\n",
        "--ignore-defaults would leave nothing open.",
        ("tests/sources/cloudformation/test_defaults.py",),
    ),
    Mutant(
        "source-policy-of-identities",
        "../sources/policy_file.py",
        "        if _is_of_iam(policy):\n",
        "        if False:\n",
        "An SCP in a file would be judged as a key policy.",
        ("tests/sources/test_policy_file.py",),
    ),
    Mutant(
        "glob-generated-name",
        "../model/globs.py",
        "    if _may_be_spelt(left, right) or _may_be_spelt(right, left):\n        return True\n",
        "",
        "The name of a role of a deployed stack would never be that role.",
    ),
    Mutant(
        "glob-hole-in-a-hole",
        "../model/globs.py",
        "    if OPEN in pattern and _is_broken(pattern):\n        return (_STAR,)\n",
        "",
        "Text put into a hole would count as known.",
    ),
    Mutant(
        "limit-any-account",
        "../model/limits.py",
        "    if arn.account:\n        return value.one(arn.account)\n",
        "    if arn.account:\n        return True\n",
        "`arn:aws:sns:*:*:*` would count as a source, so anybody's topic could use the key.",
    ),
    Mutant(
        "limit-any-bucket",
        "../model/limits.py",
        'return value.one(arn.resource.partition("/")[0] if arn.service == "s3" else arn.resource)',
        "return True",
        "`arn:aws:s3:::*` would count as a source.",
    ),
    Mutant(
        "limit-crossing",
        "../model/limits.py",
        "    if value.crossing and any(map(has_wildcard, before[:2])):\n",
        "    if False:\n",
        "An account that stands in a stranger's resource name would count as the owner's.",
    ),
    Mutant(
        "limit-any-organization",
        "../model/limits.py",
        "        return value.one()\n    return value.one(organization)\n",
        "        return value.one()\n    return True\n",
        "`o-*/*` would count as an organization.",
    ),
    Mutant(
        "limit-addresses-one-by-one",
        "../model/limits.py",
        "sizes[network.version] += network.num_addresses",
        "sizes[network.version] = network.num_addresses",
        "Ranges that are everything together would count as a limit.",
    ),
    Mutant(
        "limit-any-service",
        "../model/limits.py",
        "    return value.one(name if dot else None)\n",
        "    return value.says_something()\n",
        "`*.amazonaws.com` would count as a service.",
    ),
    Mutant(
        "limit-any-role",
        "../model/limits.py",
        "    if has_wildcard(kind):\n        return False\n",
        "    return True\n",
        "`role/*` would count as naming principals, and let everyone of the account call directly.",
    ),
    Mutant(
        "limit-variables",
        "../model/limits.py",
        "patterns=not exact or open_text != text",
        "patterns=not exact",
        "`${aws:SourceAccount}` would count as one account: the attacker's own.",
    ),
    Mutant(
        "limit-keys-unlisted",
        "../model/limits.py",
        "    if limit is None or operator is None or not operator.pins:\n        return False\n    if",
        "    if limit is None:\n        return True\n    if operator is None or not operator.pins:\n"
        "        return False\n    if",
        "A key that nobody has looked at would count as a limit.",
    ),
    Mutant(
        "scope-not-principal",
        "../guardrails/rules/iam_kms_6_service_scope.py",
        'if "*" in people or statement.not_principals is not None:',
        'if "*" in people:',
        "NotPrincipal would let everyone in unseen.",
    ),
    Mutant(
        "scope-open-principal",
        "../guardrails/rules/iam_kms_6_service_scope.py",
        "next(filter(_perhaps_everyone, people), None)",
        "None",
        "A principal that turns out to be everyone would pass.",
    ),
    Mutant(
        "least-privilege-open-resource",
        "../guardrails/rules/kms_004_least_privilege.py",
        "        if not certain and open_ is None:\n",
        "        if not certain:\n",
        "An IAM policy whose resource turns out to be every key would pass.",
    ),
    Mutant(
        "worlds-other-value-forgotten",
        "../sources/cloudformation/inputs.py",
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


def _verdict(copy: Path, mutant: Mutant) -> str:
    if mutant.tests:
        return "SURVIVED" if _run(copy, *mutant.tests) else "killed by a case"
    if not _run(copy, *CASES, f"--ignore={PROPERTIES}"):
        return "killed by a case"
    return "SURVIVED" if _run(copy, PROPERTIES) else "killed by a property"


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutant for mutant in MUTANTS if word in mutant.name]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(REPOSITORY / "kms_constructs", copy / "kms_constructs")
        shutil.copytree(REPOSITORY / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "pyproject.toml", copy)
        if not _run(copy, *CASES, f"--ignore={PROPERTIES}"):
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
            verdict = _verdict(copy, mutant)
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
