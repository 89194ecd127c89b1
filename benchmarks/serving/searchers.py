"""The searches that are compared, each built and asked in the same way.

faiss and hnswlib are for this comparison alone: `pip install -r
benchmarks/serving/requirements.txt`. Every search may use all cores, as it
does when it is left as it comes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

_IVF_TRAINED = 50  # vectors per list
_LINKS, _BUILD_BREADTH = 24, 200  # of both graphs
_BREADTHS = (
    100, 120, 140, 160, 180, 200, 250, 300, 350, 400, 500, 600, 800, 1000,
    1500, 2000, 3000, 5000,
)
_LISTS_SEARCHED = (
    0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0
)


class Searcher(Protocol):
    """A search of [n, d] vectors by products.

    Attributes:
        name: in the table.
        settings: from the fastest to the one that finds most.
    """

    name: str
    settings: Sequence[int]

    def use(self, setting: int) -> None:
        """Searches so from now on."""

    def __call__(self, queries: np.ndarray, k: int) -> np.ndarray:
        """[q, k] rows for [q, d] float32 queries, best first."""

    def size(self) -> int:
        """Bytes of the index as it is written, vectors included."""


class _Fixed:
    """What has one setting alone."""

    settings: Sequence[int] = (0,)

    def use(self, setting: int) -> None:
        del setting


class Exact(_Fixed):
    """The exact search that bundles are exported with."""

    name = "exact"

    def __init__(self, vectors: np.ndarray) -> None:
        import tensorflow as tf

        from serving.admission import Shelf
        from serving.search import ExactSearch

        search = ExactSearch(Shelf(tf.Variable(vectors)))
        self._ask, self._size = _graph(search, vectors.shape[1]), vectors.nbytes

    def __call__(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self._ask(queries, k)

    def size(self) -> int:
        return self._size


class Scann(_Fixed):
    """The twin's search with the plan that `serving.recall` chooses.

    It chooses by queries of its own, means of items: when an index is built
    there are no users to ask.

    Args:
        vectors: [n, d] float32.
        recall: at 10 and at 100, that is asked of the plan.
    """

    name = "ScaNN, this project"

    def __init__(self, vectors: np.ndarray, recall: float) -> None:
        import tensorflow as tf

        from serving.admission import Shelf
        from serving.recall import tuned

        self._search = tuned(Shelf(tf.Variable(vectors)), recall).search
        self.plan = self._search.plan
        self._ask = _graph(self._search, vectors.shape[1])

    def __call__(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self._ask(queries, k)

    def size(self) -> int:
        import tensorflow as tf

        options = tf.saved_model.SaveOptions(namespace_whitelist=["Scann"])
        with tempfile.TemporaryDirectory() as folder:
            tf.saved_model.save(self._search.index, folder, options=options)
            files = [each for each in Path(folder).rglob("*") if each.is_file()]
            return sum(each.stat().st_size for each in files)


def _graph(search: Any, dim: int) -> Any:
    """Rows of a search that bars nothing, as one graph."""
    import tensorflow as tf

    from serving.admission import Admission

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, dim]), tf.TensorSpec([None], tf.int32)
        ],
        autograph=False,
    )
    def rows(queries: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
        nothing = tf.zeros([tf.shape(queries)[0], 0], tf.int32)
        return search(queries, Admission.excluding(nothing), k)[0]

    def ask(queries: np.ndarray, k: int) -> np.ndarray:
        return rows(queries, np.full(len(queries), k, np.int32)).numpy()

    return ask


class _Faiss:
    """A faiss index."""

    _index: Any

    def __call__(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self._index.search(queries, k)[1]

    def size(self) -> int:
        import faiss

        return len(faiss.serialize_index(self._index))


class FaissFlat(_Faiss, _Fixed):
    """faiss's exact search."""

    name = "exact, faiss"

    def __init__(self, vectors: np.ndarray) -> None:
        import faiss

        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)


class FaissIvf(_Faiss):
    """Lists as many as our leaves, with whole vectors."""

    name = "faiss IVF"

    def __init__(self, vectors: np.ndarray) -> None:
        import faiss

        count, dim = vectors.shape
        lists = round(2 * count**0.5)
        self.settings = sorted(
            {max(1, round(lists * share)) for share in _LISTS_SEARCHED}
        )
        self._index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(dim), dim, lists, faiss.METRIC_INNER_PRODUCT
        )
        self._index.train(vectors[: lists * _IVF_TRAINED])
        self._index.add(vectors)

    def use(self, setting: int) -> None:
        self._index.nprobe = setting


class FaissHnsw(_Faiss):
    """faiss's graph."""

    name = "faiss HNSW"
    settings = _BREADTHS

    def __init__(self, vectors: np.ndarray) -> None:
        import faiss

        self._index = faiss.IndexHNSWFlat(
            vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT
        )
        self._index.hnsw.efConstruction = _BUILD_BREADTH
        self._index.add(vectors)

    def use(self, setting: int) -> None:
        self._index.hnsw.efSearch = setting


class Hnswlib:
    """hnswlib's graph."""

    name = "hnswlib"
    settings = _BREADTHS

    def __init__(self, vectors: np.ndarray) -> None:
        import hnswlib

        self._index = hnswlib.Index("ip", vectors.shape[1])
        self._index.init_index(
            len(vectors), M=_LINKS, ef_construction=_BUILD_BREADTH
        )
        self._index.add_items(vectors)

    def use(self, setting: int) -> None:
        self._index.set_ef(setting)

    def __call__(self, queries: np.ndarray, k: int) -> np.ndarray:
        return self._index.knn_query(queries, k)[0]

    def size(self) -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "index")
            self._index.save_index(path)
            return os.path.getsize(path)
