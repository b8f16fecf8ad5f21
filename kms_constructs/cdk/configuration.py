"""Which configuration of the guardrails is in force in an app: for its packs, and for its keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

from constructs import IConstruct

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.config import TABLE_NAME, GuardrailConfig, load_config

_IN_FORCE: WeakKeyDictionary[IConstruct, GuardrailConfig] = WeakKeyDictionary()


def put_in_force(
    app: IConstruct, config: GuardrailConfig | Mapping[str, object] | str | Path | None
) -> GuardrailConfig:
    """Reads the configuration that was given for an app, or finds one, and makes it the one in force.

    Args:
        app: The app.
        config: The configuration, plain data for one, or a file; None to look in the CDK context, then in the
            nearest ``pyproject.toml``.

    Raises:
        ConfigurationError: The configuration is not understood; names file, key and fix.
    """
    found = _IN_FORCE[app] = _read(app, config)
    return found


def in_force(app: IConstruct) -> GuardrailConfig:
    """The configuration that the guardrails of an app will be enforced with, as far as it says by now.

    Raises:
        ConfigurationError: The configuration is not understood; names file, key and fix.
    """
    found = _IN_FORCE.get(app)
    return put_in_force(app, None) if found is None else found


def _read(
    app: IConstruct, config: GuardrailConfig | Mapping[str, object] | str | Path | None
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
