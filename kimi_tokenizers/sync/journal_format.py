"""The JSON of the journal: written, read, and checked before it is believed.

A model repo could bring a journal along, so one that names any other file than a tokenizer file, leads out of the
directory, or says what `sync` never writes, is refused. It must never change anything.
"""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kimi_tokenizers.catalogue import overlays
from kimi_tokenizers.errors import FolderError, JournalError
from kimi_tokenizers.model_dirs import Folder, parse_json
from kimi_tokenizers.sync.names import BACKUP, BACKUP_NAME, FOLDER, every_name
from kimi_tokenizers.sync.state import FILE_BYTES, State

MOST = 10_000
"""How many contents of ours, and how many of others, are noted of one file."""

_FORMAT = "kimi-tokenizers journal"
_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BYTES = 64 << 20
_NANOSECONDS = 10**9
# From 1900 to 2500. A file system may know other times; what is noted of those is the nearest of these.
_FIRST, _LAST = -2_208_988_800 * _NANOSECONDS, 16_725_225_600 * _NANOSECONDS


@dataclass(frozen=True)
class Prior:
    """What was there before, and the name of its backup: for a file always, for a link since there are such."""

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

    def claims(self, state: State) -> bool:
        """Whether the journal says that we put it there."""
        return state.kind == "file" and state.sha256 in self.ours

    def is_ours(self, state: State) -> bool:
        """Whether we put it there, and nothing is lost without it: not because a journal says so, for that could have
        come with a model, but because its content is in this package. What an older version put there is kept.
        """
        return self.claims(state) and state.sha256 in _packaged()


@functools.lru_cache(maxsize=1)
def _packaged() -> frozenset[str]:
    return frozenset(file.sha256 for overlay in overlays().values() for file in overlay.files.values())


def dumped(entries: dict[str, Entry]) -> bytes:
    """The entries as the content of a journal."""
    files = {
        name: {"ours": entry.ours, "priors": [_dumped_prior(prior) for prior in entry.priors]}
        for name, entry in entries.items()
    }
    # In ASCII a link's target that is not UTF-8 survives.
    return json.dumps({"format": _FORMAT, "version": _VERSION, "files": files}, indent=1).encode("ascii")


def _dumped_prior(prior: Prior) -> dict[str, Any]:
    value = {key: value for key, value in asdict(prior.state).items() if key != "inode"}
    return {**value, "mtime_ns": min(max(prior.state.mtime_ns, _FIRST), _LAST), "backup": prior.backup}


def loaded(folder: Folder, name: str) -> dict[str, Entry]:
    """The entries of a journal; none where there is no file. Raises JournalError."""
    path = folder.path / name
    try:
        data = folder.read(name, _BYTES)
    except FileNotFoundError:
        return {}
    except FolderError as error:
        raise foreign(path, str(error)) from error
    try:
        value = parse_json(data, object_pairs_hook=_object, parse_int=_integer, parse_float=_no, parse_constant=_no)
        _check_keys(value, {"format", "version", "files"})
        if value["format"] != _FORMAT:
            raise ValueError(f"its format is {str(value['format'])[:100]!r}")
        if type(value["version"]) is not int or value["version"] != _VERSION:
            version = str(value["version"])[:100]
            raise ValueError(f"its version is {version!r}, and this kimi-tokenizers knows {_VERSION}")
        return {_name(file): _entry(file, entry) for file, entry in value["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise foreign(path, f"{type(error).__name__}: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError(f"an object names one thing twice, among {str(sorted(value))[:100]}")
    return value


def _integer(text: str) -> int:
    if len(text) > 25:  # longer ones take Python a time that grows with the square of their length
        raise ValueError(f"{text[:25]}… is out of range")
    return int(text)


def _no(text: str) -> float:
    raise ValueError(f"{text[:25]} is no whole number")


def _check_keys(value: Any, keys: set[str]) -> None:
    if not isinstance(value, dict) or set(value) != keys:
        found = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise ValueError(f"there is {str(found)[:100]} where {', '.join(sorted(keys))} belong")


def _name(name: str) -> str:
    if name not in every_name():
        raise ValueError(f"it names the file {name[:100]!r}, which is no tokenizer file")
    return name


def _entry(name: str, value: Any) -> Entry:
    _check_keys(value, {"ours", "priors"})
    sums, priors = value["ours"], value["priors"]
    if not isinstance(sums, list) or not all(isinstance(item, str) and _SHA256.fullmatch(item) for item in sums):
        raise ValueError(f"{name}: `ours` is no list of SHA-256")
    if not isinstance(priors, list) or not priors:
        raise ValueError(f"{name}: `priors` is empty, or no list")
    if max(len(sums), len(priors)) > MOST:
        raise ValueError(f"{name}: a list has more than {MOST:,} items")
    entry = Entry(sums, [_prior(name, prior) for prior in priors])
    contents = {(prior.state.kind, prior.state.sha256, prior.state.target) for prior in entry.priors}
    backups = [prior.backup for prior in entry.priors if prior.backup]
    if len(contents) < len(priors) or len(set(backups)) < len(backups) or len(set(sums)) < len(sums):
        raise ValueError(f"{name}: it says the same thing twice")
    return entry


def _prior(name: str, value: Any) -> Prior:
    _check_keys(value, {"kind", "sha256", "size", "mode", "mtime_ns", "target", "backup"})
    backup = value.pop("backup")
    state = State(**value)
    numbers = (state.size, state.mode, state.mtime_ns)
    if (
        not all(type(number) is int for number in numbers)
        or not 0 <= state.size <= FILE_BYTES
        or not 0 <= state.mode <= 0o7777
        or not _FIRST <= state.mtime_ns <= _LAST
    ):
        raise ValueError(f"{name}: a size, mode or time is no number, or out of range")
    if not all(isinstance(text, str) for text in (backup, state.sha256, state.target)):
        raise TypeError(f"{name}: no text")
    os.fsencode(state.target)  # a surrogate that stands for no byte is a UnicodeEncodeError, which is a ValueError
    match = BACKUP_NAME.fullmatch(backup)
    has_backup = match is not None and match[2] == name
    if (
        not (has_backup if state.kind == "file" else backup == "" or (has_backup and state.kind == "link"))
        or state.kind not in ("absent", "file", "link")
        or (state.kind == "file") != bool(_SHA256.fullmatch(state.sha256))
        or (state.kind == "link") != bool(state.target)
        or "\0" in state.target
    ):
        raise ValueError(f"{name}: what it says was there before contradicts itself")
    return Prior(state, backup)


def opened_folder(directory: Folder, *, make: bool = False) -> Folder:
    """The folder of the record. Raises JournalError where it could be somebody else's; FileNotFoundError."""
    return _own_folder(directory, FOLDER, make=make)


def opened_backup(folder: Folder, *, make: bool = False) -> Folder:
    """The folder of the backups in it. Raises as `opened_folder`."""
    return _own_folder(folder, BACKUP, make=make)


def _own_folder(above: Folder, name: str, *, make: bool) -> Folder:
    try:
        return above.folder(name, make=make, owned=True)
    except FolderError as error:
        raise foreign(above.path / name, str(error)) from error


def foreign(path: Path, reason: str) -> JournalError:
    """The error that refuses a record."""
    return JournalError(
        f"{str(path)!r} is not the record of kimi-tokenizers: {reason.rstrip('.')}. Nothing was changed. If nothing "
        "else needs it, move it away; `restore` then no longer knows what was there before, and the files in 'backup/' "
        "beside it, which are those, have to be moved back by hand."
    )
