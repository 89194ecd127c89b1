"""Changes of a toy's catalogue, and questions that would tell any fault."""

from __future__ import annotations

import numpy as np
from live_shop import asked

# One-hot vectors of the toy: 8 characters at 0, 10 at 2, 11 at 3.
COME = [
    ("new tea", "Tea, new", 2, 0),
    ("x ☕", "Ten letter", 6, 250),
    ("plain", "Plain thing", -1, 0),
]
GONE = ["i3", "i77", "i149"]
EVERYTHING = {
    "recommend": [
        {"history_item_ids": [["i1", "new tea"], ["x ☕", "i5"]], "k": [9, 4]},
        {"history_item_ids": [["i1"]], "k": [400]},
        {"history_item_ids": [["plain"]], "k": [9], "max_per_category": [1]},
        {"history_item_ids": [["i8"]], "k": [99], "now": [240]},
        {"history_item_ids": [["i8"]], "k": [9], "min_available_from": [250]},
        {
            "history_item_ids": [["i8", "x ☕"]],
            "exclude_item_ids": [["new tea", "i3", "i4"]],
            "k": [70],
        },
        {
            "history_item_ids": [["i8"]],
            "allow_item_ids": [["new tea", "i3", "i4", "plain"]],
            "k": [5],
        },
        {
            "history_item_ids": [["i8", "plain"]],
            "k": [12],
            "diversity": [0.6],
            "exploration": [0.3],
            "seed": [4],
        },
    ],
    "similar_items": [
        {"item_ids": ["new tea", "i9", "unknown"], "k": [5, 200, 2]}
    ],
    "rank": [
        {
            "history_item_ids": [["i1", "plain"]],
            "candidate_item_ids": [["new tea", "i3", "i4", "plain", "no"]],
        }
    ],
}


def change(shop):
    shop.add(
        item_id="new tea", title="Tea, new", categories="c2 > x | c3",
        description="leaves",
    )
    shop.remove("i3")
    shop.add(item_id="gone", title="Here for a moment")
    shop.add(
        item_id="x ☕", title="Ten letter", categories="c9",
        available_from="250",
    )
    shop.remove("i77", "gone", "i149")
    shop.add(item_id="plain", title="Plain thing")
    shop.remove("i30")
    shop.add(item_id="i30", title="Whatever it says now")


def assert_same(got, wanted):
    for signature, requests in EVERYTHING.items():
        for request in requests:
            inputs = asked(signature, **request)
            found = got.predict(signature, inputs)
            expected = wanted.once(signature, inputs, str(request))
            for name in set(expected) - {"source"}:
                _same(found[name], expected[name], f"{request} {name}")


def _same(found, expected, asked_for):
    """Equal, up to columns of "no item": a removed row has its column."""
    narrow = expected.shape[1]
    if expected.dtype == object:
        assert found[:, :narrow].tolist() == expected.tolist(), asked_for
        assert set(found[:, narrow:].flat) <= {b""}
    else:
        np.testing.assert_allclose(
            found[:, :narrow], expected, atol=1e-5, err_msg=asked_for
        )
