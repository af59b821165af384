"""What exo would do next with a file of a model directory, as far as that is known without asking anybody.

It mirrors exo 0.3.70's downloader: which files it believes a repo to have, and what it does with one that is there, is
not there, or has another size. It only reads, and must never use the network.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs.exo import file_list_cache, models_dirs, read_only_models_dirs
from kimi_tokenizers.model_dirs.tokenizer_files import parse_json, read_small

FILE_LIST_SECONDS = 24 * 3600
"""For how long exo uses its list of a repo's files without asking for it again."""

Action = Literal["keep", "download", "re-download", "404", "never touched", "nothing", "not known"]


@dataclass(frozen=True)
class FileList:
    """Which files a repo has.

    Attributes:
        source: who says so, for people.
        path: the file that says so; None for the manifest.
        age: seconds since exo asked; None for the manifest.
        sizes: name -> size in bytes, None where that is not known.
        whole: whether what is not in `sizes` is not in the repo.
    """

    source: str
    path: str | None = None
    age: float | None = None
    sizes: Mapping[str, int | None] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True)
class Step:
    """What exo would do with a file, and why. "nothing": it is not there, and exo does not fetch it."""

    action: Action
    why: str


def file_list(model_id: str, overlay: Overlay, env: Mapping[str, str] | None = None) -> FileList:
    """What exo has noted of a model's repo; where it has noted nothing, what the overlay's manifest knows of it."""
    path = file_list_cache(model_id, env)
    note = ""
    try:
        data = read_small(path)
        if data is not None:
            age = max(0.0, time.time() - os.stat(path).st_mtime)
            entries = [entry for entry in parse_json(data) if entry.get("type", "file") == "file"]
            sizes = {str(entry["path"]): entry.get("size") for entry in entries}
            stale = "" if age < FILE_LIST_SECONDS else "; older than a day, so exo will ask for it anew"
            source = f"exo's list of the repo's files, {_ago(age)} old{stale}"
            known = {name: size if isinstance(size, int) else None for name, size in sizes.items()}
            return FileList(source, str(path), age, known, whole=True)
    except (KimiTokenizersError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        note = f" (exo's own list {str(path)!r} cannot be used: {type(error).__name__})"
    if model_id.lower() == overlay.upstream.repo.lower():
        source = f"the overlay's manifest: {overlay.upstream.repo} at {overlay.upstream.revision[:12]}"
        return FileList(source + note, sizes=dict.fromkeys(overlay.upstream.sha256))
    return FileList("nothing: exo has no list of the repo's files here, and the manifest knows another repo" + note)


def exo_step(name: str, size: int | None, upstream: FileList, *, known_content: bool = False) -> Step:
    """What exo's downloader does with a file when it downloads the model.

    Args:
        size: of the file that is there, in bytes; None if there is none.
        known_content: the file that is there is upstream's, by its SHA-256.
    """
    if name == "kimi_line.json":
        why = "upstream has no such file"
        return Step("never touched", why) if size is not None else Step("nothing", why)
    if name in upstream.sizes:
        remote = upstream.sizes[name]
        if size is None:
            return Step("download", "upstream lists it; it would be a 404 if upstream has deleted it since")
        if remote == size or (remote is None and known_content):
            return Step("keep", f"its size is upstream's, {size:,} bytes")
        if remote is None:
            why = f"re-download, unless upstream's has {size:,} bytes as well: its size is not known here"
            return Step("not known", why)
        return Step("re-download", f"its size differs: {size:,} bytes here, {remote:,} upstream. exo removes it first")
    if not upstream.whole:
        return Step("not known", "whether upstream has this file is not known here")
    if size is None:
        return Step("404", "upstream does not list it: exo does not fetch it, and asking for it gives 404")
    return Step("never touched", "upstream does not list it")


def lies_in_exos_dirs(path: Path, env: Mapping[str, str] | None = None) -> Literal["", "read-only", "writable"]:
    """Whether a model directory is in one of exo's models dirs, and of which kind; "" if it is in none."""
    parent = os.path.realpath(os.path.dirname(os.path.abspath(path)))
    if parent in map(os.path.realpath, read_only_models_dirs(env)):
        return "read-only"
    return "writable" if parent in map(os.path.realpath, models_dirs(env)) else ""


def _ago(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
