"""One call that puts an app under the guardrails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk

from kms_constructs.cdk.enforcement.nag_pack import IamKmsGuardrails, KmsRequirements
from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.config import TABLE_NAME, GuardrailConfig, load_config
from kms_constructs.sources.files import OrganizationPolicy


def enforce_guardrails(
    app: cdk.App,
    config: GuardrailConfig | Mapping[str, object] | str | Path | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
) -> GuardrailConfig:
    """Refuses, at synth, every key and IAM policy of the app that breaks a guardrail.

    Adds `IamKmsGuardrails` and `KmsRequirements` to the app. A failed guardrail fails ``cdk synth``; the
    report names the resource, the property and the fix, and lies in the cloud assembly as
    ``validation-report.json``.

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

    Returns:
        The configuration in force.

    Raises:
        ConfigurationError: The configuration is not understood; names file, key and fix.

    Example:
        ```python
        app = cdk.App()
        enforce_guardrails(app, {"trusted-accounts": ["444455556666"]})
        ```

    See: https://docs.aws.amazon.com/cdk/v2/guide/policy-validation-synthesis.html
    """
    settings = _settings(app, config)
    access = IamKmsGuardrails(app, config=settings, parameters=parameters, scps=scps, rcps=rcps)
    cdk.Validations.of(app).add_plugins(access, KmsRequirements(app, config=settings, beside=access))
    return settings


def _settings(
    app: cdk.App, config: GuardrailConfig | Mapping[str, object] | str | Path | None
) -> GuardrailConfig:
    if isinstance(config, GuardrailConfig):
        return config
    if isinstance(config, Mapping):
        return GuardrailConfig.from_mapping(config, source="enforce_guardrails(config=…)")
    if config is not None:
        return load_config(config)
    context = app.node.try_get_context(TABLE_NAME)
    if context is None:
        return load_config(None)
    if not isinstance(context, Mapping):
        raise ConfigurationError(
            "CDK context",
            TABLE_NAME,
            f"it holds a {type(context).__name__}",
            'give an object, for instance {"trusted-accounts": ["444455556666"]}',
        )
    return GuardrailConfig.from_mapping(context, source="CDK context")
