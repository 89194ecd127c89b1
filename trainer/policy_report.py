"""What a policy does to the lists of an exported bundle, offline.

    python -m trainer.policy_report --bundle JOB/export/recommender/1 \\
        --data-dir data --diversity 0 0.1 0.3

The bundle's own `recommend` answers, so that what is measured is what is
served; each query stands at the time of its target.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serving import signatures
from serving.asking import Policy
from serving.manifest import BundleError, Manifest
from trainer import behaviour, metrics
from trainer.batches import in_order
from trainer.config import config_from
from trainer.evaluation import Queries, build_queries
from trainer.prepare import Prepared, prepare
from trainer.tables import load_dataset

if TYPE_CHECKING:
    from trainer.bundle_scorer import ExactBundle

_BATCH = 256
_LIST = 10


@dataclasses.dataclass(frozen=True)
class PolicyLists:
    """Asks a bundle for the lists of queries.

    Attributes:
        bundle: the exact bundle.
        prepared: the data.
        queries: what is asked.
    """

    bundle: ExactBundle
    prepared: Prepared
    queries: Queries

    def lists(self, policy: Policy, at_time: bool = False) -> np.ndarray:
        """[queries, 10] int64 item codes, best first, -1 for none.

        Args:
            policy: rules of every request; the seed is the query's number.
            at_time: whether items wait for their `available_from`, with each
                query at the time of its target.
        """
        from trainer.bundle_scorer import Requests

        requests = Requests(
            self.prepared, self.queries, self.bundle.max_history
        )
        code = {name: i for i, name in enumerate(self._item_ids)}
        found = np.full((len(self.queries), _LIST), -1, np.int64)
        for part in in_order(len(self.queries), _BATCH):
            numbers = np.arange(len(self.queries))[part]
            inputs = {
                **requests(numbers),
                **self._rules(policy, numbers, at_time),
                "exclude_item_ids": self._seen(numbers),
                "k": np.full(len(numbers), _LIST, np.int32),
            }
            answer = self.bundle.ask(signatures.RECOMMEND, inputs)
            ids = answer["item_ids"]
            found[numbers, : ids.shape[1]] = [
                [code.get(item.decode(), -1) for item in row] for row in ids
            ]
        return found

    def summary(self, lists: np.ndarray) -> dict[str, float]:
        """Quality and variety of [queries, 10] lists; recall@10 by rank."""
        queries = self.queries
        per_query = metrics.per_query(metrics.list_ranks(lists, queries.items))
        information = metrics.self_information(queries.train_counts)
        per_query["novelty@10"] = metrics.novelty(lists, information)
        per_query["intra_list_distance@10"] = metrics.intra_list_distance(
            lists, self._vectors
        )
        del per_query["recall@100"]  # a list ends at 10
        return {
            **{name: float(v.mean()) for name, v in per_query.items()},
            "coverage@10": metrics.coverage(lists, queries.num_items),
            "gini@10": metrics.gini(lists, queries.num_items),
            "queries": len(queries),
        }

    @property
    def _item_ids(self) -> list[str]:
        return self.prepared.catalogue.item_ids

    @property
    def _vectors(self) -> np.ndarray:
        """[items, D] in the order of the data; zeros where it has others."""
        row = {name: i for i, name in enumerate(self.bundle.item_ids)}
        rows = np.array([row.get(name, -1) for name in self._item_ids])
        vectors = self.bundle.vectors[np.maximum(rows, 0)]
        return np.where(rows[:, None] >= 0, vectors, 0.0)

    def _rules(
        self, policy: Policy, numbers: np.ndarray, at_time: bool
    ) -> dict[str, np.ndarray]:
        rules = {
            name: np.repeat(value, len(numbers), axis=0)
            for name, value in policy.inputs().items()
        }
        rules["seed"] = numbers.astype(np.int64)
        if at_time:
            rules["now"] = self.queries.moments[numbers]
        return rules

    def _seen(self, numbers: np.ndarray) -> np.ndarray:
        """[b, X] ids: also those that lie before what the bundle reads."""
        if not self.queries.exclude_seen:
            return np.full((len(numbers), 0), signatures.NO_ITEM, object)
        row, item = self.queries.seen(numbers)
        counts = np.bincount(row, minlength=len(numbers))
        place = np.arange(len(row)) - np.repeat(
            np.cumsum(counts) - counts, counts
        )
        shape = (len(numbers), int(counts.max(initial=0)))
        seen = np.full(shape, signatures.NO_ITEM, object)
        seen[row, place] = np.array(self._item_ids, object)[item]
        return seen


def load(bundle_dir: Path, data_dir: str, limit: int) -> PolicyLists:
    """A bundle with the test queries of its run's tables.

    Args:
        bundle_dir: version folder of an exact bundle.
        data_dir: of the tables that it was trained on.
        limit: queries to draw at most.

    Raises:
        BundleError: if the bundle is damaged or no exact one.
        ValueError: if the tables cannot be read.
    """
    from trainer.bundle_scorer import ExactBundle

    config = config_from(Manifest.read(bundle_dir).config)
    with tempfile.TemporaryDirectory() as rejects:
        dataset = load_dataset(
            data_dir,
            config.data,
            rejects_dir=Path(rejects),
            now=int(time.time()),
            reads_text=config.text.reads_behaviour,
        )
    prepared = prepare(dataset, config)
    queries = build_queries(
        prepared.sequences,
        behaviour.target_rows(
            prepared.sequences, behaviour.TEST,
            limit=limit, seed=config.training.seed,
        ),
        num_items=len(prepared.catalogue),
        exclude_seen=config.data.exclude_seen,
    )
    return PolicyLists(ExactBundle(bundle_dir), prepared, queries)


def parser() -> argparse.ArgumentParser:
    """All flags."""
    result = argparse.ArgumentParser(
        prog="python -m trainer.policy_report",
        description=__doc__.split("\n")[0],
    )
    result.add_argument("--bundle", type=Path, required=True)
    result.add_argument("--data-dir", required=True)
    result.add_argument(
        "--diversity", type=float, nargs="+", default=[0.0],
        help="each gives a line",
    )
    result.add_argument(
        "--diversity-method", default=signatures.MMR,
        choices=(signatures.MMR, signatures.DPP),
    )
    result.add_argument("--max-per-category", type=int, default=0)
    result.add_argument("--rerank", type=float, default=0.0)
    result.add_argument("--exploration", type=float, default=0.0)
    result.add_argument(
        "--at-time", action="store_true", help="items wait for available_from"
    )
    result.add_argument(
        "--limit", type=int, default=5_000, help="queries (default: 5000)"
    )
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a line of JSON for each diversity; 1 with a sentence if not."""
    asked = parser().parse_args(argv)
    try:
        measured = load(asked.bundle, asked.data_dir, asked.limit)
        for diversity in asked.diversity:
            policy = Policy(
                max_per_category=asked.max_per_category,
                rerank=asked.rerank,
                diversity=diversity,
                diversity_method=asked.diversity_method,
                exploration=asked.exploration,
            )
            summary = measured.summary(measured.lists(policy, asked.at_time))
            print(json.dumps({"diversity": diversity, **summary}))
    except (BundleError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
