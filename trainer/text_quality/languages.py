"""In which scripts and languages a catalogue's texts are written."""

from __future__ import annotations

import collections
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from tqdm import tqdm

NO_LETTERS, UNSURE = "no letters", "unsure"
# Below this probability a language is a guess: titles are short, and full of
# names.
_SURE = 0.9
_READ_CHARS = 500  # of a text; more of it hardly changes the answer
_HAN = "CJK"  # as Unicode's names call it


@cache
def _script(character: str) -> str:
    """The first word of a letter's name in Unicode; "" of all else."""
    if not character.isalpha():
        return ""
    name = unicodedata.name(character, "").partition(" ")[0]
    return "Han" if name == _HAN else name.capitalize()


def script_of(text: str) -> str:
    """The script of most letters of a text.

    Example:
        >>> [script_of(text) for text in ("\u8336 tea", "\u5bff\u53f8", "5")]
        ['Latin', 'Han', 'no letters']
    """
    counts: collections.Counter[str] = collections.Counter()
    folded = unicodedata.normalize("NFKC", text)
    for character, count in collections.Counter(folded).items():
        counts[_script(character)] += count
    del counts[""]
    return counts.most_common(1)[0][0] if counts else NO_LETTERS


def _classifier() -> Callable[[str], tuple[str, float]]:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    made = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
    return made.classify


def _ordered(names: Sequence[str]) -> dict[str, int]:
    return dict(collections.Counter(sorted(names)).most_common())


def count_scripts(texts: Sequence[str]) -> dict[str, int]:
    """Script -> texts, the most frequent first."""
    return _ordered([script_of(text) for text in texts])


def count_languages(
    texts: Sequence[str], limit: int, *, seed: int = 0
) -> dict[str, int]:
    """Language (ISO 639-1), `UNSURE` or `NO_LETTERS` -> texts.

    Args:
        texts: of which `limit` are drawn where there are more.
        limit: texts at most.
        seed: of the draw.
    """
    classify = _classifier()
    rows = np.arange(len(texts))
    if len(texts) > limit:
        draw = np.random.default_rng(seed)
        rows = draw.choice(len(texts), limit, replace=False)
    found = []
    for row in tqdm(rows.tolist(), desc="languages", unit=" texts"):
        text = texts[row][:_READ_CHARS]
        language, probability = classify(text.lower())
        if script_of(text) == NO_LETTERS:
            language = NO_LETTERS
        elif probability < _SURE:
            language = UNSURE
        found.append(language)
    return _ordered(found)
