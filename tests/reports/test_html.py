from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.guardrails.finding import Report
from kms_constructs.reports.html import access_html, report_html
from tests.reports import samples
from tests.reports.samples import finding

TITLES = {control.id: control.title for control in CATALOGUE.values()}
VOID = {"meta", "input", "br"}
PAGES = {
    "mixed": report_html(samples.MIXED, [samples.matrix(), samples.EMPTY_MATRIX], titles=TITLES),
    "clean": report_html(samples.CLEAN),
    "broken": report_html(samples.BROKEN),
    "empty": report_html(Report()),
    "hostile": report_html(
        samples.HOSTILE_REPORT, [samples.HOSTILE_MATRIX], titles={"KMS:001": samples.HOSTILE}
    ),
    "access": access_html([samples.matrix()], problems=[samples.PROBLEM], sources=["a.json"]),
    "access-hostile": access_html([samples.HOSTILE_MATRIX], sources=[samples.HOSTILE]),
    "access-of-nothing": access_html([]),
}


class Page(HTMLParser):
    """The page as its elements: tag, attributes and text, checked for balance."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
        elif data.strip():
            self.texts.append(" ".join(data.split()))

    def classes(self, tag: str) -> list[str]:
        return [attributes.get("class") or "" for name, attributes in self.tags if name == tag]


def test_badges_count_in_the_plural_what_has_one() -> None:
    twice = [
        replace(one, location=samples.DATA_KEY, message=message)
        for one in (samples.SEPARATION, samples.UNRESOLVED, samples.UNUSED, samples.ACCEPTED)
        for message in ("one", "other")
    ]
    texts = Page(report_html(Report(findings=tuple(twice), keys=1))).texts
    for badge in ("2 violations", "2 undetermined", "2 warnings", "2 acknowledged"):
        assert badge in texts


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_and_needs_nothing_else(name: str) -> None:
    page = Page(PAGES[name])
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form", "svg")
        assert "src" not in attributes
        assert "style" not in attributes
        assert not any(attribute.startswith("on") for attribute in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page.raw["style"]
    assert "@import" not in page.raw["style"]
    assert not re.search(r"fetch|XMLHttp|import\(|https?:|innerHTML|eval", page.raw["script"])


@pytest.mark.parametrize("name", PAGES)
def test_the_security_policy_allows_this_style_and_script_alone(name: str) -> None:
    page = Page(PAGES[name])
    policies = [
        attributes["content"]
        for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policies == [
        f"default-src 'none'; style-src 'sha256-{digest(page.raw['style'])}'; "
        f"script-src 'sha256-{digest(page.raw['script'])}'; base-uri 'none'; form-action 'none'"
    ]
    assert [tag for tag, _ in page.tags].count("script") == 1


@pytest.mark.parametrize("name", ["hostile", "access-hostile"])
def test_hostile_names_are_text(name: str) -> None:
    text = PAGES[name]
    assert "<script>alert" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    page = Page(text)
    assert any('<script>alert("x")</script>\\x1b[2J\\u202e' in item for item in page.texts)


def test_the_findings_are_on_the_page() -> None:
    page = Page(PAGES["mixed"])
    text = " ".join(page.texts)
    for item in samples.MIXED.findings:
        if item is not samples.NOT_APPLICABLE:
            assert item.message in text
    assert samples.SEPARATION.fix in text
    assert "Accepted because The data may not leave the Region (DPA-12)" in text
    assert samples.NOT_APPLICABLE.message not in text
    assert [css for css in page.classes("li") if css.startswith("finding")] == [
        "finding violation",
        "finding acknowledged",
        "finding violation",
        "finding warning",
        "finding undetermined",
    ]


def test_the_matrix_tells_access_in_words_with_its_statements_and_conditions() -> None:
    page = Page(PAGES["access"])
    text = " ".join(page.texts)
    titles = [
        attributes["title"] for tag, attributes in page.tags if tag == "span" and attributes.get("title")
    ]
    assert titles == [
        "delegated by RootAccount",
        "delegated by RootAccount",
        "allowed by KeyAdministrators",
        "allowed by KeyAdministrators",
        "allowed by KeyAdministrators",
        "allowed by KeyUsers",
        "conditional by KeyUsersGrants if kms:GrantIsForAWSResource Bool true",
        "allowed by KeyUsers",
        "unknown by KeyUsers; Extra",
    ]
    for note in (
        "1 by RootAccount",
        "2 by KeyAdministrators",
        "3 by KeyUsers",
        "4 by KeyUsersGrants",
        "5 by Extra",
        "a if kms:GrantIsForAWSResource Bool true",
    ):
        assert note in text


def test_matrices_stand_with_the_findings_of_their_key() -> None:
    page = Page(PAGES["mixed"])
    resources = [attributes for tag, attributes in page.tags if tag == "details" and attributes.get("id")]
    assert [resource["id"] for resource in resources] == ["resource-1", "resource-2", "resource-3"]
    assert page.classes("table").count("matrix") == 1
    assert "Nobody has access to this key." in page.texts


def test_many_resources_get_an_index_and_start_closed() -> None:
    locations = [samples.Location("t.json", "", f"Key{number}") for number in range(20)]
    page = Page(report_html(Report(findings=tuple(finding(location=place) for place in locations), keys=20)))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    resources = [attributes for tag, attributes in page.tags if tag == "details" and attributes.get("id")]
    assert links == [f"#{resource['id']}" for resource in resources]
    assert len(links) == len(locations)
    assert not any("open" in resource for resource in resources)


def test_few_resources_start_open_where_there_is_something_to_see() -> None:
    page = Page(PAGES["mixed"])
    assert not [tag for tag, _ in page.tags if tag == "a"]
    resources = [attributes for tag, attributes in page.tags if tag == "details" and attributes.get("id")]
    assert all("open" in resource for resource in resources)


def test_more_conditions_than_letters() -> None:
    capability = samples.Capability.READ
    conditions = tuple(f"condition {number}" for number in range(30))
    groups = tuple((condition,) for condition in conditions)
    cell = samples.MatrixCell(samples.Access.CONDITIONAL, (), conditions, groups)
    row = samples.MatrixRow("someone", "role", {capability: cell})
    text = " ".join(Page(access_html([samples.AccessMatrix(samples.key(), (capability,), (row,))])).texts)
    assert "z if condition 25 aa if condition 26" in text


LUMINANCE = (0.2126, 0.7152, 0.0722)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels
        ]
        return sum(weight * value for weight, value in zip(LUMINANCE, linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *((name, ground) for name in ("ink", "soft", "link") for ground in ("ground", "panel", "hover")),
        *(
            (name, ground)
            for name in ("violation", "undetermined", "warning", "acknowledged", "compliant", "allowed")
            for ground in ("panel", f"{name}-tint", "ground", "hover")
        ),
    ],
)
def test_colours_have_the_contrast_that_wcag_aa_asks_for(ink: str, ground: str, scheme: int) -> None:
    style = Page(PAGES["clean"]).raw["style"]
    palettes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in style.split(":root {")[1:3]
    ]
    assert contrast(palettes[scheme][ink], palettes[scheme][ground]) >= 4.5
