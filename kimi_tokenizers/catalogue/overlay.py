"""An overlay: the files that go in front of a model directory, read from package data and never used unverified.

It knows nothing of model directories, of exo, or of writing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kimi_tokenizers.errors import OverlayError

if TYPE_CHECKING:
    from importlib_resources.abc import Traversable


def resources(package: str = "kimi_tokenizers.overlays") -> Traversable:
    """The root of the packaged overlays (or of other package data): in a wheel, an editable install, a zip, a clone."""
    try:
        import importlib_resources
    except ImportError:  # `scripts/` run from a clone with nothing but Python 3.11 and later
        import importlib.resources as importlib_resources  # type: ignore[no-redef]
    return importlib_resources.files(package)


@dataclass(frozen=True)
class OverlayFile:
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
            data = resources().joinpath(*self.source.split("/")).read_bytes()
        except (OSError, ImportError, SyntaxError) as error:  # the file, the folder or its Python
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
        try:
            from importlib_resources import as_file
        except ImportError:
            from importlib.resources import as_file  # type: ignore[assignment]
        with as_file(resources().joinpath(*self.source.split("/"))) as path:
            yield path


@dataclass(frozen=True)
class Upstream:
    """What an overlay stands for: a repo, its pinned revision, and the SHA-256 of that revision's files (if known)."""

    repo: str
    revision: str
    sha256: Mapping[str, str]
    good_revisions: tuple[str, ...]
    broken_revisions: tuple[str, ...]


@dataclass(frozen=True)
class Overlay:
    """The files in front of one model line.

    Attributes:
        line: name of the line, e.g. "kimi-k2.6".
        models: the upstream model ids that it serves, e.g. "moonshotai/Kimi-K2.6".
        files: file name in a model directory -> packaged file.
    """

    line: str
    models: tuple[str, ...]
    files: Mapping[str, OverlayFile]
    upstream: Upstream

    def read(self, name: str) -> bytes:
        """Content of one of `files`, verified. Raises OverlayError."""
        return self.files[name].read()

    def control_tokens(self) -> dict[int, str]:
        """The control tokens that the packaged `tokenizer_config.json` names: id -> name. Raises OverlayError."""
        table = json.loads(self.read("tokenizer_config.json"))["added_tokens_decoder"]
        return {int(index): entry["content"] for index, entry in table.items()}

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
                sha256=upstream.get("sha256", {}),
                good_revisions=tuple(upstream.get("good_revisions", ())),
                broken_revisions=tuple(upstream.get("broken_revisions", ())),
            ),
        )
