from __future__ import annotations

from trainer.text_quality.cleaning import Finding, clean_columns

FREE = "Free shipping!"


def test_each_column_is_cleaned_and_counted():
    cleaning = clean_columns(
        {
            "title": ["<b>Tea</b>", "Cup", "Tea &amp; cup", "<i>Pot</i>"],
            "brand": ["Chai", " Chai", "Chai", ""],
        },
        0.05,
    )
    assert cleaning.columns == {
        "title": ["Tea", "Cup", "Tea & cup", "Pot"],
        "brand": ["Chai", "Chai", "Chai", ""],
    }
    assert cleaning.findings == [
        Finding("title", "markup", 2, (0, 3)),
        Finding("title", "entities", 1, (2,)),
        Finding("brand", "white space", 1, (1,)),
    ]
    assert cleaning.boilerplate == {}


def test_boilerplate_leaves_descriptions_and_nothing_else():
    columns = {
        "title": [FREE] * 6,
        "description": [f"<p>Item {n}.</p><p>{FREE}</p>" for n in range(6)],
    }
    cleaning = clean_columns(columns, 0.05)
    assert cleaning.columns["title"] == [FREE] * 6
    assert cleaning.columns["description"] == [f"Item {n}." for n in range(6)]
    assert cleaning.boilerplate == {FREE: 6}
    assert cleaning.findings == [
        Finding("description", "markup", 6, (0, 1, 2)),
        Finding("description", "boilerplate", 6, (0, 1, 2)),
    ]


def test_a_description_without_boilerplate_is_not_put_together_anew():
    described = [f"红{n}。茶{n}。" for n in range(6)]  # sentences touch
    cleaning = clean_columns({"description": described}, 0.05)
    assert cleaning.columns["description"] == described


def test_known_boilerplate_is_taken_out_and_no_other():
    described = [f"Item {n}. Imported. {FREE}" for n in range(6)]
    cleaning = clean_columns(
        {"description": described}, 0.05, [FREE, "Never said."]
    )
    assert cleaning.columns["description"] == [
        f"Item {n}. Imported." for n in range(6)
    ]
    assert cleaning.boilerplate == {FREE: 6, "Never said.": 0}


def test_an_empty_catalogue_is_clean():
    cleaning = clean_columns({"title": [], "description": []}, 0.05)
    assert cleaning.columns == {"title": [], "description": []}
    assert cleaning.findings == []
