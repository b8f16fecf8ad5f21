"""How the guardrails are configured: one small, strict data class, whatever it was read from.

In ``pyproject.toml`` the table is ``[tool.kms-constructs]``; in a TOML file of its own it is the whole file;
in CDK context it is the object under ``kms-constructs``. Keys may be written with dashes or underscores.

Example:
    ```toml
    [tool.kms-constructs]
    trusted-accounts = ["444455556666"]
    multi-region-classifications = ["restricted"]

    [tool.kms-constructs.authorised]
    "IAM-KMS-3" = ["arn:aws:iam::*:role/BreakGlass"]

    [[tool.kms-constructs.acknowledgements]]
    id = "KMS:003"
    resource = "*/LegacyKey/*"
    reason = "used by machines outside AWS"
    ```
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import force_setattr

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.config_check import checked
from kms_constructs.guardrails.config_values import ValueReader
from kms_constructs.guardrails.settings import Acknowledgement, Settings
from kms_constructs.model.reading import bounded_text

__all__ = ["TABLE_NAME", "Acknowledgement", "GuardrailConfig", "load_config"]

TABLE_NAME = "kms-constructs"
"""Name of the table in ``pyproject.toml`` (under ``tool``) and of the object in CDK context."""


class GuardrailConfig(Settings, frozen=True, kw_only=True):
    """What the guardrails hold a set of keys to. The defaults suit an application without special needs.

    Its arguments are those of `Settings`.

    Raises:
        ConfigurationError: A value is not understood.

    Example:
        >>> config = GuardrailConfig(authorised={"IAM-KMS-3": ("arn:aws:iam::*:role/BreakGlass",)})
        >>> config.authorised_for("IAM-KMS-3")
        ('arn:aws:iam::*:role/BreakGlass',)
    """

    def __post_init__(self) -> None:
        """Checks every value, however the configuration was made.

        Raises:
            ConfigurationError: A value is not understood; names source, key and fix.
        """
        for name, value in checked(self).items():
            force_setattr(self, name, value)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], *, source: str = "CDK context") -> GuardrailConfig:
        """Reads a configuration from plain data.

        Args:
            mapping: Keys as the arguments above, with dashes or underscores.
            source: What to call it in messages.

        Raises:
            ConfigurationError: An unknown key, a wrong type or a value out of bounds.
        """
        return cls(source=source, **ValueReader(source).read(mapping))  # type: ignore[arg-type]  # checked there

    @classmethod
    def from_toml(cls, path: str | Path) -> GuardrailConfig:
        """Reads a TOML file that holds the configuration at its top level.

        Raises:
            ConfigurationError: The file cannot be read, or holds what is not understood.
        """
        return cls.from_mapping(_toml(Path(path)), source=str(path))

    @classmethod
    def from_pyproject(cls, path: str | Path) -> GuardrailConfig:
        """Reads ``[tool.kms-constructs]`` of a ``pyproject.toml``; without that table, the defaults.

        Raises:
            ConfigurationError: The file cannot be read, or holds what is not understood.
        """
        tool = _toml(Path(path)).get("tool")
        table = tool.get(TABLE_NAME, {}) if isinstance(tool, Mapping) else {}
        if not isinstance(table, Mapping):
            raise ConfigurationError(
                str(path), f"tool.{TABLE_NAME}", "it is not a table", f"write [tool.{TABLE_NAME}]"
            )
        return cls.from_mapping(table, source=str(path))


def load_config(path: str | Path | None = None, start_dir: str | Path | None = None) -> GuardrailConfig:
    """The configuration in a file, or that of the nearest ``pyproject.toml``, or the defaults.

    Args:
        path: A TOML file; one named ``pyproject.toml`` is read at ``[tool.kms-constructs]``. None to search.
        start_dir: Where the search for ``pyproject.toml`` starts; it goes upwards. None: the current
            directory.

    Raises:
        ConfigurationError: The file does not exist, cannot be read, or holds what is not understood.

    Example:
        >>> load_config(start_dir="/").source
        'default configuration'
    """
    if path is not None:
        given = Path(path)
        read = GuardrailConfig.from_pyproject if given.name == "pyproject.toml" else GuardrailConfig.from_toml
        return read(given)
    start = Path(start_dir) if start_dir is not None else Path.cwd()
    for directory in (start.resolve(), *start.resolve().parents):
        candidate = directory / "pyproject.toml"
        if candidate.is_file():
            return GuardrailConfig.from_pyproject(candidate)
    return GuardrailConfig()


def _toml(path: Path) -> dict[str, object]:
    import tomllib  # most runs find no file

    try:
        return tomllib.loads(bounded_text(path))
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise ConfigurationError(
            str(path), "(file)", f"it cannot be read: {problem}", "name a readable TOML file"
        ) from error
    except RecursionError as error:
        raise ConfigurationError(str(path), "(file)", "it is nested too deeply", "flatten it") from error
    except ValueError as error:
        raise ConfigurationError(
            str(path), "(file)", f"it is not TOML: {error}", "correct the syntax"
        ) from error
