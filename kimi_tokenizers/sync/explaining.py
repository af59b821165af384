"""One model directory, file by file: which layer each file comes from and why, and what exo would do with it next.

It only reads, and must never execute anything that it finds, open a weight file or use the network.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.model_dirs import (
    OWN_PREFIX,
    FileList,
    Model,
    Step,
    TokenizerFiles,
    Walk,
    check_vocabulary,
    exo_step,
    file_list,
    lies_in_exos_dirs,
)
from kimi_tokenizers.resolver import Layer, layers
from kimi_tokenizers.sync.advice import Advice, advice
from kimi_tokenizers.sync.names import every_name
from kimi_tokenizers.sync.status import ModelStatus, examine

# Beside the files of the layers, those that a reader would ask about. Weights and downloads under way are none.
_SUFFIXES = (".py", ".json", ".jinja", ".model")
_MOST = 1000


@dataclass(frozen=True)
class FileExplanation:
    """One file.

    Attributes:
        layer: where it comes from with the overlay in front; "none" where neither layer gives it to exo.
        why: the reason for that, for people.
        found: what is there: ours, older (ours, of another version), upstream, unknown, missing; of what the overlay
            has no file for, "present".
        size: of what is there, in bytes.
        exo: what exo does with it next.
        exo_why: the reason for that, for people.
    """

    name: str
    layer: Literal["overlay", "directory", "none"]
    why: str
    found: str
    size: int | None
    exo: str
    exo_why: str


@dataclass(frozen=True)
class Explanation:
    """One model directory.

    Attributes:
        guard: the guard's objection; None where it has none.
        upstream: how it is known which files upstream has.
        exo: what exo does with the directory as a whole.
    """

    status: ModelStatus
    guard: str | None
    upstream: FileList
    exo: str
    files: tuple[FileExplanation, ...]
    advice: Advice | None


def explain(model: Model, env: Mapping[str, str] | None = None) -> Explanation:
    """Explain a model directory. What is wrong with it is in the result; nothing is raised for it.

    Args:
        env: the environment that exo is started with; by default this process's own.
    """
    status = examine(model)
    guard, decided = None, {}
    try:
        with TokenizerFiles(model.path) as directory:
            check_vocabulary(model.overlay, directory)
            decided = {layer.name: layer for layer in layers(model.overlay, directory)}
    except (KimiTokenizersError, OSError) as error:
        guard = str(error)
    upstream = file_list(model.model_id, model.overlay, env)
    place = lies_in_exos_dirs(model.path, env)
    names = [*decided, *(name for name in every_name() if name in status.files), *status.files, *_others(model.path)]
    files = tuple(_file(model, status, name, decided, guard, upstream, place) for name in dict.fromkeys(names))
    return Explanation(status, guard, upstream, _whole(status, place), files, advice(model, status))


def _whole(status: ModelStatus, place: str) -> str:
    said = {
        "": "It is in none of exo's models dirs, so exo does not look here; this is what it would do if it did.",
        "read-only": "It is in a read-only models dir: exo never writes there.",
        "writable": "",
    }[place]
    if status.complete:
        does = "exo takes it for complete: it downloads and checks nothing, and loads what is there."
    elif place == "read-only":
        does = "exo takes it for incomplete, passes it over, and downloads the model elsewhere."
    else:
        does = "exo takes it for incomplete, and downloads what is missing before it loads."
    return f"{said} {does}".strip()


def _file(
    model: Model,
    status: ModelStatus,
    name: str,
    decided: Mapping[str, Layer],
    guard: str | None,
    upstream: FileList,
    place: str,
) -> FileExplanation:
    layer = decided.get(name)
    size = _size(model.path / name)
    found = status.files.get(name) or ("missing" if size is None else "present")
    step = exo_step(name, size, upstream, known_content=found == "upstream" or _same(model, name, status))
    if status.complete or place == "read-only":
        step = _as_complete(step, size)
    why = layer.why if layer else _why_left_out(model, status, name, guard)
    return FileExplanation(name, layer.origin if layer else "none", why, found, size, step.action, step.why)


def _as_complete(step: Step, size: int | None) -> Step:
    """What exo does with a file where it downloads nothing; and what it would do if it did download."""
    if size is not None:
        if step.action == "keep":
            return step
        return Step("keep", f"nothing is downloaded; if it were: {step.action} ({step.why})")
    return Step("nothing", f"nothing is downloaded; if it were: {step.action} ({step.why})")


def _same(model: Model, name: str, status: ModelStatus) -> bool:
    """Whether ours is upstream's as well, as the rank table is."""
    file = model.overlay.files.get(name)
    known = model.overlay.upstream.sha256.get(name)
    return status.files.get(name) == "ours" and file is not None and file.sha256 == known


def _why_left_out(model: Model, status: ModelStatus, name: str, guard: str | None) -> str:
    if name in status.files and name not in every_name() and name not in model.overlay.upstream.sha256:
        return "exo imports it from here before any other of its name; with `resolve` or a view it never runs"
    if guard is not None:
        return "the guard objects, so nothing goes in front"
    if name.endswith(".py"):
        return "downloaded Python never runs"
    if name == "tokenizer.json":
        return "transformers would build another tokenizer from it"
    return "it has nothing to do with tokenizing"


def _others(model_dir: Path) -> list[str]:
    """What else lies at the top of a model directory and could be asked about, sorted."""
    try:
        names = sorted(entry.name for entry in Walk().entries(model_dir))
    except OSError:
        return []  # `status` says so
    others = [name for name in names if name.endswith(_SUFFIXES) and not name.startswith(OWN_PREFIX)]
    return others[:_MOST]


def _size(path: Path) -> int | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
