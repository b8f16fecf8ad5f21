"""Estates of templates of which nothing serves two worlds, to compare others with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kms_constructs.model.estate import Estate
from kms_constructs.sources import TemplateInput, estate_from_templates
from kms_constructs.sources.cloudformation.layout import Place
from kms_constructs.sources.cloudformation.resolver import Stack
from kms_constructs.sources.cloudformation.values import Values
from kms_constructs.sources.cloudformation.world import Stock


def anew(inputs: Sequence[TemplateInput]) -> Estate:
    """The estate of worlds of which each is resolved by itself."""

    def made(stock: Stock, place: Place, values: Values) -> tuple[Stack, ...]:
        return tuple(stock._stacks(place, values, None))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stock, "family", made)
        return estate_from_templates(inputs)


def plain(estate: Estate) -> list[object]:
    """Estates whose objects are compared, and not which of them are one."""
    worlds = [(replace(world.estate, worlds=()), world.assignments) for world in estate.worlds]
    return [replace(estate, worlds=()), worlds]
