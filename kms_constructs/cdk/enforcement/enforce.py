"""One call that puts an app under the guardrails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import aws_cdk as cdk

from kms_constructs.cdk.configuration import put_in_force
from kms_constructs.cdk.enforcement.nag_pack import IamKmsGuardrails, KmsRequirements
from kms_constructs.cdk.enforcement.synth import fail_with
from kms_constructs.errors import ArgumentError
from kms_constructs.guardrails.baseline import Baseline
from kms_constructs.guardrails.config import GuardrailConfig
from kms_constructs.sources.files import OrganizationPolicy


def enforce_guardrails(
    app: cdk.App,
    config: GuardrailConfig | Mapping[str, object] | str | Path | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
    baseline: str | Path | None = None,
    mode: Literal["fail", "warn"] = "fail",
) -> GuardrailConfig:
    """Refuses, at synth, every key and IAM policy of the app that breaks a guardrail.

    Adds `IamKmsGuardrails` and `KmsRequirements` to the app. When a guardrail fails, ``app.synth()`` raises,
    under ``cdk synth``, ``cdk deploy``, ``cdk ls``, ``python app.py`` and in tests alike, for keys in stacks,
    stages and pipelines: the process prints a short report to standard error and exits with 1. The full
    report names the resource, the property and the fix, and lies in the cloud assembly as
    ``kms-constructs-report.txt`` and ``.json``, beside CDK's own ``validation-report.json``.

    `SecureKmsKey` refuses what the configuration in force would refuse of its rotation period, pending window
    and removal policy. A configuration that is given here counts for the keys that are made afterwards.

    Args:
        app: The app.
        config: The configuration, plain data for one, or the path of a TOML file or ``pyproject.toml``. When
            nothing is given: the CDK context ``kms-constructs`` (``cdk.json``), else
            ``[tool.kms-constructs]`` of the nearest ``pyproject.toml`` above the working directory, else the
            defaults.
        parameters: Values of template parameters by name; see `Deployment` for the others.
        scps: The service control policies in force, as dicts or paths of JSON files: what they deny for
            certain, nobody is found to have.
        rcps: The resource control policies in force.
        baseline: A file that ``kms-constructs baseline`` made: what it lists is accepted, and only what is
            new or worse fails.
        mode: ``warn`` prints the report and lets the synth succeed.

    Returns:
        The configuration in force.

    Raises:
        ConfigurationError: The configuration is not understood; names file, key and fix.
        GuardrailSynthError: Not here but by ``app.synth()``: a guardrail fails. Uncaught it ends the process
            without a traceback; it is a `GuardrailError` for who catches it.

    Example:
        ```python
        app = cdk.App()
        enforce_guardrails(app, {"trusted-accounts": ["444455556666"]})
        ```

    See: https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
    """
    settings = put_in_force(app, config)
    if mode not in ("fail", "warn"):
        raise ArgumentError("mode", mode, "it is 'fail' or 'warn'", "leave it out to fail")
    warn_only = mode == "warn"
    known = [None if baseline is None else Baseline.read(baseline) for _ in range(2)]
    access = IamKmsGuardrails(
        app, config=settings, parameters=parameters, scps=scps, rcps=rcps, baseline=known[0],
        warn_only=warn_only,
    )  # fmt: skip
    properties = KmsRequirements(app, config=settings, beside=access, baseline=known[1], warn_only=warn_only)
    cdk.Validations.of(app).add_plugins(access, properties)
    fail_with(app, (access, properties))
    return settings
