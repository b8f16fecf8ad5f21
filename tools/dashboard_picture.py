"""A dashboard of a template as a picture: ``python tools/dashboard_picture.py TEMPLATE --write FILE.svg``.

It draws what the JSON of the dashboard says: the place and size of every widget in CloudWatch's grid, its
title, and what it shows. There are no values, for there are none before it is deployed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

COLUMN = 46
"""Pixels for each of the 24 columns of the grid."""
ROW = 44
_LINE = 16
_PALETTE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22")


def dashboard_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the one dashboard of a template, with references as the names of what they refer to.

    Raises:
        ValueError: The template has no dashboard, or several.
    """
    found = [
        one["Properties"]["DashboardBody"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::CloudWatch::Dashboard"
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} dashboards in the template, and not one")
    names = {
        logical: str(one["Properties"].get("AlarmName", logical))
        for logical, one in template["Resources"].items()
    }
    body: dict[str, Any] = json.loads(_text(found[0], names))
    return body


def _text(value: Any, names: Mapping[str, str]) -> str:  # noqa: ANN401 - a text, or an intrinsic function
    if isinstance(value, str):
        return value
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_text(part, names) for part in parts)
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return names.get(name, str(name))
    return "…"


def picture(body: Mapping[str, Any]) -> str:
    """The dashboard as SVG."""
    widgets: list[dict[str, Any]] = body["widgets"]
    height = ROW * max(one["y"] + one["height"] for one in widgets)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * COLUMN} {height}" width="{24 * COLUMN}" '
        f'height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="#f2f3f3"/>',
        *(line for one in widgets for line in _widget(one)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _widget(one: Mapping[str, Any]) -> Iterator[str]:
    x, y = one["x"] * COLUMN + 4, one["y"] * ROW + 4
    width, height = one["width"] * COLUMN - 8, one["height"] * ROW - 8
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="#fff" stroke="#d5dbdb"/>'
    properties = one["properties"]
    if one["type"] == "text":
        for number, line in enumerate(properties["markdown"].splitlines()):
            heading = line.startswith("# ")
            style = ' font-size="18" font-weight="bold"' if heading else ""
            yield _words(x + 14, y + 28 + number * 26, line.removeprefix("# "), style)
        return
    yield _words(x + 14, y + 22, properties.get("title", ""), ' font-size="14" font-weight="bold"')
    if one["type"] == "alarm":
        yield from _alarms(x, y, width, properties["alarms"])
    else:
        yield from _graph(x, y, width, height, properties)


def _alarms(x: int, y: int, width: int, alarms: Sequence[str]) -> Iterator[str]:
    across = 4
    each = (width - 28) // across
    for number, name in enumerate(alarms):
        left, top = x + 14 + number % across * each, y + 36 + number // across * 32
        box = f'x="{left}" y="{top}" width="{each - 8}" height="26" rx="3"'
        yield f'<rect {box} fill="#e9f5ea" stroke="#1d8102"/>'
        yield _words(left + 8, top + 17, _shortened(name, each // 7), "")


def _graph(x: int, y: int, width: int, height: int, properties: Mapping[str, Any]) -> Iterator[str]:
    labels = list(_labels(properties.get("metrics", [])))
    columns = 3 if len(labels) > 4 else 1
    rows = -(-len(labels) // columns)
    bottom = y + height - 14 - rows * _LINE
    left, right = x + 34, x + width - 14
    yield f'<path d="M{left} {y + 36} V{bottom} H{right}" fill="none" stroke="#879596"/>'
    for part in (1, 2, 3):
        level = bottom - part * (bottom - y - 36) // 4
        yield f'<path d="M{left} {level} H{right}" stroke="#eaeded"/>'
    axis = properties.get("yAxis", {}).get("left", {})
    yield _words(x + 10, bottom + 4, str(axis.get("min", "")), "")
    yield _words(x + 10, y + 46, f"{axis.get('max', '')}{axis.get('label', '')}", "")
    each = (width - 28) // columns
    for number, label in enumerate(labels):
        place_x = x + 14 + number // rows * each
        place_y = bottom + 18 + number % rows * _LINE
        colour = _PALETTE[number % len(_PALETTE)]
        yield f'<rect x="{place_x}" y="{place_y - 8}" width="9" height="9" fill="{colour}"/>'
        yield _words(place_x + 14, place_y, _shortened(label, each // 7), ' font-size="11"')


def _labels(metrics: Sequence[Sequence[Any]]) -> Iterator[str]:
    """What the legend says: the label, or the metric and the last of its dimensions."""
    for one in metrics:
        options = one[-1] if isinstance(one[-1], Mapping) else {}
        if options.get("visible") is False:
            continue
        names = [part for part in one if isinstance(part, str)]
        last = names[-1] if len(names) > 2 else ""
        yield str(options.get("label") or " ".join(filter(None, (names[1], last))))


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _words(x: int, y: int, text: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" fill="#16191f"{style}>{escape(text)}</text>'


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the picture; returns 0, or 1 when it is not current."""
    parser = argparse.ArgumentParser(prog="python tools/dashboard_picture.py", description=__doc__)
    parser.add_argument("template", metavar="TEMPLATE", type=Path)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--write", metavar="FILE", type=Path, help="make the picture in FILE current")
    how.add_argument("--check", metavar="FILE", type=Path, help="exit with 1 when the picture in FILE is not")
    given = parser.parse_args(arguments)
    drawn = picture(dashboard_of(json.loads(given.template.read_text(encoding="utf-8"))))
    if given.write:
        given.write.write_text(drawn, encoding="utf-8")
        return 0
    if given.check.read_text(encoding="utf-8") != drawn:
        print(f"{given.check}: the picture is not current: run with --write", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
