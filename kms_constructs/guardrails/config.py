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

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.catalogue import CATALOGUE, GUARDED_ACTIONS, find_control
from kms_constructs.guardrails.finding import Severity
from kms_constructs.model.arn import Arn, is_account_id, parse_arn
from kms_constructs.model.key_specs import (
    DEFAULT_ROTATION_PERIOD_DAYS,
    MAXIMUM_PENDING_WINDOW_DAYS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_PENDING_WINDOW_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
)

TABLE_NAME = "kms-constructs"
"""Name of the table in ``pyproject.toml`` (under ``tool``) and of the object in CDK context."""

ANY_CONTROL = "*"
AUTHORISABLE: tuple[str, ...] = (*GUARDED_ACTIONS, "IAM-KMS-6", "KMS:004")
"""Controls that principals can be authorised for: IAM-KMS-6 means direct grants, KMS:004 IAM policies that
decrypt on all keys."""

_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_PARTITION_PATTERN = re.compile(r"[a-z0-9*?-]+", re.IGNORECASE)
_FINDING_ID = re.compile(r"(?P<control>[^\[\]]+)(\[(?P<detail>[^\[\]]+)\])?")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Findings that somebody has looked at and accepted. They stay in the report and fail nothing.

    Args:
        id: Control (``KMS:003``: all its findings) or finding (``IAM-KMS-8[CreateGrant]``: only that kind).
        reason: Why it is accepted.
        resource: Glob over the construct path, the logical id, ``stack/logical id`` or the source of the
            resource; ``*`` crosses slashes.

    Example:
        >>> Acknowledgement("KMS:003", "used by machines outside AWS", "*/LegacyKey/*").resource
        '*/LegacyKey/*'
    """

    id: str
    reason: str
    resource: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailConfig:
    """What the guardrails hold a set of keys to. The defaults suit an application without special needs.

    Args:
        authorised: Control id, or ``"*"`` for all of `AUTHORISABLE`, to ARN globs of principals that may do
            what the control guards. What a key itself declares is authorised for that key as well.
        trusted_accounts: Twelve-digit accounts that keys may be shared with.
        organization_id: The organization that ``aws:PrincipalOrgID`` has to name; None accepts any.
        multi_region_classifications: Data classifications that need multi-Region keys (KMS:007).
        minimum_pending_window: Days, 7 to 30: least pending window of any key.
        production_pending_window: Days, 7 to 30: least pending window in `production_environments`.
        production_environments: Values of the tag ``environment`` that mean production.
        ephemeral_environments: Values of the tag ``environment`` whose keys may be deleted with their stack.
        rotation_period_ceiling: Days, 90 to 2560: longest rotation period.
        scoped_services: Globs of the service principals that need a source condition (IAM-KMS-6).
        review_max_age: Days that a policy review stays good (KMS:008).
        severities: Control or finding id to severity.
        undetermined_fails: Whether what cannot be determined fails; if not, it is a warning.
        disabled: Control id to the reason why it is switched off.
        acknowledgements: Accepted findings.
        source: What it was read from, for messages.

    Raises:
        ConfigurationError: A value is not understood.

    Example:
        >>> config = GuardrailConfig(authorised={"IAM-KMS-3": ("arn:aws:iam::*:role/BreakGlass",)})
        >>> config.authorised_for("IAM-KMS-3")
        ('arn:aws:iam::*:role/BreakGlass',)
    """

    authorised: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trusted_accounts: tuple[str, ...] = ()
    organization_id: str | None = None
    multi_region_classifications: tuple[str, ...] = ()
    minimum_pending_window: int = MINIMUM_PENDING_WINDOW_DAYS
    production_pending_window: int = MAXIMUM_PENDING_WINDOW_DAYS
    production_environments: tuple[str, ...] = ("prod", "production", "live")
    ephemeral_environments: tuple[str, ...] = ("dev", "development", "sandbox", "test")
    rotation_period_ceiling: int = DEFAULT_ROTATION_PERIOD_DAYS
    scoped_services: tuple[str, ...] = ("*",)
    review_max_age: int = 365
    severities: Mapping[str, Severity] = field(default_factory=dict)
    undetermined_fails: bool = True
    disabled: Mapping[str, str] = field(default_factory=dict)
    acknowledgements: tuple[Acknowledgement, ...] = ()
    source: str = "default configuration"

    def __post_init__(self) -> None:
        """Checks every value, however the configuration was made.

        Raises:
            ConfigurationError: A value is not understood; names source, key and fix.
        """
        _Check(self).everything()

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], *, source: str = "CDK context") -> GuardrailConfig:
        """Reads a configuration from plain data.

        Args:
            mapping: Keys as the arguments above, with dashes or underscores.
            source: What to call it in messages.

        Raises:
            ConfigurationError: An unknown key, a wrong type or a value out of bounds.
        """
        return cls(source=source, **_Reader(source).read(mapping))  # type: ignore[arg-type]  # checked there

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

    def authorised_for(self, control: str) -> tuple[str, ...]:
        """ARN globs of the principals authorised for a control, those of ``"*"`` included."""
        return (*self.authorised.get(ANY_CONTROL, ()), *self.authorised.get(control, ()))


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
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise ConfigurationError(
            str(path), "(file)", f"it cannot be read: {problem}", "name a readable TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            str(path), "(file)", f"it is not TOML: {error}", "correct the syntax"
        ) from error


def _suggest(given: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else otherwise


def _identify(control_id: str) -> tuple[str, str] | None:
    """Canonical control id and detail of a control or finding id; None when there is no such control."""
    match = _FINDING_ID.fullmatch(control_id.strip())
    control = find_control(match["control"]) if match else None
    if match is None or control is None:
        return None
    return control.id, match["detail"] or ""


class _Reader:
    """Turns plain data into the arguments of `GuardrailConfig`: types only, values are checked there."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, mapping: Mapping[str, object]) -> dict[str, object]:
        readers = {
            "authorised": self._patterns,
            "trusted_accounts": self._texts,
            "organization_id": self._text,
            "multi_region_classifications": self._texts,
            "minimum_pending_window": self._days,
            "production_pending_window": self._days,
            "production_environments": self._texts,
            "ephemeral_environments": self._texts,
            "rotation_period_ceiling": self._days,
            "scoped_services": self._texts,
            "review_max_age": self._days,
            "severities": self._severities,
            "undetermined_fails": self._flag,
            "disabled": self._reasons,
            "acknowledgements": self._acknowledgements,
        }
        found: dict[str, object] = {}
        for key, value in mapping.items():
            name = str(key).replace("-", "_")
            if name not in readers:
                known = [name.replace("_", "-") for name in readers]
                raise self._error(
                    str(key),
                    "there is no such setting",
                    _suggest(str(key).replace("_", "-"), known, f"the settings are {', '.join(known)}"),
                )
            if name in found:
                raise self._error(str(key), "it stands twice, with dashes and with underscores", "keep one")
            found[name] = readers[name](str(key), value)
        return found

    def _error(self, key: str, problem: str, fix: str) -> ConfigurationError:
        return ConfigurationError(self._source, key, problem, fix)

    def _wrong(self, key: str, value: object, wanted: str) -> ConfigurationError:
        return self._error(key, f"{value!r} is a {type(value).__name__}", f"write {wanted}")

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self._wrong(key, value, "text in quotes")
        return value

    def _flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def _days(self, key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(key, value, "a whole number of days")
        return value

    def _texts(self, key: str, value: object) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise self._wrong(key, value, 'a list of texts, such as ["…"]')
        return tuple(self._text(f"{key}[{index}]", item) for index, item in enumerate(value))

    def _table(self, key: str, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "a table")
        return value

    def _patterns(self, key: str, value: object) -> dict[str, tuple[str, ...]]:
        return {name: self._texts(f"{key}.{name}", item) for name, item in self._table(key, value).items()}

    def _reasons(self, key: str, value: object) -> dict[str, str]:
        return {name: self._text(f"{key}.{name}", item) for name, item in self._table(key, value).items()}

    def _severities(self, key: str, value: object) -> dict[str, Severity]:
        found: dict[str, Severity] = {}
        for name, item in self._table(key, value).items():
            text = self._text(f"{key}.{name}", item).lower()
            if text not in set(Severity):
                raise self._error(
                    f"{key}.{name}", f"{item!r} is no severity", f"write one of {', '.join(Severity)}"
                )
            found[name] = Severity(text)
        return found

    def _acknowledgements(self, key: str, value: object) -> tuple[Acknowledgement, ...]:
        if not isinstance(value, list | tuple):
            raise self._wrong(key, value, "a list of tables with id, reason and resource")
        found: list[Acknowledgement] = []
        for index, item in enumerate(value):
            place = f"{key}[{index}]"
            table = self._reasons(place, item)
            for name in table:
                if name not in ("id", "reason", "resource"):
                    raise self._error(
                        f"{place}.{name}", "an acknowledgement has no such member", "use id, reason, resource"
                    )
            for name in ("id", "reason"):
                if name not in table:
                    raise self._error(f"{place}.{name}", "it is missing", f"add {name}")
            found.append(Acknowledgement(table["id"], table["reason"], table.get("resource", "*")))
        return tuple(found)


class _Check:
    """Checks the values of a configuration and puts control ids into the catalogue's spelling."""

    def __init__(self, config: GuardrailConfig) -> None:
        self._config = config

    def everything(self) -> None:
        config = self._config
        self._accounts()
        self._organization()
        self._bounds("minimum_pending_window", MINIMUM_PENDING_WINDOW_DAYS, MAXIMUM_PENDING_WINDOW_DAYS)
        self._bounds("production_pending_window", MINIMUM_PENDING_WINDOW_DAYS, MAXIMUM_PENDING_WINDOW_DAYS)
        self._bounds("rotation_period_ceiling", MINIMUM_ROTATION_PERIOD_DAYS, MAXIMUM_ROTATION_PERIOD_DAYS)
        self._bounds("review_max_age", 1, 3650)
        for name in (
            "multi_region_classifications",
            "production_environments",
            "ephemeral_environments",
            "scoped_services",
        ):
            for index, value in enumerate(getattr(config, name)):
                if not value.strip():
                    raise self._error(f"{name}[{index}]", "it is empty", "remove it or write a value")
        both = sorted(
            {name.casefold() for name in config.production_environments}
            & {name.casefold() for name in config.ephemeral_environments}
        )
        if both:
            raise self._error(
                "ephemeral_environments",
                f"{both[0]!r} is a production environment too",
                "list it under one of the two",
            )
        self._set("authorised", self._authorised())
        self._set(
            "severities",
            {
                self._finding_id(f"severities.{name}", name): value
                for name, value in config.severities.items()
            },
        )
        self._set("disabled", self._disabled())
        self._set(
            "acknowledgements",
            tuple(self._acknowledgement(index, item) for index, item in enumerate(config.acknowledgements)),
        )

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self._config, name, value)

    def _error(self, key: str, problem: str, fix: str) -> ConfigurationError:
        return ConfigurationError(self._config.source, key, problem, fix)

    def _accounts(self) -> None:
        for index, account in enumerate(self._config.trusted_accounts):
            if not is_account_id(account):
                raise self._error(
                    f"trusted_accounts[{index}]",
                    f"{account!r} is no account id",
                    "write the account's twelve digits, in quotes",
                )

    def _organization(self) -> None:
        given = self._config.organization_id
        if given is not None and not _ORGANIZATION.fullmatch(given):
            raise self._error(
                "organization_id", f"{given!r} is no organization id", "write it as in 'o-a1b2c3d4e5'"
            )

    def _bounds(self, name: str, least: int, most: int) -> None:
        value: int = getattr(self._config, name)
        if not least <= value <= most:
            raise self._error(
                name, f"{value} days is out of bounds", f"write a number from {least} to {most}"
            )

    def _control(self, key: str, control_id: str) -> str:
        control = find_control(control_id)
        if control is None:
            raise self._error(
                key,
                f"there is no control {control_id!r}",
                _suggest(control_id.upper(), CATALOGUE, f"the controls are {', '.join(CATALOGUE)}"),
            )
        return control.id

    def _finding_id(self, key: str, finding_id: str) -> str:
        found = _identify(finding_id)
        if found is None:
            control = self._control(key, finding_id.partition("[")[0])
            raise self._error(
                key,
                f"{finding_id!r} is no finding id",
                f"write {control!r} or '{control}[detail]'",
            )
        control, detail = found
        return f"{control}[{detail}]" if detail else control

    def _authorised(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, patterns in self._config.authorised.items():
            key = f"authorised.{name}"
            control = name if name == ANY_CONTROL else self._control(key, name)
            if control != ANY_CONTROL and control not in AUTHORISABLE:
                raise self._error(
                    key,
                    "nobody can be authorised for this control",
                    f"use '*' or one of {', '.join(AUTHORISABLE)}; to accept a finding, use acknowledgements",
                )
            for index, pattern in enumerate(patterns):
                self._principal(f"{key}[{index}]", pattern)
            found[control] = tuple(patterns)
        return found

    def _principal(self, key: str, pattern: str) -> None:
        arn = _principal_pattern(pattern)
        if arn is None:
            problem = "it authorises everyone" if pattern.strip("*") == "" else "it is no principal's ARN"
            raise self._error(
                key,
                f"{pattern!r}: {problem}",
                "write the ARN of a role or user, with wildcards if need be, as in "
                "'arn:aws:iam::111122223333:role/Admin*'",
            )
        account = arn.account
        if not account.strip("*?") and not arn.resource.strip("*?"):
            raise self._error(
                key, f"{pattern!r}: it authorises everyone in every account", "name accounts or principals"
            )
        if account != "aws" and account.isdigit() and not is_account_id(account):
            raise self._error(key, f"{account!r} is no account id", "write the account's twelve digits")

    def _disabled(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, reason in self._config.disabled.items():
            control = self._control(f"disabled.{name}", name)
            if not reason.strip():
                raise self._error(f"disabled.{name}", "the reason is empty", "say why it is switched off")
            found[control] = reason.strip()
        return found

    def _acknowledgement(self, index: int, given: Acknowledgement) -> Acknowledgement:
        key = f"acknowledgements[{index}]"
        if not given.reason.strip():
            raise self._error(f"{key}.reason", "the reason is empty", "say why the finding is accepted")
        if not given.resource.strip():
            raise self._error(f"{key}.resource", "it is empty", "write a glob, or leave it out for '*'")
        return Acknowledgement(
            self._finding_id(f"{key}.id", given.id), given.reason.strip(), given.resource.strip()
        )


def _principal_pattern(pattern: str) -> Arn | None:
    """The ARN pattern of principals; None for anything else."""
    arn = parse_arn(pattern)
    if arn is None or arn.service.lower() not in ("iam", "sts") or arn.region or not arn.resource:
        return None
    return arn if _PARTITION_PATTERN.fullmatch(arn.partition) else None


SETTINGS: tuple[str, ...] = tuple(item.name for item in fields(GuardrailConfig) if item.name != "source")
"""Every setting, in order."""
