"""BundlePusher on small made-up bundles: only files are looked at."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from model_artifacts import artifact
from tfx.types import Channel, standard_artifacts

from pipeline import local_files, published_versions
from pipeline.bundle_pusher import BundlePusher, Executor
from serving import manifest, versions
from serving.manifest import BundleError, Manifest


def bundle(folder: Path, content: str, name: str = "recommender") -> Any:
    """A Model artifact whose graph is a text."""
    serving = folder / "Format-Serving"
    (serving / "variables").mkdir(parents=True)
    (serving / "saved_model.pb").write_text(content)
    (serving / "variables" / "data").write_text("weights of " + content)
    Manifest(
        model_name=name, version=1, kind="exact", created="", num_items=3,
        files=manifest.file_hashes(serving),
    ).write(serving)
    return artifact(standard_artifacts.Model, folder)


def blessing(kind: type, folder: Path, blessed: int) -> Any:
    made = artifact(kind, folder)
    made.set_int_custom_property("blessed", blessed)
    return made


@dataclasses.dataclass
class Pusher:
    """Executes the component; blessings are good unless told."""

    folder: Path

    @property
    def base(self) -> Path:
        return self.folder / "served" / "recommender"

    def __call__(
        self, model: Any, *, base: Path | None = None,
        pushed_exact: Any = None, model_blessed: int = 1,
        infra_blessed: int = 1, ranking_blessed: int | None = None,
    ) -> Any:
        place = self.folder / "artifacts"
        inputs = {
            "model": [model],
            "model_blessing": [
                blessing(
                    standard_artifacts.ModelBlessing, place, model_blessed
                )
            ],
            "infra_blessing": [
                blessing(
                    standard_artifacts.InfraBlessing, place, infra_blessed
                )
            ],
            "pushed_exact": [pushed_exact] if pushed_exact else [],
        }
        if ranking_blessed is not None:
            inputs["ranking_blessing"] = [
                blessing(
                    standard_artifacts.ModelBlessing, place, ranking_blessed
                )
            ]
        pushed = artifact(
            standard_artifacts.PushedModel, place / f"pushed-{model.id}"
        )
        Executor().Do(
            inputs, {"pushed_model": [pushed]},
            {"base_directory": str(base or self.base)},
        )
        return pushed


@pytest.fixture
def push(tmp_path: Path) -> Pusher:
    return Pusher(tmp_path)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_blessed_model_becomes_the_first_version(
    push: Pusher, tmp_path: Path
) -> None:
    pushed = push(bundle(tmp_path / "a", "a"))
    assert pushed.get_int_custom_property("pushed") == 1
    target = pushed.get_string_custom_property("pushed_destination")
    assert target == str(push.base / "1")
    assert pushed.get_string_custom_property("pushed_version") == "1"
    assert (push.base / "1" / "saved_model.pb").read_text() == "a"
    told = Manifest.read(push.base / "1")
    assert (told.version, told.model_name) == (1, "recommender")
    manifest.check_files(push.base / "1", told)
    assert files_of(Path(pushed.uri)) == files_of(push.base / "1")


def test_the_next_model_becomes_the_next_version_by_its_own_number(
    push: Pusher, tmp_path: Path
) -> None:
    push(bundle(tmp_path / "a", "a"))
    first = files_of(push.base / "1")
    push(bundle(tmp_path / "b", "b"))
    assert versions.versions(push.base) == [1, 2]
    assert Manifest.read(push.base / "2").version == 2
    assert files_of(push.base / "1") == first


def test_a_second_push_of_the_same_model_changes_nothing(
    push: Pusher, tmp_path: Path
) -> None:
    push(bundle(tmp_path / "a", "a"))
    before = files_of(push.base)
    again = push(bundle(tmp_path / "b", "a"))
    assert files_of(push.base) == before
    assert again.get_int_custom_property("pushed") == 1
    assert again.get_string_custom_property("pushed_version") == "1"


def test_an_older_model_is_pushed_anew_because_the_latest_is_served(
    push: Pusher, tmp_path: Path
) -> None:
    push(bundle(tmp_path / "a", "a"))
    push(bundle(tmp_path / "b", "b"))
    push(bundle(tmp_path / "c", "a"))
    assert (push.base / "3" / "saved_model.pb").read_text() == "a"


@pytest.mark.parametrize(
    "refusal", ["model_blessed", "infra_blessed", "ranking_blessed"]
)
def test_any_refusal_leaves_the_last_pushed_version_as_it_is(
    push: Pusher, tmp_path: Path, refusal: str
) -> None:
    push(bundle(tmp_path / "a", "a"))
    before = files_of(push.base)
    pushed = push(bundle(tmp_path / "b", "b"), **{refusal: 0})
    assert files_of(push.base) == before
    assert pushed.get_int_custom_property("pushed") == 0
    assert not list(Path(pushed.uri).iterdir())


def test_a_damaged_bundle_is_not_pushed_and_nothing_is_lost(
    push: Pusher, tmp_path: Path
) -> None:
    push(bundle(tmp_path / "a", "a"))
    before = files_of(push.base)
    damaged = bundle(tmp_path / "b", "b")
    (tmp_path / "b" / "Format-Serving" / "variables" / "data").unlink()
    with pytest.raises(BundleError, match="data is missing"):
        push(damaged)
    assert files_of(push.base) == before


def test_a_reader_never_sees_half_a_version(
    push: Pusher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    check = manifest.check_files

    def looking(folder: Path, told: Manifest) -> None:
        seen.append(versions.versions(push.base))  # all but the rename is done
        check(folder, told)

    monkeypatch.setattr(published_versions.manifest, "check_files", looking)
    push(bundle(tmp_path / "a", "a"))
    push(bundle(tmp_path / "b", "b"))
    assert seen == [[], [1]]


def test_the_twin_gets_the_number_of_its_exact_bundle(
    push: Pusher, tmp_path: Path
) -> None:
    beside = push.folder / "served" / "recommender_scann"
    old = bundle(tmp_path / "old", "old")
    push(old, base=beside)  # a twin that stands alone there, as number 1
    exact = push(bundle(tmp_path / "a", "a"))
    twin = push(
        bundle(tmp_path / "t", "t"), base=beside, pushed_exact=exact
    )
    assert exact.get_string_custom_property("pushed_version") == "2"
    assert twin.get_string_custom_property("pushed_version") == "2"
    assert (beside / "2" / "saved_model.pb").read_text() == "t"
    told = Manifest.read(beside / "2")
    assert (told.version, told.model_name) == (2, "recommender_scann")


def test_the_twin_of_a_bundle_that_is_out_already_is_not_pushed_twice(
    push: Pusher, tmp_path: Path
) -> None:
    beside = push.folder / "served" / "recommender_scann"
    exact = push(bundle(tmp_path / "a", "a"))
    push(bundle(tmp_path / "t", "t"), base=beside, pushed_exact=exact)
    again = push(bundle(tmp_path / "b", "a"))
    # Built again, an index need not have the same bytes.
    push(bundle(tmp_path / "u", "u"), base=beside, pushed_exact=again)
    assert versions.versions(beside) == [1]
    assert (beside / "1" / "saved_model.pb").read_text() == "t"


def test_the_twin_of_a_refused_bundle_is_refused(
    push: Pusher, tmp_path: Path
) -> None:
    beside = push.folder / "served" / "recommender_scann"
    exact = push(bundle(tmp_path / "a", "a"), model_blessed=0)
    twin = push(bundle(tmp_path / "t", "t"), base=beside, pushed_exact=exact)
    assert twin.get_int_custom_property("pushed") == 0
    assert not beside.exists()


def test_an_unchecked_model_is_not_pushed(tmp_path: Path) -> None:
    pushed = artifact(standard_artifacts.PushedModel, tmp_path / "pushed")
    with pytest.raises(ValueError, match="got no model_blessing"):
        Executor().Do(
            {"model": [bundle(tmp_path / "a", "a")], "model_blessing": []},
            {"pushed_model": [pushed]}, {"base_directory": str(tmp_path)},
        )


def test_where_nothing_can_be_renamed_the_saved_model_comes_last(
    push: Pusher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        local_files, "is_remote", lambda uri: "served" in uri
    )
    monkeypatch.setattr(local_files, "_SCHEME", str(tmp_path))
    copied = []
    copy = published_versions.io_utils.copy_file

    def noting(source: str, target: str, **options: Any) -> None:
        copied.append(Path(target).name)
        copy(source, target, **options)

    monkeypatch.setattr(published_versions.io_utils, "copy_file", noting)
    push(bundle(tmp_path / "a", "a"))
    assert copied[-1] == "saved_model.pb" and len(copied) == 3
    push(bundle(tmp_path / "b", "b"))
    again = push(bundle(tmp_path / "c", "b"))
    assert again.get_string_custom_property("pushed_version") == "2"
    assert Manifest.read(push.base / "2").version == 2


def test_the_component_is_wired() -> None:
    made = BundlePusher(
        Channel(type=standard_artifacts.Model),
        Channel(type=standard_artifacts.ModelBlessing),
        Channel(type=standard_artifacts.InfraBlessing),
        base_directory="served/recommender",
    )
    assert list(made.outputs) == ["pushed_model"]
    assert made.exec_properties["base_directory"] == "served/recommender"
