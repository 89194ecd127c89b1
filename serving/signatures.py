"""Names, types and axes of everything that a bundle answers.

The exporter, the ScaNN twin, the server and the client all read this table;
a signature exists for them because it stands here. Importing it costs nothing.

Axes, one letter each:
    b  requests of a batch.
    L  events of a history, 0 or more, oldest first; shorter histories are
       padded with "" anywhere in the row.
    X  excluded ids, 0 or more, padded with "".
    A  allowed ids, 0 or more, padded with "".
    C  candidates of a request, padded with "".
    K  answers: the greatest k of the batch, at most the catalogue's size.
    d  width of a query and of an item vector.
    s  width of a user state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from schema import features
from serving.fields import NO_ITEM as NO_ITEM
from serving.fields import Field, Signature
from serving.fields import blank as blank
from serving.fields import known as known
from serving.fields import tensor_specs as tensor_specs

if TYPE_CHECKING:
    from serving.fields import Array as Array
    from serving.fields import Arrays as Arrays

RECOMMEND = "recommend"
RANK = "rank"
EMBED_USER = "embed_user"
EMBED_ITEM = "embed_item"
SIMILAR_ITEMS = "similar_items"
ADVANCE = "advance"
RECOMMEND_NEXT = "recommend_next"
EXPLAIN = "explain"
OBSERVE = "observe"
# What TensorFlow Serving runs when a request names no signature: RECOMMEND.
DEFAULT_SIGNATURE = "serving_default"

# Where an answer comes from.
EXACT = "exact"
SCANN = "scann"
EXPLORED = "explore"
# What speaks for an answer: an event, the profile, nothing known of the user.
BY_HISTORY = "history:"  # and the item's id
BY_PROFILE = "profile"
BY_STATE = "state"
BY_NOTHING = "popular"
MMR = "mmr"
DPP = "dpp"


USER_INPUTS = (
    Field("history_item_ids", "string", "bL", 'oldest first, "" is padding'),
    Field("history_event_types", "string", "bL", '"" is the default type'),
    Field("history_timestamps", "int64", "bL", "unix seconds, 0 is unknown"),
    Field("history_scenarios", "string", "bL", '"" is unknown'),
    Field(
        "history_texts", "string", "bL", 'comment or query, "" is none',
        is_text=True,
    ),
    Field(
        features.SCENARIO, "string", "b", '"" or an unknown one is the default'
    ),
    Field("profile_text", "string", "b", '"" where nothing is known'),
)
ITEM_INPUTS = tuple(
    Field(name, "string", "b", '"" where missing')
    for name in features.ITEM_TEXT_COLUMNS
)
_K = Field("k", "int32", "b", "answers wanted", low=0)
_ITEM_ID = Field(features.ITEM_ID, "string", "b", "of the catalogue")
_STATE = Field(
    "state", "float32", "bs",
    "all that is known of a user, for the same model alone",
)
_QUERY = Field("query", "float32", "bd", "score = query . item vector")
_ANSWERS = (
    Field("item_ids", "string", "bK", '"" where fewer than k are admissible'),
    Field(
        "scores", "float32", "bK",
        "of query and item; descending unless the policy reorders; -inf where "
        "there is no item",
    ),
    Field("titles", "string", "bK", '"" where there is none'),
)


def _rule(
    name: str,
    dtype: str,
    axes: str,
    meaning: str,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Field:
    low = None if dtype == "string" or name == "seed" else 0
    return Field(
        name, dtype, axes, meaning, is_policy=True, low=low, high=high,
        choices=choices,
    )


POLICY_INPUTS = (
    _rule("allow_item_ids", "string", "bA", "only these; without any, all"),
    _rule(
        "now", "int64", "b",
        "unix seconds: items with a later available_from are left out",
    ),
    _rule(
        "min_available_from", "int64", "b",
        "unix seconds: items with an earlier available_from or none are left "
        "out",
    ),
    _rule(
        "max_per_category", "int32", "b",
        "answers of one category, the first level of the first path",
    ),
    _rule(
        "rerank", "float32", "b",
        "weight of the ranking head's scaled label beside the score",
    ),
    _rule(
        "diversity", "float32", "b",
        "0: by score alone, 1: by difference alone", high=1,
    ),
    _rule(
        "diversity_method", "string", "b", '"" is mmr',
        choices=("", MMR, DPP),
    ),
    _rule("exploration", "float32", "b", "share of the k that is drawn", 1),
    _rule("seed", "int64", "b", "of the draws: another one, other draws"),
)
_EXCLUDED = Field("exclude_item_ids", "string", "bX", "never answered")
_LIST = (
    *_ANSWERS,
    Field("source", "string", "bK", '"exact", "scann" or "explore"'),
    Field(
        "reasons", "string", "bK",
        '"history:ID" of the nearest event, else "profile", "state" or '
        '"popular"',
    ),
    Field(
        "propensities", "float32", "bK",
        "chance of the item in its place, given those before it; 1 where "
        "nothing is drawn",
    ),
)
_EVENT = (
    _ITEM_ID,
    Field(features.EVENT_TYPE, "string", "b", '"" is the default type'),
    Field(features.TIMESTAMP, "int64", "b", "unix seconds, 0 is unknown"),
    Field(features.SCENARIO, "string", "b", '"" is the default'),
    Field(
        features.TEXT, "string", "b", 'comment or query, "" is none',
        is_text=True,
    ),
)
_ALL = (
    Signature(
        RECOMMEND, (*USER_INPUTS, _EXCLUDED, _K, *POLICY_INPUTS), _LIST
    ),
    Signature(
        RANK,
        (*USER_INPUTS, Field("candidate_item_ids", "string", "bC", "")),
        (Field("scores", "float32", "bC", "-inf for unknown or removed"),),
    ),
    Signature(EMBED_USER, USER_INPUTS, (_QUERY, _STATE)),
    Signature(
        EMBED_ITEM,
        ITEM_INPUTS,
        (Field("vector", "float32", "bd", "length 1, or new_item_scale"),),
    ),
    Signature(
        SIMILAR_ITEMS,
        (Field("item_ids", "string", "b", "unknown: no answers"), _K),
        _ANSWERS,
    ),
    Signature(ADVANCE, (_STATE, *_EVENT), (_STATE, _QUERY)),
    Signature(
        RECOMMEND_NEXT,
        (
            _STATE, *_EVENT, _EXCLUDED, _K,
            # The ranking head can be asked of histories alone.
            *(field for field in POLICY_INPUTS if field.name != "rerank"),
        ),
        (_STATE, *_LIST),
    ),
    Signature(
        EXPLAIN,
        (*USER_INPUTS, _ITEM_ID),
        (
            Field("contributions", "float32", "bL", "of each event to score"),
            Field(
                "matched_words", "string", "bL",
                "of the item's text that stand in the event's item's too",
            ),
            Field("score", "float32", "b", "of the item"),
        ),
    ),
    Signature(
        OBSERVE,
        (
            _ITEM_ID,
            Field(features.TIMESTAMP, "int64", "b", "unix seconds"),
        ),
        (
            Field(
                "is_counted", "int32", "b",
                "1; 0 of an unknown item, and of a time of 0 or to come",
            ),
        ),
    ),
)
SIGNATURES: Mapping[str, Signature] = {
    signature.name: signature for signature in _ALL
}


def offered(counts_events: bool) -> list[Signature]:
    """Those that a bundle has.

    Args:
        counts_events: whether its model reads recent popularity.
    """
    return [each for each in _ALL if counts_events or each.name != OBSERVE]


def resolve(name: str) -> Signature | None:
    """The signature that a request's name means, None if it is not ours."""
    return SIGNATURES.get(RECOMMEND if name == DEFAULT_SIGNATURE else name)


def as_json(
    reads_text: bool = False, counts_events: bool = False
) -> dict[str, dict[str, dict[str, str]]]:
    """All signatures for the manifest: `string[b,L]` by side and name.

    Args:
        reads_text: whether the bundle's model reads the texts of events.
        counts_events: whether it reads recent popularity.
    """
    return {
        signature.name: {
            side: {
                field.name: f"{field.dtype}[{','.join(field.axes)}]"
                for field in known(fields, reads_text)
            }
            for side, fields in (
                ("inputs", signature.inputs),
                ("outputs", signature.outputs),
            )
        }
        for signature in offered(counts_events)
    }
