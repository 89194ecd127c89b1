"""Several questions as one, and its answer as several.

Rows are joined along the batch. Histories, exclusions and candidates of
different lengths are filled up with what says nothing, and the answers are cut
to what each question would have got alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from serving.fields import NO_ITEM, Signature
from serving.service import Question
from serving.signatures import DEFAULT_SIGNATURE, resolve

if TYPE_CHECKING:
    from serving.fields import Array, Arrays

_ANSWERS = "K"
_PADDED = "LXCA"  # axes on which "" and 0 say nothing


def rows(question: Question) -> int:
    """Size of a question's batch; 1 where inputs have none."""
    shapes = [value.shape for value in question.inputs.values()]
    return min((shape[0] for shape in shapes if shape), default=1)


def key(question: Question, pads: bool) -> Hashable:
    """Equal for questions that can be joined.

    Args:
        question: with inputs that fit its signature.
        pads: whether axes of different sizes may be filled up.
    """
    signature = _known(question)
    shapes = tuple(
        (name, _fixed_sizes(signature if pads else None, name, value))
        for name, value in sorted(question.inputs.items())
    )
    return question.recommender, question.signature, shapes


def joined(questions: Sequence[Question]) -> dict[str, Array]:
    """Inputs of all questions, in their order, for one call.

    Args:
        questions: of one key.
    """
    return {
        name: _concatenated([each.inputs[name] for each in questions])
        for name in questions[0].inputs
    }


def parted(
    outputs: Arrays, questions: Sequence[Question]
) -> list[dict[str, Array]]:
    """The answer of each question.

    Args:
        outputs: of the joined inputs, all of the signature.
        questions: in the order of `joined`.
    """
    signature = _known(questions[0])
    axes = (
        {field.name: field.axes for field in signature.outputs}
        if signature
        else {}
    )
    answers = []
    start = 0
    for question in questions:
        stop = start + rows(question)
        sizes = _sizes(signature, question)
        answers.append(
            {
                name: _cut(outputs[name][start:stop], axes.get(name, ""), sizes)
                for name in question.outputs or outputs
            }
        )
        start = stop
    return answers


def _known(question: Question) -> Signature | None:
    return resolve(question.signature or DEFAULT_SIGNATURE)


def _fixed_sizes(
    signature: Signature | None, name: str, value: Array
) -> tuple[int, ...]:
    """Sizes that must agree, -1 where they need not."""
    fields = signature.inputs if signature else ()
    axes = next((f.axes for f in fields if f.name == name), "")
    padded = [axis in _PADDED for axis in axes] or [False] * value.ndim
    return tuple(
        -1 if free else size
        for free, size in zip(padded[1:], value.shape[1:], strict=True)
    )


def _concatenated(arrays: Sequence[Array]) -> Array:
    sizes = np.max([array.shape[1:] for array in arrays], axis=0)
    filled = []
    for array in arrays:
        wanted = (array.shape[0], *map(int, sizes))
        if array.shape != wanted:
            blank = NO_ITEM if array.dtype == object else 0
            larger = np.full(wanted, blank, array.dtype)
            larger[tuple(slice(size) for size in array.shape)] = array
            array = larger
        filled.append(array)
    return np.concatenate(filled)


def _sizes(
    signature: Signature | None, question: Question
) -> Mapping[str, int]:
    """Of the question's own axes."""
    found = {
        axis: size
        for field in (signature.inputs if signature else ())
        if field.name in question.inputs
        for axis, size in zip(
            field.axes, question.inputs[field.name].shape, strict=True
        )
    }
    if "k" in question.inputs:
        found[_ANSWERS] = int(question.inputs["k"].max())
    return found


def _cut(value: Array, axes: str, sizes: Mapping[str, int]) -> Array:
    """Without what was filled up for others."""
    return value[tuple(slice(sizes.get(axis)) for axis in axes)]
