"""The JSON of the journal: written, read, and checked before it is believed.

A model repo could bring a journal along, so one that names any other file than a tokenizer file, or leads out of the
directory, is refused. It must never change anything.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kimi_tokenizers.errors import JournalError, ModelDirError
from kimi_tokenizers.model_dirs import read_small
from kimi_tokenizers.sync.names import BACKUP_NAME, every_name
from kimi_tokenizers.sync.rights import explained
from kimi_tokenizers.sync.state import State, kind_name

_FORMAT = "kimi-tokenizers journal"
_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Prior:
    """What was there before, and for a file the name of its backup."""

    state: State
    backup: str = ""


@dataclass
class Entry:
    """What is known of one file.

    Attributes:
        ours: SHA-256 of every content that we put there or were about to.
        priors: what was there, oldest first. The last is what `restore` puts back.
    """

    ours: list[str] = field(default_factory=list)
    priors: list[Prior] = field(default_factory=list)

    def is_ours(self, state: State) -> bool:
        return state.kind == "file" and state.sha256 in self.ours


def dumped(entries: dict[str, Entry]) -> bytes:
    """The entries as the content of a journal."""
    files = {
        name: {
            "ours": entry.ours,
            "priors": [
                {key: value for key, value in asdict(prior.state).items() if key != "inode"} | {"backup": prior.backup}
                for prior in entry.priors
            ],
        }
        for name, entry in entries.items()
    }
    # In ASCII a link's target that is not UTF-8 survives.
    return json.dumps({"format": _FORMAT, "version": _VERSION, "files": files}, indent=1).encode("ascii")


def loaded(path: Path) -> dict[str, Entry]:
    """The entries of a journal; none where there is no file. Raises JournalError."""
    try:
        data = read_small(path)
    except ModelDirError as error:
        if isinstance(error.__cause__, PermissionError):
            raise explained(error.__cause__, path) from error
        raise foreign(path, str(error)) from error
    if data is None:
        return {}
    try:
        value = json.loads(data)
        if value["format"] != _FORMAT:
            raise ValueError(f"its format is {value['format']!r}")
        if value["version"] != _VERSION:
            raise ValueError(f"its version is {value['version']!r}, and this kimi-tokenizers knows {_VERSION}")
        return {_name(name): _entry(name, entry) for name, entry in value["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise foreign(path, f"{type(error).__name__}: {error}") from error


def _name(name: str) -> str:
    if name not in every_name():
        raise ValueError(f"it names the file {name[:100]!r}, which is no tokenizer file")
    return name


def _entry(name: str, value: Any) -> Entry:
    sums = value["ours"]
    if not isinstance(sums, list) or not all(isinstance(item, str) and _SHA256.fullmatch(item) for item in sums):
        raise ValueError(f"{name}: `ours` is no list of SHA-256")
    priors = [_prior(name, prior) for prior in value["priors"]]
    if not priors:
        raise ValueError(f"{name}: `priors` is empty")
    return Entry(sums, priors)


def _prior(name: str, value: Any) -> Prior:
    backup = value.pop("backup")
    state = State(**value)
    numbers = (state.size, state.mode, state.mtime_ns)
    if not all(type(number) is int for number in numbers) or state.size < 0 or not 0 <= state.mode <= 0o7777:
        raise ValueError(f"{name}: no numbers")
    if not all(isinstance(text, str) for text in (backup, state.sha256, state.target)):
        raise TypeError(f"{name}: no text")
    match = BACKUP_NAME.fullmatch(backup)
    wrong_backup = not (match and match[2] == name) if state.kind == "file" else backup != ""
    if (
        wrong_backup
        or state.kind not in ("absent", "file", "link")
        or (state.kind == "file") != bool(_SHA256.fullmatch(state.sha256))
        or (state.kind == "link") != bool(state.target)
        or "\0" in state.target
    ):
        raise ValueError(f"{name}: what it says was there before contradicts itself")
    return Prior(state, backup)


def check_folder(folder: Path) -> None:
    """Make sure that the folder of the record is a folder, where there is one. Raises JournalError."""
    try:
        mode = os.lstat(folder).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(mode):
        raise foreign(folder, "it is a link" if stat.S_ISLNK(mode) else f"it is {kind_name(mode)}")


def foreign(path: Path, reason: str) -> JournalError:
    """The error that refuses a record."""
    return JournalError(
        f"{str(path)!r} is not the record of kimi-tokenizers: {reason}. Nothing was changed. If nothing else needs it, "
        "move it away; `restore` then no longer knows what was there before, and the files in 'backup/' beside it, "
        "which are those, have to be moved back by hand."
    )
