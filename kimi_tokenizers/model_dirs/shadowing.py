"""What of a model directory Python would import: exo puts the directory in front of everything else.

So a `tiktoken.py` in it runs in the place of the package, before anything of ours does, and no file that is put there
afterwards prevents that. Here it is only named. Nothing is imported or executed, and what is a module is told by names
alone, for every version of Python: the one that exo runs on need not be this one.

The rule: **everything that can be imported is named**, since nobody can know here what else exo imports, but for

- the modules of the overlays and of upstream's repos, by their very names, as `NAME.py`: what is in these is judged by
  their content, elsewhere;
- modules that are called as transformers has model code called (`modeling_deepseek.py`). Repos bring them along, they
  are imported as parts of a package, and no package of anybody's is called so;
- folders without an `__init__` in which there is nothing to import (`figures`, `original`): Python takes them for a
  package only where there is no other of the name, and then for an empty one.

Bytecode in `__pycache__` counts where it takes the place of a module of ours: not where Python would see that it is
out of date, or where it is what this Python makes of the very source. What another version of Python made cannot be
compared here. exo leaves such, and somebody could have forged it: `uncompared` tells it from what exo never leaves.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from kimi_tokenizers.catalogue import overlays
from kimi_tokenizers.errors import KimiTokenizersError, ModelDirError
from kimi_tokenizers.model_dirs.reading_python import SOURCE_BYTES, is_compiled_from
from kimi_tokenizers.model_dirs.tokenizer_files import read_small
from kimi_tokenizers.model_dirs.walking import Walk, is_dir, is_file

_MAX_DEPTH = 16

# "tiktoken.py", "tiktoken.so", "tiktoken.cpython-313-darwin.so", "tiktoken.abi3.so"; "a.b.py" is no module.
_MODULE = re.compile(r"([^.]+)(\.py|\.pyc|(\.[^.]+)?\.(so|pyd))")
_BYTECODE = re.compile(r"([^.]+)\.([^.]+)(?:\.opt-([^.]+))?\.pyc")
_METADATA = (".dist-info", ".egg-info")

# As transformers has the files of a model called, and Moonshot those of its own: kimi_k25_vision_processing.py.
_MODEL_CODE = re.compile(
    r"(configuration|modeling|tokenization|processing|image_processing|video_processing|feature_extraction)_\w+\.py"
    r"|kimi_\w+_(processor|processing)\.py|media_utils\.py"
)


def importable(model_dir: Path) -> list[str]:
    """Names of what Python would import from a model directory, and should not; sorted, folders with a `/`.

    Raises:
        ModelDirError: it cannot be read, or there is too much in it.
    """
    walk = Walk()
    try:
        found = [name for entry in walk.entries(model_dir) for name in _named(model_dir, entry, walk)]
    except ModelDirError:  # there is too much in it
        raise
    except OSError as error:
        raise ModelDirError(f"Cannot read {str(error.filename or model_dir)!r}: {error.strerror}.") from error
    return sorted(found)


def uncompared(model_dir: Path) -> list[str]:
    """Of what `importable` names, the bytecode that looks like what another version of Python leaves; sorted."""
    try:
        caches = [entry for entry in Walk().entries(model_dir) if entry.name == "__pycache__" and is_dir(entry)]
        return sorted(name for cache in caches for name, kind in _bytecode(model_dir, cache, Walk()) if kind == "other")
    except (OSError, KimiTokenizersError):
        return []  # `importable` says so


def _named(model_dir: Path, entry: os.DirEntry[str], walk: Walk) -> Iterator[str]:
    name = entry.name
    if name == "__pycache__":
        if is_dir(entry):
            yield from (name for name, _ in _bytecode(model_dir, entry, walk))
    elif name.endswith(_METADATA):
        yield name  # by it the directory passes for an installed package, with entry points
    elif _is_module(entry):
        if name not in _known_sums() and not _MODEL_CODE.fullmatch(name):
            yield name
    elif name.isidentifier() and is_dir(entry) and _holds_modules(entry.path, walk, _MAX_DEPTH):
        yield f"{name}/"


def _is_module(entry: os.DirEntry[str]) -> bool:
    match = _MODULE.fullmatch(entry.name)
    return match is not None and match[1].isidentifier() and is_file(entry)


def _holds_modules(folder: str, walk: Walk, depth: int) -> bool:
    """Whether there is anything to import in a folder. What is too deep to be looked at counts as if there were."""
    folders = []
    for entry in walk.entries(folder):
        if _is_module(entry) or depth == 0:
            return True
        if entry.name.isidentifier() and entry.name != "__pycache__" and is_dir(entry):
            folders.append(entry.path)
    return any(_holds_modules(path, walk, depth - 1) for path in folders)


# -- bytecode ------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def _known_sums() -> dict[str, frozenset[str]]:
    """The Python files of every overlay and of upstream's repos -> the SHA-256 of their known contents."""
    sums: dict[str, set[str]] = {}
    for overlay in overlays().values():
        sums.setdefault(overlay.upstream.python, set())
        for name, file in overlay.files.items():
            sums.setdefault(name, set()).add(file.sha256)
        for name, sha256 in overlay.upstream.sha256.items():
            sums.setdefault(name, set()).add(sha256)
    return {name: frozenset(known) for name, known in sums.items() if name.endswith(".py")}


_Kind = Literal["harmless", "other", "wrong"]


def _bytecode(model_dir: Path, cache: os.DirEntry[str], walk: Walk) -> Iterator[tuple[str, _Kind]]:
    """Bytecode in the place of modules of ours that is not harmless: its name, and what it is."""
    for entry in walk.entries(cache.path):
        match = _BYTECODE.fullmatch(entry.name)
        if match is None or f"{match[1]}.py" not in _known_sums() or not is_file(entry):
            continue
        kind = _kind(model_dir / f"{match[1]}.py", Path(entry.path), match[2], match[3])
        if kind != "harmless":
            yield f"{cache.name}/{entry.name}", kind


def _kind(source: Path, path: Path, tag: str, optimized: str | None) -> _Kind:
    """Whether bytecode is "harmless": not used, or what its source says.

    It is "other" if another version of Python would use it and leaves such by itself. All else is "wrong", what cannot
    be told included.
    """
    try:
        status = os.stat(source)
        if not stat.S_ISREG(status.st_mode):
            return "wrong"
        data = read_small(path, limit=2 * SOURCE_BYTES) or b""
        text = read_small(source, limit=SOURCE_BYTES) or b""
    except FileNotFoundError:
        return "harmless"  # bytecode in this place is only used beside its source
    except (OSError, KimiTokenizersError):
        return "wrong"
    if len(data) < 16 or data[2:4] != b"\r\n":
        return "wrong"  # no version of Python takes it for bytecode, but who put it there?
    flags, changed, size = struct.unpack("<III", data[4:16])
    if flags == 0 and (changed, size) != (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF):
        return "harmless"
    if optimized not in (None, "1", "2"):
        return "wrong"
    if tag != sys.implementation.cache_tag:
        return "other" if flags == 0 else "wrong"  # left to itself, Python writes the time and size of the source
    return "harmless" if is_compiled_from(text, data[16:], int(optimized or 0)) else "wrong"
