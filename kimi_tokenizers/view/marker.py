"""The marker file of a view: the record of what in the view is ours.

What is ours are links into a model directory, and files with the content that we wrote. This module reads a marker,
formats one, and tells whether a file is still the one that was recorded. It must never write, nor accept a marker that
it does not fully understand: the names of the folders in it decide where files are removed.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from kimi_tokenizers.errors import ViewError
from kimi_tokenizers.model_dirs import VIEW_MARKER, Folder, folder_name, model_id_of, parse_json
from kimi_tokenizers.view.writing import LOCK, is_scrap, place_of

_VERSION = 1
_MOST_BYTES = 16 * 1024 * 1024


@dataclass
class Record:
    """What the marker says of one folder.

    Attributes:
        sources: the directory that its links point into; then those that links left by a run that was cut short may
            still point into.
        files: names of the files in front -> the SHA-256 of their content, more than one after such a run.
    """

    model_id: str
    sources: list[str]
    files: dict[str, list[str]] = field(default_factory=dict)

    def joined(self, other: Record) -> Record:
        """A record under which whatever either of the two calls ours is ours."""
        files = {name: self.files.get(name, []) + other.files.get(name, []) for name in {**self.files, **other.files}}
        return Record(
            self.model_id,
            list(dict.fromkeys(self.sources + other.sources)),
            {name: list(dict.fromkeys(sums)) for name, sums in files.items()},
        )

    def made(self, folder: Folder, relative: str) -> bool:
        """Whether what is there is a link or a file that we made, and that nobody has changed since."""
        found = found_at(folder, relative)
        if isinstance(found, str):
            return found in {os.path.join(source, relative) for source in self.sources}
        return relative in self.files and found is not None and found[0] in self.files[relative]


def found_at(folder: Folder, relative: str) -> str | tuple[str, int] | None:
    """Where a link leads; SHA-256 and mode of a small file; None for anything else. No link is followed."""
    try:
        with place_of(folder, relative) as (inside, name):
            status = inside.stat(name)
            if stat.S_ISLNK(status.st_mode):
                return inside.readlink(name)
            return sha256(inside.read(name, _MOST_BYTES)).hexdigest(), stat.S_IMODE(status.st_mode)
    except OSError:
        return None


def marker_text(records: Mapping[str, Record]) -> str:
    """The content of the marker for these records: folder -> record."""
    models = {
        folder: {
            "model_id": record.model_id,
            "source": record.sources[0],
            "former_sources": record.sources[1:],
            "files": record.files,
        }
        for folder, record in records.items()
    }
    return json.dumps({"version": _VERSION, "models": models}, indent=1, sort_keys=True) + "\n"


def read_marker(view: Folder) -> dict[str, Record]:
    """What the marker of a view records: folder -> record; nothing for a directory that is empty.

    Raises:
        ViewError: the directory holds something, and no marker that can be read.
    """
    target = view.path
    try:
        names = view.names()
        data = view.read(VIEW_MARKER, _MOST_BYTES) if VIEW_MARKER in names else None
    except OSError as error:
        raise ViewError(f"The directory {str(target)!r} cannot be read: {error}. Nothing was changed.") from error
    if data is None:
        others = [name for name in names if name != LOCK and not is_scrap(name)]
        if others:
            raise ViewError(
                f"{str(target)!r} is not a view: it holds {listed(others)}, and no {VIEW_MARKER}. Nothing was changed. "
                "Choose a path that does not exist, or an empty directory."
            )
        return {}
    try:
        value = parse_json(data)
        if value["version"] != _VERSION:
            raise ValueError(f"version {value['version']!r}, expected {_VERSION}")
        return {folder: _record(folder, entry) for folder, entry in value["models"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ViewError(
            f"{str(target / VIEW_MARKER)!r} cannot be used ({type(error).__name__}: {error}), so it is not known what "
            f"in {str(target)!r} belongs to a view. Nothing was changed. Make a view elsewhere, or use the version of "
            "kimi-tokenizers that wrote it."
        ) from error


def _record(folder: str, entry: Any) -> Record:
    """The record of one folder. Raises ValueError, KeyError or TypeError if this module cannot have written it."""
    record = Record(
        entry["model_id"],
        [entry["source"], *entry["former_sources"]],
        {name: list(sums) for name, sums in entry["files"].items()},
    )
    # The name of a folder decides where files are removed.
    if folder_name(record.model_id) != folder or model_id_of(folder) is None or "\0" in folder:
        raise ValueError(f"no folder of a model: {folder!r}")
    texts = [*record.sources, *record.files, *(digest for sums in record.files.values() for digest in sums)]
    if not all(isinstance(text, str) and text for text in texts):
        raise TypeError(f"not text, in the record of {folder!r}")
    return record


def listed(names: Sequence[str]) -> str:
    """The first three names, and how many more there are, for a message."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(repr(name) for name in sorted(names)[:3]) + more
