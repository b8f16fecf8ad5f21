"""Text of which a part is decided at deployment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_constructs.model.arn import is_account_id
from kms_constructs.model.text import (
    CLOSE,
    OPEN,
    HoleKind,
    display,
    has_hole,
    has_unresolved_hole,
    hole,
    holes,
    is_organization_id,
    split_holes,
)

NAME = hole(HoleKind.GENERATED, "App.Role.Name")
ACCOUNT = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
ADMIN = hole(HoleKind.UNRESOLVED, "App.Admin")


@pytest.mark.parametrize(
    ("text", "shown", "found", "pieces", "unresolved"),
    [
        pytest.param("", "", (), (), False, id="empty"),
        pytest.param("plain", "plain", (), ("plain",), False, id="no hole"),
        pytest.param(
            NAME,
            "${App.Role.Name}",
            ((HoleKind.GENERATED, "App.Role.Name"),),
            (NAME,),
            False,
            id="nothing but a hole",
        ),
        pytest.param(
            f"arn:aws:iam::{ACCOUNT}:role/{NAME}",
            "arn:aws:iam::${AWS::AccountId}:role/${App.Role.Name}",
            ((HoleKind.ENVIRONMENT, "AWS::AccountId"), (HoleKind.GENERATED, "App.Role.Name")),
            ("arn:aws:iam::", ACCOUNT, ":role/", NAME),
            False,
            id="two holes in text",
        ),
        pytest.param(
            f"{NAME}{ADMIN}",
            "${App.Role.Name}${App.Admin}",
            ((HoleKind.GENERATED, "App.Role.Name"), (HoleKind.UNRESOLVED, "App.Admin")),
            (NAME, ADMIN),
            True,
            id="adjacent holes, one unresolved",
        ),
        pytest.param(
            "${App.Admin}", "${App.Admin}", (), ("${App.Admin}",), False, id="looks like one and is none"
        ),
    ],
)
def test_reading_text_with_holes(text, shown, found, pieces, unresolved) -> None:
    assert display(text) == shown
    assert holes(text) == found
    assert split_holes(text) == pieces
    assert has_hole(text) is bool(found)
    assert has_unresolved_hole(text) is unresolved


def test_an_identity_cannot_break_out_of_its_hole() -> None:
    smuggled = hole(HoleKind.GENERATED, f"a{CLOSE}b{OPEN}u:c")

    assert holes(smuggled) == ((HoleKind.GENERATED, "abu:c"),)
    assert not has_unresolved_hole(smuggled)


_PIECE = st.one_of(
    st.text(
        st.characters(blacklist_characters=OPEN + CLOSE, blacklist_categories=["Cs"]), min_size=1, max_size=8
    ),
    st.builds(hole, st.sampled_from(HoleKind), st.text(max_size=8)),
)


@given(st.lists(_PIECE, max_size=6))
def test_the_pieces_of_a_text_are_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert "".join(split_holes(text)) == text
    assert len(holes(text)) == sum(has_hole(piece) for piece in pieces)
    assert OPEN not in display(text)
    assert CLOSE not in display(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("111122223333", True),
        ("000000000000", True),
        ("11112222333", False),
        ("1111222233334", False),
        ("11112222333x", False),
        ("111122223333\n", False),
        ("\u0661" * 12, False),
        ("", False),
    ],
    ids=repr,
)
def test_an_account_id_is_twelve_digits(text: str, expected: bool) -> None:
    assert is_account_id(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("o-abcdefghij", True),
        (f"o-{'a1' * 16}", True),
        ("o-abcdefghi", False),
        (f"o-{'a' * 33}", False),
        ("o-ABCDEFGHIJ", False),
        ("r-abcdefghij", False),
    ],
    ids=repr,
)
def test_an_organization_id(text: str, expected: bool) -> None:
    assert is_organization_id(text) is expected
