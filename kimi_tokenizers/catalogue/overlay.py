"""An overlay: the files that go in front of a model directory, read from package data and never used unverified.

It knows nothing of model directories, of exo, or of writing.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kimi_tokenizers.errors import OverlayError

if TYPE_CHECKING:
    from importlib.abc import Traversable


def resources(package: str = "kimi_tokenizers.overlays") -> Traversable:
    """The root of the packaged overlays (or of other package data): in a wheel, an editable install, a zip, a clone.

    By its path below the package: nothing of the folder is imported.
    """
    name, *folders = package.split(".")
    root = import_module(name)
    if root.__file__ and root.__spec__ and isinstance(root.__spec__.loader, SourceFileLoader):
        return Path(root.__file__).parent.joinpath(*folders)  # `importlib.resources` takes long to import
    from importlib.resources import files

    return functools.reduce(lambda parent, folder: parent.joinpath(folder), folders, files(name))


class OverlayFile(NamedTuple):
    """A packaged file: the `name` it has in a model directory, and what it must be."""

    name: str
    source: str  # path below overlays/
    size: int  # bytes
    sha256: str

    def read(self) -> bytes:
        """The file's content.

        Raises:
            OverlayError: the packaged file is missing, or is not what the manifest says.
        """
        try:
            data = resources().joinpath(self.source).read_bytes()
        except Exception as error:  # OSError; in a zip also KeyError, BadZipFile, zlib.error, EOFError
            raise OverlayError(
                f"The packaged file {self.source!r} cannot be read ({error}). Reinstall kimi-tokenizers."
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise OverlayError(
                f"The packaged file {self.source!r} is damaged: {len(data):,} bytes with SHA-256 {found}, expected "
                f"{self.size:,} bytes with SHA-256 {self.sha256}. Reinstall kimi-tokenizers."
            )
        return data

    @contextmanager
    def path(self) -> Iterator[Path]:
        """The file on disk, for as long as the context lasts. Unverified: whoever opens it verifies what it reads."""
        resource = resources().joinpath(self.source)
        if isinstance(resource, Path):
            yield resource
            return
        from importlib.resources import as_file

        with as_file(resource) as path:
            yield path


# Where a model directory has its own, that is the better one; every other file of an overlay is always in front.
_YIELDING = ("tokenizer_config.json", "chat_template.jinja")


_NONE: Mapping[str, str] = {}


class Upstream(NamedTuple):
    """What an overlay stands for: a repo, its pinned revision, and the SHA-256 of that revision's files (if known).

    Attributes:
        python: the file with the slow tokenizer, as the repo calls it.
        revisions: other repos that the overlay serves -> the revision that was looked at.
    """

    repo: str
    revision: str
    sha256: Mapping[str, str]
    good_revisions: tuple[str, ...]
    broken_revisions: tuple[str, ...]
    python: str = "tokenization_kimi.py"
    revisions: Mapping[str, str] = _NONE
    untried_sha256: Mapping[str, str] = _NONE
    """Of files of later revisions, which are recognised, but whose content nobody has seen."""


class Overlay(NamedTuple):
    """The files in front of one model line.

    Attributes:
        line: name of the line, e.g. "kimi-k2.6".
        models: the upstream model ids that it serves, e.g. "moonshotai/Kimi-K2.6".
        files: file name in a model directory -> packaged file.
        model_types: a regular expression for `model_type` in such a model's config.json, upper or lower case; and what
            it says, in words.
        default: whether it is the one to take where a directory does not say which of several lines with the same
            control tokens it is.
        evidence: file, or what else there is -> how it is known: "hash", "golden", "reports" or "none", as the
            manifests explain.
        text_types: the same for `model_type` in `text_config`, where that differs.
        own_type: the same for what upstream's models have, where the guard allows more.
        encoder: those of `files` that render conversations, where the line has a chat encoder instead of a template; a
            chat template in a model directory then has no effect.
    """

    line: str
    models: tuple[str, ...]
    files: Mapping[str, OverlayFile]
    upstream: Upstream
    model_types: tuple[str, str] = (".*", "models of any type")
    default: bool = False
    evidence: Mapping[str, str] = _NONE
    encoder: tuple[str, ...] = ()
    text_types: str | None = None
    own_type: str | None = None

    @property
    def always_ours(self) -> tuple[str, ...]:
        """The files that are in front whatever a model directory holds: no downloaded Python runs, and the rank table
        is the one the tokenizer was made for.
        """
        return tuple(name for name in self.files if name not in _YIELDING)

    def known_sha256(self, name: str) -> tuple[str, ...]:
        """By which a file of that name is recognised as this line's: upstream's, and the packaged one."""
        packaged = self.files.get(name)
        known = (self.upstream.sha256.get(name), packaged and packaged.sha256)
        return tuple(sha256 for sha256 in known if sha256)

    def read(self, name: str) -> bytes:
        """Content of one of `files`, verified. Raises OverlayError."""
        return self.files[name].read()

    def control_tokens(self) -> dict[int, str]:
        """The control tokens that the packaged `tokenizer_config.json` names: id -> name. Raises OverlayError."""
        table = json.loads(self.read("tokenizer_config.json"))["added_tokens_decoder"]
        return {int(index): entry["content"] for index, entry in table.items()}

    def report(self) -> dict[str, Any]:
        """What the manifest says, for people and machines."""
        pins = {self.upstream.repo: self.upstream.revision, **self.upstream.revisions}
        return {
            "line": self.line,
            "models": list(self.models),
            "files": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in self.files.values()],
            "revisions": pins,
            "good_revisions": list(self.upstream.good_revisions),
            "broken_revisions": list(self.upstream.broken_revisions),
            # A chat encoder stands in the place of a template, which then is not missing.
            "evidence": {name: by for name, by in self.evidence.items() if not (self.encoder and by == "none")},
        }

    def description(self) -> dict[str, Any]:
        """The line as the tokenizer reads it out of a model directory, from `kimi_line.json`. Raises OverlayError."""
        value: dict[str, Any] = json.loads(self.read("kimi_line.json"))
        return value

    def required_tokens(self) -> dict[int, str]:
        """The control tokens that a model has whatever its own table says: id -> name. Raises OverlayError."""
        table = self.description().get("control_tokens")
        if table is None:
            return self.control_tokens()
        return {int(index): entry["content"] for index, entry in table.items() if not entry.get("optional")}

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any]) -> Overlay:
        """From the parsed `overlay.toml`."""
        upstream = manifest["upstream"]
        files = [OverlayFile(**entry) for entry in manifest["file"]]
        return cls(
            line=manifest["line"],
            models=tuple(manifest["models"]),
            files={file.name: file for file in files},
            upstream=Upstream(
                repo=upstream["repo"],
                revision=upstream["revision"],
                python=upstream.get("python", "tokenization_kimi.py"),
                revisions=upstream.get("revisions", {}),
                sha256=upstream.get("sha256", {}),
                good_revisions=tuple(upstream.get("good_revisions", ())),
                broken_revisions=tuple(upstream.get("broken_revisions", ())),
                untried_sha256=upstream.get("untried_sha256", {}),
            ),
            model_types=(manifest["guard"]["model_types"], manifest["guard"]["in_words"]),
            default=manifest.get("default", False),
            evidence=manifest["evidence"],
            encoder=tuple(manifest.get("encoder", ())),
            text_types=manifest["guard"].get("text_types"),
            own_type=manifest["guard"].get("own_type"),
        )
