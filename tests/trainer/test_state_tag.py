"""Tags of states."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer import state_tag


def tag(*values: float, names: tuple[str, ...] = ()) -> list[float]:
    return state_tag.tag_of([tf.Variable(values)], names).tolist()


def test_a_tag_is_two_whole_numbers_that_float32_holds() -> None:
    found = tag(0.5, 1.5)
    assert len(found) == 2
    assert all(number == int(number) < 2**24 for number in found)


def test_the_same_model_has_the_same_tag_and_another_has_another() -> None:
    models = [
        tag(0.5, 1.5), tag(0.5, 1.5000001), tag(1.5, 0.5),
        tag(0.5, 1.5, names=("a", "b")), tag(0.5, 1.5, names=("ab",)),
        tag(0.5, 1.5, names=("b", "a")),
    ]
    assert tag(0.5, 1.5) == models[0]
    assert len(set(map(tuple, models))) == len(models)


def test_a_state_comes_back_as_it_was_put() -> None:
    own = state_tag.tag_of([tf.Variable([3.0])], ())
    state = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    tagged = state_tag.put(own, tf.constant(state))
    assert tagged.shape == (3, 7)
    assert state_tag.take(own, tagged).numpy().tolist() == state.tolist()


@pytest.mark.parametrize("place", [(2, 0), (0, 1)])
def test_one_state_of_another_model_is_refused(place: tuple[int, int]) -> None:
    own = state_tag.tag_of([tf.Variable([3.0])], ())
    tagged = state_tag.put(own, tf.zeros([3, 5])).numpy()
    tagged[place] += 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="another model"):
        state_tag.take(own, tf.constant(tagged))
