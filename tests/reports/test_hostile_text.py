"""Whatever text stands in whatever field, every format shows it and none acts on it."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kms_constructs.analysis.access import Access, AccessMatrix, Capability, MatrixCell, MatrixRow
from kms_constructs.analysis.diff import AccessChange
from kms_constructs.analysis.witness import Witness
from kms_constructs.guardrails.engine import judge
from kms_constructs.guardrails.finding import Finding, Outcome, Report, Severity
from kms_constructs.model.estate import Estate, Location, SourceProblem
from kms_constructs.reports.console import Look
from kms_constructs.reports.csv_report import _FORMULAS
from kms_constructs.reports.formats import (
    ACCESSES,
    AUDITED,
    CHANGES,
    JUDGED,
    Accesses,
    Audited,
    Changes,
    Judged,
)
from kms_constructs.reports.text import one_line, printable, without_commands
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.guardrails.factories import TODAY
from tests.reports.samples import key
from tests.sources.kms_api.build import GOOD_POLICY, Seed, answers_of

SNIPPETS = (
    "\x1b[2J",
    "\x1b]8;;https://example.com\x07x\x1b]8;;\x07",
    "\x9b31m",
    "\u202eexe",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\U000e0041",
    "\xad",
    "\u3164",
    "\ud800",
    "\0",
    "\r\n::error::pwned",
    "\n::set-output name=a::b",
    "::stop-commands::x",
    "##[error]x",
    "##vso[task.setvariable]x",
    "%0A::error::x",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "+1",
    "-1",
    "\t=1",
    "；=1",  # noqa: RUF001
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="x',
    "</style></script>",
    "]]>",
    "&lt;",
    "{{ 7 * 7 }}",
    "|",
    "\\|",
    "\\",
    "`",
    "``` \n# h",
    "[a](javascript:x)",
    "@octocat",
    "[0]({0})",
    "{0}",
    "arn:aws:iam::111122223333:role/\u0410dmin",
    "\u0410dmin",
    "role\u2215Admin",
    "\x85",
    "\u2028",
)
"""Each once, and together with any other text in the property."""

texts = st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=8)), min_size=1, max_size=4).map(
    "".join
)

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def raw(text: str, *, colours: bool = False) -> list[str]:
    """Characters that a terminal or a reader's eye would follow instead of showing them."""
    if colours:
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return [c for c in sorted(set(text)) if c != "\n" and unicodedata.category(c) in _INVISIBLE]


def report(text: str) -> Report:
    place = Location(text, text, text, text)
    common: dict[str, Any] = {"severity": Severity.HIGH, "location": place, "message": text, "fix": text}
    more: dict[str, Any] = {"path": text, "detail": text, "chain": (text, text), "principals": (text, text)}
    witness = Witness(text, "Decrypt", {text: text, "a": (text, text)})
    return Report(
        findings=(
            Finding(control="KMS:001", outcome=Outcome.VIOLATION, witness=witness, **common, **more),
            Finding(control="KMS:002", outcome=Outcome.UNDETERMINED, **common, **more),
            Finding(control="KMS:003", outcome=Outcome.VIOLATION, acknowledged=text, **common),
            Finding(control="KMS:004", outcome=Outcome.COMPLIANT, **common),
            Finding(control="KMS:005", outcome=Outcome.VIOLATION, severity=Severity.HIGH,
                    location=Location(f"111122223333/{text}"), message=text),
        ),
        problems=(SourceProblem(text, text, text, text),),
        keys=1,
        sources=(text,),
        notes=(text,),
    )  # fmt: skip


def audited(text: str) -> Audited:
    statement = dict(GOOD_POLICY["Statement"][0])  # type: ignore[index,call-overload]
    seed = Seed(
        key_id=text or "k",
        policy={**GOOD_POLICY, "Statement": [{**statement, "Sid": text}]},
        metadata={"Description": text, "KeySpec": text, "KeyState": text},
        tags={text: text},
        aliases=(f"alias/{text}", text),
        grants=[{"GrantId": text, "Name": text, "Operations": ["Decrypt", text], "GranteePrincipal": text,
                 "Constraints": {"EncryptionContextEquals": {text: text}}}],
    )  # fmt: skip
    estate = estate_from_answers(answers_of(seed))
    return Audited(Judged(judge(estate, today=TODAY), estate, everything=True))


def drawn(text: str) -> Iterator[tuple[str, str]]:
    """Everything that the commands draw of a text in every field, with the name of its format."""
    look = lambda: Look(width=100)  # noqa: E731
    found = report(text)
    for everything in (False, True):
        for name in JUDGED.names:
            yield name, JUDGED.draws[name](Judged(found, Estate(problems=found.problems), everything), look)
    yield "table", JUDGED.draws["table"](Judged(found, Estate(), verbose=False), lambda: Look(width=44))
    place = Location(text, text, text, text)
    for access in (Access.CONDITIONAL, Access.UNKNOWN):
        cell = MatrixCell(access, (text, text), (text, text) if access is Access.CONDITIONAL else ())
        matrix = AccessMatrix(
            replace(key(place), aliases=(text,), account=text, region=text, key_spec=text),
            (Capability.READ,),
            (MatrixRow(text, "role", {Capability.READ: cell}),),
            world=text,
        )
        for name in ACCESSES.names:
            yield name, ACCESSES.draws[name](Accesses((matrix,), Estate(problems=found.problems)), look)
    change = AccessChange(text, text, Capability.READ, Access.DENIED, Access.ALLOWED, (text,), (text,))
    for name in CHANGES.names:
        yield name, CHANGES.draws[name](Changes((change,), found.problems), look)
    whole = audited(text)
    for name in AUDITED.names:
        yield name, AUDITED.draws[name](whole, look)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


def elements(page: str) -> set[tuple[str, tuple[str, ...]]]:
    parser = _Elements()
    parser.feed(page)
    return set(parser.seen)


@pytest.fixture(scope="module")
def plain_elements() -> set[tuple[str, tuple[str, ...]]]:
    """What pages are made of whatever stands in them."""
    return {one for name, text in drawn("plain") if name == "html" for one in elements(text)}


def cells(row: str) -> int:
    """The cells of a row of a Markdown table: bars behind a backslash are text."""
    return len(re.findall(r"(?<!\\)\|", row)) - 1


def check(name: str, text: str, plain_elements: set[tuple[str, tuple[str, ...]]]) -> None:
    # Lines of CSV end as RFC 4180 says.
    assert raw(text.replace("\r\n", "\n") if name in ("csv", "inventory") else text) == [], name
    if name in ("json", "sarif", "gitlab", "asff", "ocsf"):
        json.loads(text)
    elif name == "html":
        assert elements(text) <= plain_elements
    elif name == "junit":
        ET.fromstring(text)  # noqa: S314 - made here
    elif name in ("csv", "inventory"):
        first, *rows = csv.reader(StringIO(text))
        assert all(len(row) == len(first) for row in rows)
        assert not [cell for row in rows for cell in row if cell.startswith(_FORMULAS)]
    elif name == "markdown":
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            rows = table.splitlines()
            assert {cells(row) for row in rows} == {cells(rows[1])}
        assert not re.search(r"<(?!!-- -->)", re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)|\\<", "", text))
    elif name == "github":
        assert all(re.match(r"::(error|warning|notice) [^:]*::", line) for line in text.splitlines())
    elif name == "table":
        assert not re.search(r"^\s*::", text, re.MULTILINE)
    if name != "github":
        assert not re.search(r"##(\[|vso\[)", text)


@pytest.mark.parametrize("text", SNIPPETS, ids=ascii)
def test_every_format_shows_it(text: str, plain_elements: set[tuple[str, tuple[str, ...]]]) -> None:
    for name, shown in drawn(text):
        check(name, shown, plain_elements)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts)
def test_every_format_shows_any_text(plain_elements: set[tuple[str, tuple[str, ...]]], text: str) -> None:
    for name, shown in drawn(text):
        check(name, shown, plain_elements)


@settings(max_examples=50, deadline=None)
@given(texts)
def test_what_machines_read_is_what_people_read(text: str) -> None:
    found = report(text)
    document = json.loads(JUDGED.draws["json"](Judged(found, Estate()), Look))
    listed = document["findings"]
    assert {one["message"] for one in listed} == {printable(text)}
    log = json.loads(JUDGED.draws["sarif"](Judged(found, Estate()), Look))
    first = log["runs"][0]["results"][0]
    assert set(first["properties"]["principals"]) == {one_line(text)}


def test_every_character_that_is_not_seen_is_shown() -> None:
    unseen = [
        chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) in _INVISIBLE | {"Zs"}
    ]
    left = [one for one in unseen if one not in "\t\n " and printable(one) == one]
    assert left == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\u0410dmin", "\\u0410dmin", id="Cyrillic among Latin"),
        pytest.param("\u0434\u0430", "\u0434\u0430", id="Cyrillic alone"),
        pytest.param("Gr\xfc\xdfe", "Gr\xfc\xdfe", id="umlauts"),
        pytest.param("KMS\u30ad\u30fc", "KMS\u30ad\u30fc", id="Japanese"),
        pytest.param(
            "arn:aws:iam::1:role/\u0434\u0430", "arn:aws:iam::1:role/\\u0434\\u0430", id="Cyrillic in an ARN"
        ),
        pytest.param("K\u212aS", "K\\u212aS", id="Kelvin sign"),
        pytest.param("a\u2215b", "a\\u2215b", id="division slash"),
        pytest.param("\uff41bc", "\\uff41bc", id="full width"),
    ],
)  # fmt: skip
def test_letters_that_look_alike(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_line_for_a_terminal_begins_as_a_command() -> None:
    assert without_commands("a\n ::error::x\n::y") == "a\n \\x3a:error::x\n\\x3a:y"
    assert without_commands("AWS::KMS::Key") == "AWS::KMS::Key"
