"""`kms-constructs config`: the configuration that applies."""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from kms_constructs.cli import output
from kms_constructs.cli.options import config_option, output_options
from kms_constructs.exit_code import ExitCode
from kms_constructs.reports.formats import Formats

if TYPE_CHECKING:
    from kms_constructs.guardrails.config import GuardrailConfig


@click.command
@config_option
@output_options(("table", "json"))
def config(config_file: str | None, outputs: tuple[str, ...], format_: str | None) -> int:
    """Show the configuration that applies here, defaults filled in, and where it was read from.

    \b
    Examples:
      kms-constructs config
      kms-constructs config --config guardrails.toml --format json
    """
    from kms_constructs.guardrails.config import load_config

    formats: Formats[GuardrailConfig] = Formats(
        {"table": lambda it, _look: _as_toml(it), "json": lambda it, _look: _as_json(it)}
    )
    places = output.targets(outputs, format_, formats)
    settings = load_config(config_file)
    output.write(places, output.draw(places, formats, settings))
    return ExitCode.CLEAN


def _plain(value: object) -> Any:  # noqa: ANN401 - plain data of any shape
    if is_dataclass(value):
        return {
            item.name.replace("_", "-"): _plain(getattr(value, item.name))
            for item in fields(value)
            if item.name != "source"
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "items"):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _as_json(settings: GuardrailConfig) -> str:
    from kms_constructs.reports.text import json_text

    document = {"source": settings.source, "settings": _plain(settings)}
    return json_text(document, indent=2) + "\n"


def _as_toml(settings: GuardrailConfig) -> str:
    """The settings as the file that would give them."""
    plain = _plain(settings)
    lines = [f"# from {settings.source}"]
    tables = {name: value for name, value in plain.items() if isinstance(value, dict)}
    arrays = {name: value for name, value in plain.items() if _is_array_of_tables(value)}
    for name, value in plain.items():
        if name in tables or name in arrays:
            continue
        lines.append(f"# {name} is not set" if value is None else f"{name} = {_toml(value)}")
    for name, value in tables.items():
        lines += ["", f"[{name}]", *(f"{_toml(key)} = {_toml(item)}" for key, item in value.items())]
    for name, members in arrays.items():
        for member in members:
            lines += ["", f"[[{name}]]", *(f"{key} = {_toml(item)}" for key, item in member.items())]
    return "\n".join(lines) + "\n"


_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _toml(value: object) -> str:
    from kms_constructs.reports.text import json_text

    # JSON's strings, numbers, booleans and lists are TOML's as well, but for pairs of surrogates.
    return _PAIR.sub(lambda found: f"\\U{_point(found.group(0)):08x}", json_text(value))


def _point(pair: str) -> int:
    return ord(json.loads(f'"{pair}"'))
