"""What `behaviour_text` may be, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.settings import parse
from trainer.template_setting import NONE, read_templates, resolved
from trainer.text_config import TextConfig
from trainer.verbalise import DOMAINS, parse_template

FOLDERS = ["--data-dir", "d", "--job-dir", "j"]


def test_none_has_no_templates() -> None:
    assert read_templates(NONE) is None
    assert not TextConfig().reads_behaviour


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_its_templates(domain: str) -> None:
    templates = read_templates(resolved(domain))
    for name, text in DOMAINS[domain].items():
        if name != "default":
            assert templates.of(name) == parse_template(text)
    assert templates.of("stared at") == parse_template("{title}")


def test_a_file_s_content_takes_the_place_of_its_name(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text('search: "{text}"\ndefault: "{brand}, {title}"\n')
    setting = TextConfig(behaviour_text=str(file)).behaviour_text
    file.unlink()  # another machine has no such file
    templates = read_templates(setting)
    assert templates.of("search") == parse_template("{text}")
    assert templates.of("view") == parse_template("{brand}, {title}")
    assert TextConfig(behaviour_text=setting).behaviour_text == setting


def test_without_a_default_there_is_the_title(tmp_path: Path) -> None:
    templates = read_templates("{search: '{text}'}")
    assert templates.of("view") == parse_template("{title}")


def test_item_columns_are_those_read_and_the_title() -> None:
    templates = read_templates("{search: '{text}', view: '{brand}'}")
    assert templates.item_columns == ["title", "brand"]


@pytest.mark.parametrize(
    "setting, told",
    [
        ("shpo", "Did you mean 'shop'"),
        ("nothing.yaml", "No such file"),
        ("{serch: '{text}'}", "Did you mean 'search'"),
        ("{search: '{txt}'}", "Did you mean 'text'"),
        ("{view: '{title}', view: '{brand}'}", "'view' stands there twice"),
        ("{search: [}", "YAML"),
        ("{}", "needs `event_type: template`"),
    ],
)
def test_what_cannot_be_is_refused(setting: str, told: str) -> None:
    with pytest.raises(ValueError, match="behaviour_text") as caught:
        TextConfig(behaviour_text=setting)
    assert told in str(caught.value)


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.yml"
    file.write_text("- a\n")
    with pytest.raises(ValueError, match="needs `event_type: template`"):
        resolved(str(file))


def test_the_flag_ends_with_its_name_and_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([*FOLDERS, "--behaviour-text", "shpo"])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "--behaviour-text must be one of" in told
    assert "'shop'" in told


def test_a_tuned_encoder_reads_no_behaviour() -> None:
    with pytest.raises(ValueError, match="frozen encoder"):
        TextConfig(behaviour_text="shop", tune="lora")
