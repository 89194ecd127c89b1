from __future__ import annotations

import pytest

from trainer.text_quality.languages import (
    count_languages,
    count_scripts,
    script_of,
)

SENTENCES = {
    "en": "The quick runner bought a new pair of shoes for the winter",
    "de": "Der Läufer kaufte sich für den Winter ein Paar neue Schuhe",
    "fr": "Le coureur a acheté une nouvelle paire de chaussures pour l'hiver",
    "es": "El corredor compró un nuevo par de zapatos para el invierno",
    "ru": "Этот бегун купил себе новые ботинки, чтобы быстро бегать зимой",
    "zh": "跑步者为冬天买了一双新鞋，他非常喜欢",
    "ja": "ランナーは冬のために新しい靴を買いました",
    "ko": "달리는 사람은 겨울을 위해 새 신발을 샀습니다",
    "ar": "اشترى العداء زوجا جديدا من الأحذية لفصل الشتاء",
    "hi": "धावक ने सर्दियों के लिए नए जूते खरीदे",
    "th": "นักวิ่งซื้อรองเท้าคู่ใหม่สำหรับฤดูหนาว",
    "el": "Ο δρομέας αγόρασε ένα νέο ζευγάρι παπούτσια για τον χειμώνα",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_tells_its_language(language, text):
    assert count_languages([text], 10) == {language: 1}


def test_capitals_do_not_change_a_language():
    assert count_languages([SENTENCES["en"].upper()], 10) == {"en": 1}


def test_a_name_is_not_sure_and_a_number_has_no_letters():
    found = count_languages(["Xq", "12-34"], 10)
    assert found == {"no letters": 1, "unsure": 1}


def test_at_most_so_many_are_drawn_and_the_draw_repeats():
    texts = [SENTENCES["en"]] * 30 + [SENTENCES["de"]] * 30
    found = count_languages(texts, 20)
    assert sum(found.values()) == 20
    assert found == count_languages(texts, 20)
    assert set(found) == {"en", "de"}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (SENTENCES["en"], "Latin"), (SENTENCES["ru"], "Cyrillic"),
        (SENTENCES["zh"], "Han"), (SENTENCES["ko"], "Hangul"),
        (SENTENCES["ar"], "Arabic"), (SENTENCES["hi"], "Devanagari"),
        (SENTENCES["th"], "Thai"), (SENTENCES["el"], "Greek"),
        ("スニーカー", "Katakana"), ("ﾆｭｰｽ", "Katakana"),
        ("ＡＢＣ", "Latin"), ("寿司 no", "Han"), ("", "no letters"),
        ("5 × 3 🎁", "no letters"),
    ],
)
def test_most_letters_tell_the_script(text, script):
    # A tie goes to the script that comes first.
    assert script_of(text) == script


def test_scripts_are_counted_the_most_frequent_first():
    texts = ["книга", "tea", "cup", "5"]
    assert list(count_scripts(texts).items()) == [
        ("Latin", 2), ("Cyrillic", 1), ("no letters", 1)
    ]
