"""Reads a configuration from plain data: its keys and the types of its values, not yet the values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime

from kms_constructs.errors import ConfigurationError
from kms_constructs.guardrails.finding import Severity
from kms_constructs.guardrails.settings import Acknowledgement


def suggestion(given: str, known: Iterable[str], otherwise: str) -> str:
    """The known name that a misspelt one is meant for, as a question; else what is said `otherwise`."""
    import difflib  # for what is misspelt

    close = difflib.get_close_matches(given, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else otherwise


class ValueReader:
    """Turns plain data into the arguments of `GuardrailConfig`: types only, values are checked there.

    Args:
        source: What the data was read from, for messages.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, mapping: Mapping[str, object]) -> dict[str, object]:
        """The arguments, by name.

        Raises:
            ConfigurationError: There is no such setting, or its value is of the wrong type.
        """
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
            "excluded": self._reasons,
            "may_declare": self._patterns,
        }
        found: dict[str, object] = {}
        for key, value in mapping.items():
            name = str(key).replace("-", "_")
            if name not in readers:
                known = [name.replace("_", "-") for name in readers]
                raise self._error(
                    str(key),
                    "there is no such setting",
                    suggestion(str(key).replace("_", "-"), known, f"the settings are {', '.join(known)}"),
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
        # TOML has dates of its own, and `until = 2027-01-31` is how people write one.
        table = {
            name: item.isoformat() if isinstance(item, date) and not isinstance(item, datetime) else item
            for name, item in self._table(key, value).items()
        }
        return {name: self._text(f"{key}.{name}", item) for name, item in table.items()}

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
            members = {item.name: item.default for item in fields(Acknowledgement)}
            for name in table:
                if name not in members:
                    raise self._error(
                        f"{place}.{name}",
                        "an acknowledgement has no such member",
                        f"use {', '.join(members)}",
                    )
            for name, default in members.items():
                if default is MISSING and name not in table:
                    raise self._error(f"{place}.{name}", "it is missing", f"add {name}")
            found.append(Acknowledgement(**table))
        return tuple(found)
