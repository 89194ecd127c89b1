from __future__ import annotations

import numpy as np

from benchmarks.convert.selection import Selection


def test_the_first_row_of_each_wanted_id_is_taken():
    codes = {"a": 0, "b": 1, "c": 2}
    selection = Selection("item_id", codes, np.array([True, False, True]))
    rows = [
        {"item_id": name, "title": str(number)}
        for number, name in enumerate(["x", "a", "b", "a", "y"])
    ]
    assert list(selection.of(rows)) == [{"item_id": "a", "title": "1"}]
    assert (selection.unwanted, selection.repeated) == (3, 1)
    assert selection.missing() == ["c"]
    assert selection.num_wanted == 2
