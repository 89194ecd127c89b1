"""What a bundle says about itself: `assets.extra/manifest.json`."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from serving import signatures

FORMAT = 1
# The folder that TensorFlow Serving leaves to files that are not the graph's.
EXTRA = "assets.extra"
_PATH = Path(EXTRA) / "manifest.json"
_HASH_BLOCK = 1 << 20
# Of a version that takes journals and has no record of any.
NO_JOURNAL: Mapping[str, Any] = {"id": "", "position": 0}


class BundleError(ValueError):
    """A bundle that cannot be written, read or trusted, and why."""


def utc_now() -> str:
    """ISO 8601 in UTC, to the second."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(microsecond=0).isoformat()


def vocabulary_hash(values: Iterable[str]) -> str:
    """SHA-256 of a vocabulary in its order; no two lists share one."""
    digest = hashlib.sha256()
    for value in values:
        encoded = value.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Provenance of one version; `bundle.seal` fills what can be read off.

    Attributes:
        model_name: folder above the version.
        version: folder of the version.
        kind: signatures.EXACT or signatures.SCANN.
        created: ISO 8601 in UTC.
        num_items: size of the catalogue.
        index: how items are searched, in words and numbers.
        vocabularies: SHA-256 by vocabulary, of `vocabulary_hash`.
        data_span: e.g. first and last event's unix seconds, events, users.
        metrics: what the trainer measured.
        config: the configuration of the training run.
        journal: `id` of the journal and `position` up to which the version
            has its records; empty where the version takes none.
        signatures: types and axes of every input and output.
        op_types: all operations of the graph; filled by `seal`.
        non_core_ops: those a stock TensorFlow lacks; filled by `seal`.
        files: size and SHA-256 of every other file; filled by `seal`.
        format: of this file.
    """

    model_name: str
    version: int
    kind: str
    created: str
    num_items: int
    index: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    vocabularies: Mapping[str, str] = dataclasses.field(default_factory=dict)
    data_span: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    journal: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    signatures: Mapping[str, Any] = dataclasses.field(
        default_factory=signatures.as_json
    )
    op_types: tuple[str, ...] = ()
    non_core_ops: tuple[str, ...] = ()
    files: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )
    format: int = FORMAT

    def __post_init__(self) -> None:
        kinds = (signatures.EXACT, signatures.SCANN)
        if self.kind not in kinds:
            raise BundleError(f"kind must be one of {kinds}, got {self.kind!r}")
        if self.format != FORMAT:
            raise BundleError(
                f"The manifest has format {self.format}, this version reads "
                f"{FORMAT}; serve the bundle with the release that wrote it."
            )

    def write(self, version_dir: Path) -> None:
        """Writes the JSON file into a version's folder."""
        path = version_dir / _PATH
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(
            dataclasses.asdict(self), indent=2, ensure_ascii=False
        )
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, version_dir: Path) -> Manifest:
        """Reads a version's manifest.

        Raises:
            BundleError: if there is none or it cannot be understood.
        """
        path = version_dir / _PATH
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            for name in ("op_types", "non_core_ops"):
                fields[name] = tuple(fields[name])
            return cls(**fields)
        except FileNotFoundError:
            raise BundleError(
                f"{version_dir} has no {_PATH}: it is not a version of a "
                "bundle; pass a folder such as export/recommender/1."
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{path} is damaged: {error}") from error


def exists(version_dir: Path) -> bool:
    """Whether the folder carries a manifest; stock SavedModels do not."""
    return (version_dir / _PATH).is_file()


def file_hashes(version_dir: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file but the manifest, by relative path."""
    paths = sorted(p for p in version_dir.rglob("*") if p.is_file())
    return {
        path.relative_to(version_dir).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": _sha256(path),
        }
        for path in paths
        if path != version_dir / _PATH
    }


def check_files(version_dir: Path, manifest: Manifest) -> None:
    """Compares the files with the manifest.

    Raises:
        BundleError: naming the first file that is missing or not as written.
    """
    for name, wanted in manifest.files.items():
        path = version_dir / name
        if not path.is_file():
            raise BundleError(f"{path} is missing; export the version again.")
        size = path.stat().st_size
        if size != wanted["bytes"] or _sha256(path) != wanted["sha256"]:
            raise BundleError(
                f"{path} is corrupt: it has {size} bytes and not the content "
                f"that was exported ({wanted['bytes']} bytes); export again."
            )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
