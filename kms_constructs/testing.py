"""For template assertion tests: do the guardrails hold, and who may do what.

Takes what a test has at hand: a CDK app, stage or stack, an `aws_cdk.assertions.Template`, a template as a
dict, the path of a ``cdk.out`` directory or of a template, or a key policy. aws_cdk is imported only when it
is needed.

Example:
    ```python
    from kms_constructs.testing import access, assert_guardrails

    def test_the_key_is_hardened(stack):
        assert_guardrails(stack)
        key = access(stack, "alias/prod/s3-data")
        assert key.who_can("ScheduleKeyDeletion") == {
            "arn:aws:iam::111122223333:role/BreakGlass",
            "the root user of account 111122223333",
        }
        assert not key.may("arn:aws:iam::111122223333:role/Admin", "Decrypt")
    ```
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from kms_constructs.analysis.access import AccessMatrix
from kms_constructs.analysis.principals import Cell, describe_cells
from kms_constructs.analysis.within import EstateAccess
from kms_constructs.errors import ArgumentError, GuardrailError
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Report
from kms_constructs.model.estate import Deployment, Estate, Key
from kms_constructs.model.text import display
from kms_constructs.sources.files import OrganizationPolicy, load, read_document

Subject = Any
"""App, stage, stack, Template, template dict, key policy dict, or path."""

_WHAT = (
    "a CDK App, Stage or Stack, an aws_cdk.assertions.Template, a template or key policy as a dict, or a path"
)


def assert_guardrails(
    subject: Subject,
    *,
    config: GuardrailConfig | None = None,
    controls: Collection[str] | None = None,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
) -> Report:
    """Asserts that the guardrails hold for everything in `subject`.

    Args:
        subject: What to judge. For a stack of an app the whole app is synthesized, so that references
            resolve, and the stack alone is judged.
        config: The configuration; None for the defaults.
        controls: Ids of the controls to judge by; None for all.
        account: Account of templates that do not say theirs; twelve digits.
        region: Region of templates that do not say theirs.
        parameters: Values of template parameters by name; see `Deployment` for the others.
        scps: The service control policies in force, as dicts or paths of JSON files.
        rcps: The resource control policies in force.

    Returns:
        The report, with all findings, for further assertions.

    Raises:
        GuardrailError: A guardrail does not hold, or a part could not be read; the message lists every
            finding with resource, property and fix. It is an AssertionError.
        ArgumentError: `subject` is nothing that can be judged, or holds no key and no IAM policy.

    Example:
        >>> assert_guardrails({"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {}}}},
        ...     controls=["KMS:010"])
        Traceback (most recent call last):
        ...
        kms_constructs.errors.GuardrailError: 1 guardrail finding fails:
          KMS:010[missing] template: Key
            The key has no alias.
            Fix: Attach an AWS::KMS::Alias; a replica needs one of its own in its Region.
    """
    deployment = Deployment(account, region, parameters or {})
    estate, scope = _estate(subject, deployment, scps, rcps)
    if not (estate.keys or estate.identity_policies or estate.problems):
        raise ArgumentError(
            "subject",
            type(subject).__name__,
            "it holds no key and no IAM policy",
            "pass what declares the keys",
        )
    report = judge(estate, config, controls=controls)
    failures = [
        finding
        for finding in report.failures
        if scope is None or finding.location.lies_in(scope) is not False
    ]
    if failures or report.problems:
        raise GuardrailError(_message(failures, report))
    return report


class KeyAccess:
    """Who may do what with one key: the answers of the analysis, for assertions.

    Where parameters, conditions or mappings of a template make different keys of it, whoever may do something
    in one deployment may do it here. Give the parameters to ask for one deployment.

    Args:
        key: The key.
        estate: What it was found in; its IAM policies count, and the organization's policies in force.
        others: The key, and what it was found in, in other deployments.
    """

    def __init__(self, key: Key, estate: Estate, *others: tuple[Key, Estate]) -> None:
        self._key = key
        self._access = EstateAccess(estate)
        self._everywhere = [
            (self._access, key),
            *((EstateAccess(other), same) for same, other in others),
        ]

    @property
    def matrix(self) -> AccessMatrix:
        """Principals by capabilities, with the statements responsible: of the first deployment."""
        return self._access.matrix(self._key)

    def who_can(self, action: str) -> frozenset[str]:
        """Everyone who could be allowed an action, under whatever IAM policies there may be.

        Args:
            action: A KMS action, with or without ``kms:``.

        Returns:
            Principals as a person reads them: ARNs, ``any principal of account …``, ``service …``.

        Raises:
            ArgumentError: KMS has no such action.
        """
        return frozenset(
            name
            for access, key in self._everywhere
            for part in access.reach(key, action).contributions
            for name in _names(part.cells)
        )

    def may(self, principal: str, action: str) -> bool:
        """Whether a principal has an action by the key policy, a grant or an IAM policy of the estate.

        Conditions are taken to hold. What the key policy only delegates to the account counts when an IAM
        policy of the estate uses it; `could` asks for every IAM policy that may ever exist.

        Args:
            principal: ARN of a role or user, an account id, or a service name.
            action: A KMS action, with or without ``kms:``.
        """
        return any(access.may(key, principal, action) for access, key in self._everywhere)

    def could(self, principal: str, action: str) -> bool:
        """Whether some IAM policy could give a principal the action; False is a proof that none can.

        Args:
            principal: ARN of a role or user, an account id, or a service name.
            action: A KMS action, with or without ``kms:``.
        """
        return any(access.could(key, principal, action) for access, key in self._everywhere)

    def __repr__(self) -> str:
        return f"<access to {self._key.location}>"


def access(
    subject: Subject,
    key: str | None = None,
    *,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
) -> KeyAccess:
    """Who may do what with one key of `subject`.

    Args:
        subject: As for `assert_guardrails`.
        key: Alias, logical id or construct path of the key; may be left out when there is one only.
        account: Account of templates that do not say theirs; twelve digits.
        region: Region of templates that do not say theirs.
        parameters: Values of template parameters by name; see `Deployment` for the others.
        scps: The service control policies in force, as dicts or paths of JSON files.
        rcps: The resource control policies in force.

    Raises:
        ArgumentError: There is no such key, or several.

    Example:
        >>> policy = {"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
        ...     "Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}]}
        >>> access(policy, account="111122223333").may("arn:aws:iam::111122223333:role/App", "kms:Decrypt")
        True
    """
    deployment = Deployment(account, region, parameters or {})
    estate, scope = _estate(subject, deployment, scps, rcps)
    every = [(found, world.estate) for world in estate.every_world for found in world.estate.keys]
    keys = [found for found, _ in every if scope is None or found.location.lies_in(scope)]
    named = list({found.id: found for found in keys if key is None or key in _names_of(found)}.values())
    if len(named) != 1:
        known = ", ".join(sorted(_shown(found, by_place=len(named) > 1) for found in named or keys)) or "none"
        problem = "there is no such key" if not named else f"{len(named)} keys fit"
        raise ArgumentError("key", key, problem, f"name one of: {known}")
    (first, found_in), *others = [pair for pair in every if pair[0].id == named[0].id]
    return KeyAccess(first, found_in, *others)


def _estate(
    subject: Subject,
    deployment: Deployment,
    scps: Sequence[OrganizationPolicy],
    rcps: Sequence[OrganizationPolicy],
) -> tuple[Estate, str | None]:
    """The estate of a subject, and the construct path that limits it."""
    if isinstance(subject, str | Path):
        return load([subject], deployment, scps=scps, rcps=rcps), None
    to_json = getattr(subject, "to_json", None)
    document = subject if isinstance(subject, Mapping) else to_json() if callable(to_json) else None
    if isinstance(document, Mapping):
        if "Statement" in document and "Resources" not in document:
            return read_document(document, "key policy", deployment, scps=scps, rcps=rcps), None
        # The template of a stack without resources has no such section.
        template = {"Resources": {}, **document}
        return read_document(template, "template", deployment, scps=scps, rcps=rcps), None
    if hasattr(subject, "node"):
        root = subject.node.root
        synth = getattr(root, "synth", None)
        if callable(synth):
            directory: str = synth().directory
            return load([directory], deployment, scps=scps, rcps=rcps), subject.node.path or None
    raise ArgumentError("subject", type(subject).__name__, f"it must be {_WHAT}", "pass one of those")


def _names_of(key: Key) -> set[str]:
    place = key.location
    names = {display(alias) for alias in key.aliases}
    names |= {name.removeprefix("alias/") for name in names}
    names |= {place.logical_id, key.id}
    if place.construct_path:
        names |= {place.construct_path, place.construct_path.removesuffix("/Resource")}
    return names


def _shown(key: Key, *, by_place: bool) -> str:
    """What a key is called: by its alias, which a replica shares with its primary, or by its place."""
    place = key.location.construct_path or key.location.logical_id
    return display(key.aliases[0]) if key.aliases and not by_place else place


def _names(cells: tuple[Cell, ...]) -> tuple[str, ...]:
    literals = [describe_cells((cell,)) for cell in cells if cell.literal is not None]
    rest = [cell for cell in cells if cell.literal is None]
    return (*literals, *((describe_cells(rest),) if rest else ()))


def _message(failures: list[Finding], report: Report) -> str:
    count = len(failures)
    lines = [f"{count} guardrail finding{'s fail' if count != 1 else ' fails'}:"] if failures else []
    for finding in failures:
        at = f" at {finding.path}" if finding.path else ""
        lines.append(f"  {finding.id} {finding.location}{at}")
        lines.append(f"    {finding.message}")
        lines.extend(f"      {step}" for step in finding.chain)
        if finding.fix:
            lines.append(f"    Fix: {finding.fix}")
    for problem in report.problems:
        lines.append(f"  unreadable {problem.source} {problem.logical_id}".rstrip())
        lines.append(f"    {problem.message}")
        lines.append(f"    Fix: {problem.fix}")
    return "\n".join(lines)
