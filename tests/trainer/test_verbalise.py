"""Templates, by hand."""

from __future__ import annotations

import itertools

import pytest

from schema import features
from trainer.verbalise import DOMAINS, FIELDS, parse_template

BALM = {
    "title": "Rose balm", "brand": "Flora", "categories": "Lips",
    "description": "A balm of roses.", "keywords": "lips rose",
}


def test_a_template_puts_fields_between_its_words() -> None:
    template = parse_template("bought: {title} ({brand}). {categories}!")
    assert template.render(BALM) == "bought: Rose balm (Flora). Lips!"


@pytest.mark.parametrize(
    "missing, said",
    [
        ("brand", "Rose balm. Lips"),
        ("title", "Flora. Lips"),
        ("categories", "Rose balm. Flora"),
    ],
)
def test_an_empty_field_drops_out_with_its_separator(
    missing: str, said: str
) -> None:
    template = parse_template("{title}. {brand}. {categories}")
    for nothing in ({missing: ""}, {missing: " \t\r\n"}):
        assert template.render({**BALM, **nothing}) == said


def test_the_first_words_lead_in_whichever_field_comes_first() -> None:
    template = parse_template("on {brand}, then {title}")
    assert template.render({"title": "Rose balm"}) == "on Rose balm"


def test_what_comes_out_empty_is_the_title_or_nothing() -> None:
    template = parse_template("seen: {description}")
    assert template.render({"title": " Rose balm "}) == "Rose balm"
    assert template.render({"brand": "Flora"}) == ""
    assert template.render({}) == ""


def test_values_with_braces_are_values() -> None:
    template = parse_template("{title} {{{text}}}")
    said = template.render({"title": "{brand}", "text": "{0}"})
    assert said == "{brand} {{0}}"


@pytest.mark.parametrize(
    "text",
    ["{text}", "says {text}", "{title}: {text}. {brand}", "{brand} - {text}!"],
)
def test_around_a_text_stands_what_render_puts_there(text: str) -> None:
    template = parse_template(text)
    for size in range(3):
        for names in itertools.combinations(("title", "brand"), size):
            item = {name: BALM[name] for name in names}
            before, after = template.around(item)
            said = template.render({**item, "text": "soft?"})
            assert before + "soft?" + after == said


def test_around_by_hand() -> None:
    template = parse_template("{title}: {text}. {brand}!")
    assert template.around(BALM) == ("Rose balm: ", ". Flora!")
    assert template.around({"brand": "Flora"}) == ("", ". Flora!")


@pytest.mark.parametrize(
    "text, told",
    [
        ("{titel}", "Did you mean 'title'"),
        ("{price}", "title, description, keywords"),
        ("no field", "names no field"),
        ("", "names no field"),
        ("{title} {title}", "title twice"),
        ("{title", "no template"),
        ("{title!r}", "formats title"),
        ("{title:>9}", "formats title"),
        ("{}", "names ''"),
    ],
)
def test_bad_templates_are_refused_with_what_is_wrong(
    text: str, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        parse_template(text)


def test_fields_are_the_item_s_text_and_the_event_s() -> None:
    assert set(FIELDS) == {*features.ITEM_TEXT_COLUMNS, "text"}


@pytest.mark.parametrize("domain", DOMAINS)
def test_domains_have_templates_of_known_types(domain: str) -> None:
    types = DOMAINS[domain]
    assert {"default", "search", "comment"} <= set(types)
    assert set(types) <= {*features.EVENT_TYPES, "default"}
    assert all(parse_template(text).fields for text in types.values())
