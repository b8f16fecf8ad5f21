"""Checks the values of a configuration and puts control ids into the catalogue's spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.catalogue import AUTHORISABLE, CATALOGUE, DECLARABLE, find_control
from kms_constructs.guardrails.config_values import suggestion
from kms_constructs.guardrails.finding_id import FINGERPRINT, FindingId, day_of
from kms_constructs.guardrails.settings import ANY_CONTROL, Acknowledgement, Settings
from kms_constructs.model.arn import Arn, is_account_id, parse_arn
from kms_constructs.model.key_specs import (
    MAXIMUM_PENDING_WINDOW_DAYS,
    MAXIMUM_ROTATION_PERIOD_DAYS,
    MINIMUM_PENDING_WINDOW_DAYS,
    MINIMUM_ROTATION_PERIOD_DAYS,
)
from kms_constructs.model.text import is_organization_id

BOUNDS: Mapping[str, tuple[int, int]] = {
    "minimum_pending_window": (MINIMUM_PENDING_WINDOW_DAYS, MAXIMUM_PENDING_WINDOW_DAYS),
    "production_pending_window": (MINIMUM_PENDING_WINDOW_DAYS, MAXIMUM_PENDING_WINDOW_DAYS),
    "rotation_period_ceiling": (MINIMUM_ROTATION_PERIOD_DAYS, MAXIMUM_ROTATION_PERIOD_DAYS),
    "review_max_age": (1, 3650),
}
"""Setting to its least and its most, in days."""

NAMES = (
    "multi_region_classifications",
    "production_environments",
    "ephemeral_environments",
    "scoped_services",
)
"""The settings that list names, none of them empty."""

_PARTITION_PATTERN = re.compile(r"[a-z0-9*?-]+", re.IGNORECASE)
_FINDING_ID = re.compile(r"(?P<control>[^\[\]]+)(\[(?P<detail>[^\[\]]+)\])?")


def checked(settings: Settings) -> dict[str, object]:
    """The settings that change by being checked: control ids in the catalogue's spelling, texts stripped.

    Raises:
        ConfigurationError: A value is not understood; names source, key and fix.
    """
    return _Check(settings).everything()


def _identify(control_id: str) -> tuple[str, str] | None:
    """Canonical control id and detail of a control or finding id; None when there is no such control."""
    match = _FINDING_ID.fullmatch(control_id.strip())
    control = find_control(match["control"]) if match else None
    if match is None or control is None:
        return None
    return control.id, match["detail"] or ""


class _Check:
    def __init__(self, config: Settings) -> None:
        self._config = config

    def everything(self) -> dict[str, object]:
        config = self._config
        self._accounts()
        self._organization()
        for name, (least, most) in BOUNDS.items():
            self._bounds(name, least, most)
        for name in NAMES:
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
        return {
            "authorised": self._authorised("authorised", config.authorised, AUTHORISABLE),
            "may_declare": None
            if config.may_declare is None
            else self._authorised("may_declare", config.may_declare, DECLARABLE),
            "excluded": self._excluded(),
            "severities": {
                self._finding_id(f"severities.{name}", name): value
                for name, value in config.severities.items()
            },
            "disabled": self._disabled(),
            "acknowledgements": tuple(
                self._acknowledgement(index, item) for index, item in enumerate(config.acknowledgements)
            ),
        }

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
        if given is not None and not is_organization_id(given):
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
                suggestion(control_id.upper(), CATALOGUE, f"the controls are {', '.join(CATALOGUE)}"),
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

    def _authorised(
        self, setting: str, given: Mapping[str, tuple[str, ...]], controls: tuple[str, ...]
    ) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, patterns in given.items():
            key = f"{setting}.{name}"
            control = name if name == ANY_CONTROL else self._control(key, name)
            if control != ANY_CONTROL and control not in controls:
                raise self._error(
                    key,
                    "nobody can be authorised for this control",
                    f"use '*' or one of {', '.join(controls)}; to accept a finding, use acknowledgements",
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
        if given.until and day_of(given.until) is None:
            raise self._error(f"{key}.until", f"{given.until!r} is no day", "write it as in '2027-01-31'")
        exact = self._acknowledged(f"{key}.id", given.id)
        if given.fingerprint:
            if exact.fingerprint or exact.pattern is not None:
                raise self._error(
                    f"{key}.fingerprint", "the id says already what is accepted", "write it in one of the two"
                )
            if not FINGERPRINT.fullmatch(given.fingerprint.strip()):
                raise self._error(
                    f"{key}.fingerprint",
                    f"{given.fingerprint!r} is no fingerprint",
                    "copy the twelve digits from the report",
                )
            exact = replace(exact, fingerprint=given.fingerprint.strip())
        return Acknowledgement(
            str(exact), given.reason.strip(), given.resource.strip(), until=given.until.strip()
        )

    def _acknowledged(self, key: str, given: str) -> FindingId:
        found = FindingId.parse(given)
        if found is None:
            control = self._control(key, given.partition("[")[0])
            raise self._error(
                key,
                f"{given!r} is no finding id",
                f"write '{control}[detail:fingerprint]' as the report does, or '{control}[*]' for all of it",
            )
        return found

    def _excluded(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, reason in self._config.excluded.items():
            key = f"excluded.{name}"
            if not name.strip("* "):
                raise self._error(key, "it excludes everything", "name a stack, a construct or a resource")
            if not reason.strip():
                raise self._error(key, "the reason is empty", "say why it is excluded")
            found[name.strip()] = reason.strip()
        return found


def _principal_pattern(pattern: str) -> Arn | None:
    """The ARN pattern of principals; None for anything else."""
    arn = parse_arn(pattern)
    if arn is None or arn.service.lower() not in ("iam", "sts") or arn.region or not arn.resource:
        return None
    return arn if _PARTITION_PATTERN.fullmatch(arn.partition) else None
