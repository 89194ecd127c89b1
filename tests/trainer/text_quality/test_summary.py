from __future__ import annotations

from trainer.text_quality.summary import summary

REPORT = {
    "items": 2000,
    "text": {
        "without": 20, "emptied": 3,
        "begins_with": {"title": 1900, "brand": 80, "nothing": 20},
        "empty": {"title": 100, "brand": 0},
    },
    "cleaning": [{
        "column": "title", "fault": "markup", "items": 50,
        "examples": [
            {"item_id": "i7", "before": "<b>Tea</b>\n", "after": "Tea"}
        ],
    }],
    "boilerplate": [
        {"sentence": f"Sentence {n}.", "items": 200} for n in range(7)
    ],
    "scripts": {"Latin": 1500, "Han": 480},
    "languages": {name: 100 for name in "abcdefghij"},
    "near_duplicates": {
        "similarity": 0.8, "expected_recall": 1.0, "items": 14,
        "groups": [
            {"items": [
                {"item_id": f"g{n}", "title": "x" * 90, "similarity": 1.0},
                {"item_id": f"h{n}", "title": "Tea", "similarity": 0.815},
            ]}
            for n in range(7)
        ],
    },
    "false_negatives": {
        "batch_events": 1024, "in_batch": 0.0123, "in_batch_share": 0.00002,
        "choices_hit": 0.012, "full_softmax": 0.5,
        "full_softmax_share": 0.00025,
    },
}


def test_every_part_is_told():
    assert summary(REPORT).splitlines() == [
        "text: 1,980 (99.0%) of 2,000 items have some",
        "  it begins with: title 1,900 (96.0%), brand 80 (4.0%)",
        "  without any: 20 (1.0%); only events tell them",
        "  emptied by cleaning: 3 (0.1%)",
        "  empty: title 100 (5.0%)",
        "scripts: Latin 1,500 (75.8%), Han 480 (24.2%)",
        "languages: a 100 (10.0%), b 100 (10.0%), c 100 (10.0%), "
        "d 100 (10.0%), e 100 (10.0%), f 100 (10.0%), g 100 (10.0%), "
        "others 300 (30.0%)",
        "to clean:",
        "  title: markup in 50 (2.5%)",
        r"    i7  '<b>Tea</b>\n'",
        "    becomes  'Tea'",
        *(f"  boilerplate in 200 (10.0%): Sentence {n}." for n in range(5)),
        "  and 2 sentences more, see --report",
        "near-duplicates (Jaccard 0.8 or more): 14 (0.7%) items in 7 groups",
        *(
            line
            for n in range(5)
            for line in (
                "  2 items",
                f"    1.00  g{n}  {'x' * 57}...",
                f"    0.81  h{n}  Tea",
            )
        ),
        "  and 2 groups more, see --report",
        "near-duplicates among the negatives of a choice:",
        "  batch of 1,024 events: 0.012, 2e-05 of the negatives; "
        "1.20% of choices have one",
        "  full softmax: 0.5, 0.00025 of the negatives",
    ]


def test_a_clean_catalogue_is_told_shortly():
    clean = {
        **REPORT, "cleaning": [], "boilerplate": [],
        "near_duplicates": {
            **REPORT["near_duplicates"], "items": 0, "groups": []
        },
    }
    told = summary(clean)
    assert "to clean: nothing" in told
    assert "more, see" not in told
