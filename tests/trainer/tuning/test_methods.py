"""Ways of tuning: what is trained, and that nothing changes until it is."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import transformers
from untrained_encoders import (
    IDS,
    INNER,
    LAYERS,
    POSITIONS,
    VOCABULARY,
    WIDTH,
    make,
    shake,
)

from trainer.config import TrainingConfig
from trainer.tuning import Tuning, merge, tune
from trainer.tuning.adapter_folder import Adapter, is_adapter
from trainer.tuning.layers import LoraDense, SvdDense

# Weights of one layer: attention, its norm, both halves, their norm.
LAYER = (
    4 * (WIDTH * WIDTH + WIDTH) + 2 * WIDTH
    + WIDTH * INNER + INNER + INNER * WIDTH + WIDTH + 2 * WIDTH
)
BIASES = 4 * WIDTH + WIDTH + INNER + WIDTH + WIDTH  # with the norms' betas
EMBEDDINGS = (VOCABULARY + POSITIONS + 2) * WIDTH + 2 * WIDTH
TRAINED = {
    ("last_n", 1): LAYER,
    ("last_n", None): 2 * LAYER,
    ("lora", 3): LAYERS * 3 * 3 * (WIDTH + WIDTH),
    # Half as much again as 2 to begin with: 3 columns, 3 values, 3 rows.
    ("adalora", 2): LAYERS * 3 * (
        4 * (WIDTH + 1 + WIDTH) + 2 * (WIDTH + 1 + INNER)
    ),
    ("adapter", 5): LAYERS * 2 * (2 * 5 * WIDTH + 5 + WIDTH),
    ("prefix", 4): LAYERS * (2 * 4 * WIDTH + 2),
    ("bitfit", None): LAYERS * BIASES + WIDTH,
    ("full", None): LAYERS * LAYER + EMBEDDINGS,
}
CASES = pytest.mark.parametrize("method, size", TRAINED)


def states(bert: transformers.TFPreTrainedModel) -> np.ndarray:
    mask = tf.cast(IDS != 0, tf.int32)
    return bert(IDS, attention_mask=mask).last_hidden_state.numpy().astype(
        np.float32
    )


def gradients(bert, weights) -> dict[str, tf.Tensor | None]:
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(bert(IDS).last_hidden_state[:, 0, :3] ** 2)
    return tape.gradient(loss, weights)


@CASES
def test_the_share_is_what_the_sizes_say(method, size):
    weights = tune(make(), method, size)
    count = sum(np.prod(v.shape) for v in weights.values())
    assert count == TRAINED[method, size]


@CASES
def test_an_untrained_encoder_is_its_base(method, size):
    bert = make()
    before = states(bert)
    tune(bert, method, size)
    np.testing.assert_allclose(states(bert), before, atol=1e-6)


@CASES
def test_each_trained_weight_matters(method, size):
    bert = make()
    before = states(bert)
    weights = tune(bert, method, size)
    shake(weights)
    assert np.abs(states(bert) - before).max() > 1e-3
    found = gradients(bert, weights)
    # Keys add the same to all scores of a place: their biases are idle.
    idle = {n for n, g in found.items() if g is None and "key/bias" not in n}
    assert not idle


def test_nothing_of_a_frozen_encoder_is_trained():
    assert tune(make(), "frozen") == {}


@pytest.mark.parametrize("method", ["lora", "adalora"])
def test_products_inside_the_weights_are_those_beside_them(method):
    bert = make()
    shake(tune(bert, method, 3))
    beside = states(bert)
    graph = tf.function(
        lambda: bert(IDS).last_hidden_state[:1], autograph=False
    )
    graph()  # traced with the products
    merge(bert)
    inside = states(bert)
    np.testing.assert_allclose(inside, beside, atol=1e-5)
    np.testing.assert_allclose(graph()[0], inside[0], atol=1e-5)
    kinds = {type(each) for each in bert.submodules}
    assert not kinds & {LoraDense, SvdDense}


@pytest.mark.parametrize("kind", ["Roberta", "Electra"])
@pytest.mark.parametrize("method", ["lora", "adalora", "adapter", "prefix"])
def test_other_families_are_tuned_alike(kind, method):
    bert = make(kind)
    before = states(bert)
    weights = tune(bert, method, 3)
    np.testing.assert_allclose(states(bert), before, atol=1e-6)
    shake(weights)
    assert np.abs(states(bert) - before).max() > 1e-3


@pytest.mark.parametrize("method", ["lora", "adalora", "adapter", "prefix"])
def test_half_precision_is_tuned_too(method):
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        bert = make()
        base = states(bert)
        weights = tune(bert, method, 3)
        np.testing.assert_allclose(states(bert), base)
        assert all(v.dtype == tf.float32 for v in weights.values())
        assert None not in gradients(bert, weights).values()
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def test_an_encoder_that_is_built_another_way_is_refused():
    config = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=WIDTH, n_layers=1, n_heads=2,
        hidden_dim=INNER,
    )
    bert = transformers.TFDistilBertModel(config)
    bert.build_in_name_scope()
    with pytest.raises(ValueError, match="a distilbert cannot be tuned"):
        tune(bert, "lora")


def test_more_layers_than_there_are_cannot_be_tuned():
    with pytest.raises(ValueError, match="tune_size is 4, .* has 3 layers"):
        tune(make(), "last_n", 4)


def test_more_rank_than_a_kernel_has_is_refused():
    with pytest.raises(ValueError, match="a rank of 17, .* has 16 rows"):
        tune(make(), "adalora", 11)  # 16.5 to begin with


def test_what_was_tuned_once_is_not_wrapped_again():
    bert = make()
    tune(bert, "adapter", 2)
    with pytest.raises(ValueError, match="carries an adapter"):
        tune(bert, "lora", 2)


def test_the_share_is_printed(capsys):
    Tuning.start(make(), "prefix", 4)
    assert capsys.readouterr().out.startswith("tuning prefix: 390 of ")


@CASES
def test_an_encoder_is_moved_less_than_the_towers(method, size):
    towers = TrainingConfig.learning_rate
    rate = Tuning(method, size, "", {}).learning_rate
    assert 0 < rate <= (towers if method == "prefix" else towers / 20)


@CASES
def test_a_saved_adapter_makes_of_the_base_what_was_tuned(
    method, size, tmp_path
):
    bert = make()
    tuning = Tuning.start(bert, method, size)
    shake(tuning.weights)
    tuned = states(bert)
    folder = tmp_path / "adapter"
    Adapter.of("base", tuning).save(folder)
    assert is_adapter(str(folder))
    again = make()
    Adapter.read(folder).put_onto(again)
    np.testing.assert_allclose(states(again), tuned, atol=1e-5)


def test_an_adapter_of_another_base_is_refused(tmp_path):
    Adapter.of("base", Tuning.start(make(), "lora", 3)).save(tmp_path / "a")
    with pytest.raises(ValueError, match="another encoder than 'base' is now"):
        Adapter.read(tmp_path / "a").put_onto(make(seed=2))


def test_an_adapter_is_a_small_file(tmp_path):
    Adapter.of("base", Tuning.start(make(), "lora", 3)).save(tmp_path / "a")
    size = sum(path.stat().st_size for path in (tmp_path / "a").iterdir())
    # Four bytes a weight, and zip's own of 18 arrays.
    assert size < 4 * TRAINED["lora", 3] + 18 * 400 + 500
