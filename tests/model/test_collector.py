"""The garbage collector is out of the way, and afterwards where it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from kms_constructs.model import collector
from kms_constructs.model.collector import collector_paused


@pytest.fixture
def nothing_frozen() -> Iterator[None]:
    """As in a process of its own: the session has frozen what it collected."""
    thawed = gc.get_freeze_count() > 0
    gc.unfreeze()
    collector._is_nothing_frozen.cache_clear()
    yield
    collector._is_nothing_frozen.cache_clear()
    if thawed:
        gc.freeze()


@pytest.mark.parametrize("enabled", [True, False], ids=["enabled", "disabled"])
def test_it_is_left_as_it_was(enabled: bool) -> None:
    gc.enable() if enabled else gc.disable()
    try:
        with collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
        with pytest.raises(ValueError, match="inside"), collector_paused():
            raise ValueError("inside")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_what_was_made_meanwhile_is_not_walked_at_once(nothing_frozen: None) -> None:
    gc.collect()
    with collector_paused():
        made = [[number] for number in range(5_000)]
        young = {id(one) for one in gc.get_objects(generation=0)}
        assert id(made[-1]) in young
    young = {id(one) for one in gc.get_objects(generation=0)}
    old = {id(one) for one in gc.get_objects(generation=2)}
    assert not young & set(map(id, made))
    assert set(map(id, made)) <= old
    assert gc.get_freeze_count() == 0


def test_what_it_was_kept_from_is_collected_in_the_end(nothing_frozen: None) -> None:
    with collector_paused():
        circle: list[object] = []
        circle.append(circle)
        place = id(circle)
        del circle
    assert gc.collect() > 0
    assert place not in {id(one) for one in gc.get_objects()}


def test_what_somebody_has_frozen_stays_frozen(nothing_frozen: None) -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with collector_paused():
        pass
    assert gc.get_freeze_count() == before > 0
    gc.unfreeze()
