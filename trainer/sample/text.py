"""Writes the text of sample items, users and queries from word lists.

A topic owns its nouns, features, uses and brands; adjectives and sentence
patterns are shared by all topics, so that a text tells its topic by what it is
about and not by how it is built. The lists themselves are in
`trainer.sample.words_en` and `trainer.sample.words_zh`.
"""

from __future__ import annotations

import dataclasses
import random


@dataclasses.dataclass(frozen=True)
class Topic:
    """The vocabulary of one topic.

    Attributes:
        name: what a person would say to be interested in.
        category: path `a > b`; two topics may share `a`, never `b`.
        nouns: things one can buy.
        features: what such a thing is made of or has.
        uses: what it is good for.
        brands: invented makers, of this topic only.
    """

    name: str
    category: str
    nouns: tuple[str, ...]
    features: tuple[str, ...]
    uses: tuple[str, ...]
    brands: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Language:
    """Everything that is written in one language.

    Attributes:
        topics: the vocabularies; a sample takes the first ones.
        adjectives: shared by all topics.
        title: pattern with brand, adjective, noun.
        series: pattern with title and number, for a title already taken.
        editions: patterns with title, for a near-duplicate.
        descriptions: patterns with adjective, noun, feature, use, brand, name.
        profiles: patterns with name_1, name_2, noun_1, noun_2.
        scenarios: description of each scenario by its name.
    """

    topics: tuple[Topic, ...]
    adjectives: tuple[str, ...]
    title: str
    series: str
    editions: tuple[str, ...]
    descriptions: tuple[str, ...]
    profiles: tuple[str, ...]
    scenarios: dict[str, str]


@dataclasses.dataclass(frozen=True)
class ItemText:
    """The text columns of one item."""

    title: str
    description: str
    keywords: str
    brand: str


def words(text: str) -> tuple[str, ...]:
    """The entries of a comma-separated list that may span lines."""
    return tuple(entry.strip() for entry in text.split(","))


def write_item(
    language: Language, topic: Topic, draw: random.Random, taken: set[str]
) -> ItemText:
    """Writes one item of a topic; its title is new and joins `taken`."""
    parts = {
        "name": topic.name,
        "adjective": draw.choice(language.adjectives),
        "noun": draw.choice(topic.nouns),
        "feature": draw.choice(topic.features),
        "use": draw.choice(topic.uses),
        "brand": draw.choice(topic.brands),
    }
    plain = title = language.title.format(**parts)
    number = 1
    while title in taken:
        number += 1
        title = language.series.format(title=plain, number=number)
    taken.add(title)
    return ItemText(
        title=title,
        description=draw.choice(language.descriptions).format(**parts),
        keywords=" ".join(parts[key] for key in ("noun", "feature", "use")),
        brand=parts["brand"],
    )


def write_copy(
    language: Language, original: ItemText, draw: random.Random, taken: set[str]
) -> ItemText:
    """A near-duplicate: all of the original, its title changed a little."""
    plain = title = draw.choice(language.editions).format(title=original.title)
    number = 1
    while title in taken:
        number += 1
        title = language.series.format(title=plain, number=number)
    taken.add(title)
    return dataclasses.replace(original, title=title)


def write_profile(
    language: Language, interests: list[Topic], draw: random.Random
) -> str:
    """A user's own words about two long-term interests."""
    first, second = interests
    return draw.choice(language.profiles).format(
        name_1=first.name,
        name_2=second.name,
        noun_1=draw.choice(first.nouns),
        noun_2=draw.choice(second.nouns),
    )
