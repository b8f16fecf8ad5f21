"""What is asked once: by identity, for each object by itself, and no longer than the object lives."""

import gc
import weakref

from kms_constructs.model.once import once
from kms_constructs.model.policy import Policy


def test_each_object_is_asked_once_even_beside_an_equal_one() -> None:
    asked: list[int] = []

    @once
    def statements(policy: Policy) -> list[int]:
        asked.append(id(policy))
        return [len(policy.statements)]

    one, equal = Policy(path="KeyPolicy"), Policy(path="KeyPolicy")
    first = statements(one)
    assert statements(one) is first
    assert statements(equal) is not first
    assert asked == [id(one), id(equal)]


def test_an_answer_goes_with_its_object() -> None:
    class Answer:
        pass

    made = once(lambda policy: Answer())
    policy = Policy()
    answer = weakref.ref(made(policy))
    assert answer() is not None
    del policy
    gc.collect()
    assert answer() is None


def test_an_object_at_the_same_place_is_asked_anew() -> None:
    path = once(lambda policy: policy.path)
    for number in range(1000):
        assert path(Policy(path=str(number))) == str(number)
