"""The garbage collector is out of the way, and afterwards where it was.

Each check runs in a process of its own: in that of the tests millions of objects would be walked for each,
some of which the session has frozen.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable

import pytest

from kms_constructs.model.collector import collector_paused
from tests.conftest import REPOSITORY


def it_is_left_as_it_was() -> None:
    for enabled in (True, False):
        gc.enable() if enabled else gc.disable()
        with collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
        with pytest.raises(ValueError, match="inside"), collector_paused():
            raise ValueError("inside")
        assert gc.isenabled() is enabled


def what_was_made_meanwhile_is_not_walked_at_once() -> None:
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


def what_it_was_kept_from_is_collected_in_the_end() -> None:
    with collector_paused():
        circle: list[object] = []
        circle.append(circle)
        place = id(circle)
        del circle
    assert gc.collect() > 0
    assert place not in {id(one) for one in gc.get_objects()}


def what_somebody_has_frozen_stays_frozen() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with collector_paused():
        pass
    assert gc.get_freeze_count() == before > 0


CHECKS: list[Callable[[], None]] = [
    it_is_left_as_it_was,
    what_was_made_meanwhile_is_not_walked_at_once,
    what_it_was_kept_from_is_collected_in_the_end,
    what_somebody_has_frozen_stays_frozen,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_in_a_process_of_its_own(check: Callable[[], None]) -> None:
    code = f"from {__name__} import {check.__name__}; {check.__name__}()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
