"""Full-catalogue evaluation: ours and TFRS's FactorizedTopK, in one run.

    python -m benchmarks.evaluation_speed --data-dir DATA/amazon-beauty
    python -m benchmarks.evaluation_speed --items 100000 --queries 4096

Both see the same unit vectors: an item's are random, a query's are its target
with as much noise as leaves the ranking open. Queries, their targets and what
was seen before are the test split's of a data set, or generated. The systems
take turns, and the ratio is that of their medians.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    import tensorflow as tf

    from trainer.evaluation import Queries

_NOISE = 4.0  # length of the noise, over that of the target's vector
_TFRS_BATCH = 4096  # queries at a time, as TFRS's retrieval tutorial has it
_HISTORY = 8  # generated events of a query before its target
# The candidates' batches of that tutorial, and larger ones.
_CANDIDATE_BATCHES = (128, 4096)
_DEFAULT_KS = (1, 5, 10, 50, 100)
_KS = (_DEFAULT_KS, (10,))

# A run of an evaluation. Returns its top-10 accuracy.
Evaluation = Callable[[], float]


def unit(vectors: np.ndarray) -> np.ndarray:
    """[n, D] float32 vectors at length one."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def planted_vectors(
    targets: np.ndarray, num_items: int, dim: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of items, and of queries somewhere near their targets.

    Args:
        targets: [queries] int item codes.
        num_items: size of the catalogue.
        dim: D.
        seed: of the draws.

    Returns:
        [items, D] and [queries, D] float32.
    """
    generator = np.random.default_rng(seed)
    items = unit(generator.standard_normal((num_items, dim), np.float32))
    noise = unit(generator.standard_normal((len(targets), dim), np.float32))
    return items, unit(items[targets] + np.float32(_NOISE) * noise)


def generated_queries(num_items: int, number: int) -> Queries:
    """Queries of made-up users: distinct random items, the last one asked."""
    from trainer.behaviour import TEST, Sequences
    from trainer.evaluation import build_queries

    generator = np.random.default_rng(0)
    length = _HISTORY + 1
    items = [
        generator.choice(num_items, length, replace=False)
        for _ in range(number)
    ]
    nothing = np.zeros(number * length, np.int32)
    targets = np.arange(length - 1, number * length, length)
    split = np.zeros(number * length, np.int8)
    split[targets] = TEST
    sequences = Sequences(
        starts=np.arange(number + 1) * length,
        item=np.concatenate(items).astype(np.int32),
        event_type=nothing,
        scenario=nothing,
        gap=nothing,
        timestamp=nothing.astype(np.int64),
        rating=np.full(len(nothing), np.nan, np.float32),
        split=split,
    )
    return build_queries(
        sequences, targets, num_items=num_items, exclude_seen=False
    )


def held_out_queries(data_dir: str, number: int | None) -> Queries:
    """Those of the leave-one-out test split, or a sample of them."""
    from benchmarks.reading import read
    from trainer.behaviour import TEST, target_rows
    from trainer.config import DataConfig, RunConfig
    from trainer.evaluation import build_queries

    config = RunConfig(data=DataConfig(split="leave_one_out"))
    prepared = read(data_dir, config)
    return build_queries(
        prepared.sequences,
        target_rows(prepared.sequences, TEST, limit=number),
        num_items=len(prepared.catalogue),
        exclude_seen=False,
    )


def ours(
    queries: Queries, items: np.ndarray, query_vectors: np.ndarray
) -> Evaluation:
    """Ranks, lists and all metrics by `rank_targets`."""
    from trainer.evaluation import rank_targets

    columns = items.T

    def score(numbers: np.ndarray) -> np.ndarray:
        return query_vectors[numbers] @ columns

    return lambda: rank_targets(queries, score, "ours").summary()["recall@10"]


def factorized_top_k(
    candidates: tf.data.Dataset | tf.Module,
    ks: tuple[int, ...],
    queries: tf.data.Dataset,
    *,
    by_ids: bool = False,
) -> Evaluation:
    """TFRS's metric, updated in a graph, as `tfrs.Model.test_step` does.

    Args:
        candidates: batches of vectors, or a `TopK` layer.
        ks: of the metric.
        queries: batches of query vectors, target vectors and target ids.
        by_ids: whether a hit is a target's id among those that are found; by
            default a target's score, computed again, among their scores.
    """
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    metric = tfrs.metrics.FactorizedTopK(candidates=candidates, ks=ks)

    @tf.function
    def update(
        query: tf.Tensor, target: tf.Tensor, target_id: tf.Tensor
    ) -> None:
        metric.update_state(
            query, target, true_candidate_ids=target_id if by_ids else None
        )

    def evaluate() -> float:
        metric.reset_states()
        for batch in queries:
            update(*batch)
        return float(metric.result()[ks.index(10)])

    return evaluate


def tfrs_systems(
    targets: np.ndarray, items: np.ndarray, query_vectors: np.ndarray
) -> tuple[dict[str, Evaluation], Evaluation]:
    """Each way of FactorizedTopK by name, and one that compares ids."""
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    # Each system traces a graph of its own, which TensorFlow warns of.
    tf.get_logger().setLevel("ERROR")
    queries = tf.data.Dataset.from_tensor_slices(
        (query_vectors, items[targets], targets.astype(np.int32))
    ).batch(_TFRS_BATCH).cache()
    table = tf.data.Dataset.from_tensor_slices(items)
    systems, layers = {}, tfrs.layers.factorized_top_k
    for ks in _KS:
        said = "default ks" if ks == _DEFAULT_KS else f"ks={ks}"
        for size in _CANDIDATE_BATCHES:
            systems[f"Streaming, candidates by {size}, {said}"] = (
                factorized_top_k(table.batch(size), ks, queries)
            )
        index = layers.BruteForce(k=max(ks)).index(items)
        systems[f"BruteForce, {said}"] = factorized_top_k(index, ks, queries)
    index = layers.BruteForce().index(items)
    return systems, factorized_top_k(index, (10,), queries, by_ids=True)


@dataclasses.dataclass
class Timed:
    """What the turns of one system took.

    Attributes:
        accuracy: top-10, the same in each turn.
        seconds: wall time of each turn.
        cpu_seconds: of all threads, which other work on the machine changes
            less.
    """

    accuracy: float
    seconds: list[float]
    cpu_seconds: list[float]


def take_turns(
    systems: dict[str, Evaluation], repeats: int
) -> dict[str, Timed]:
    """Runs the systems in turn; the first turn of each warms up."""
    found = {}
    turns = [(turn, n) for turn in range(repeats + 1) for n in systems]
    for turn, name in tqdm(turns, desc="systems in turn", leave=False):
        started = time.perf_counter(), time.process_time()
        accuracy = systems[name]()
        if turn == 0:
            found[name] = Timed(accuracy, [], [])
            continue
        found[name].seconds.append(time.perf_counter() - started[0])
        found[name].cpu_seconds.append(time.process_time() - started[1])
    return found


def report(found: dict[str, Timed]) -> str:
    """One line per system; ratios are to the first one."""
    lines = []
    own: tuple[float, ...] = ()
    for name, timed in found.items():
        medians = tuple(
            statistics.median(values)
            for values in (timed.seconds, timed.cpu_seconds)
        )
        own = own or medians
        wall, cpu = (
            f"{value:8.2f} s {value / first:6.1f}x"
            for value, first in zip(medians, own, strict=True)
        )
        lines.append(
            f"{name:<42} {wall}, CPU {cpu}, top-10 {timed.accuracy:.6f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints one line per system."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="Example: python -m benchmarks.evaluation_speed --data-dir "
        "DATA/amazon-beauty",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data-dir", help="its leave-one-out test split")
    source.add_argument("--items", type=int, help="a catalogue made up")
    parser.add_argument("--queries", type=int, help="a sample of so many")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    queries = (
        held_out_queries(asked.data_dir, asked.queries)
        if asked.data_dir
        else generated_queries(asked.items, asked.queries or 4096)
    )
    targets = queries.items
    vectors = planted_vectors(targets, queries.num_items, asked.dim)
    without_seen = dataclasses.replace(queries, exclude_seen=True)
    systems = {
        "ours": ours(queries, *vectors),
        "ours, seen items left out": ours(without_seen, *vectors),
    }
    theirs, by_ids = tfrs_systems(targets, *vectors)
    found = take_turns({**systems, **theirs}, asked.repeats)
    print(f"{len(queries)} queries, {queries.num_items} items, {asked.dim} "
          f"wide, medians of {asked.repeats}")
    print(report(found))
    print(f"FactorizedTopK by ids: top-10 {by_ids():.6f}")


if __name__ == "__main__":
    main()
