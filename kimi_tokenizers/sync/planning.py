"""What a sync would change in a model directory. It only reads.

It decides by content what is ours already, and must never take a file of the user's for one of ours.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import TokenizerFiles, check_vocabulary
from kimi_tokenizers.resolver import layers
from kimi_tokenizers.sync.immutable import can_be_immutable, is_immutable
from kimi_tokenizers.sync.journal import Journal, read
from kimi_tokenizers.sync.names import every_name
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import State, check_directory, content_sha256, examine

Action = Literal["create", "replace", "lock", "unlock", "keep"]


@dataclass(frozen=True)
class Change:
    """What becomes of one file.

    Attributes:
        name: the file's name.
        action: "create" where there is nothing, "replace" where there is something else, "lock" and "unlock" where only
            the mode changes, "keep" where the content is there already.
        found: what is there, for people.
        why: why this file is the overlay's.
        locked: whether it is immutable or read-only afterwards.
    """

    name: str
    action: Action
    found: str
    why: str
    locked: bool = False


@dataclass(frozen=True)
class Plan:
    """What a sync would change in a model directory, or has changed.

    Attributes:
        lock: make our files immutable or read-only (True), mutable again (False), or leave that as it is (None).
    """

    overlay: Overlay
    model_dir: Path
    changes: tuple[Change, ...]
    lock: bool | None = None

    @property
    def writes(self) -> tuple[Change, ...]:
        """The changes that change something."""
        return tuple(change for change in self.changes if change.action != "keep")


def plan(overlay: Overlay, model_dir: str | os.PathLike[str], *, lock: bool | None = None) -> Plan:
    """What a sync would change. It only reads.

    Raises:
        VocabularyMismatchError: the directory holds another vocabulary.
        ModelDirError, TokenizerConfigError: it cannot be read, or a file that decides something is damaged.
        SyncError: something other than a file lies in the place of a tokenizer file.
        JournalError: the record of an earlier sync is damaged or not ours.
    """
    path = check_directory(model_dir)
    with explaining(path), TokenizerFiles(path) as directory:
        check_vocabulary(overlay, directory)
        return plan_with(overlay, directory, read(path), lock)


def plan_with(overlay: Overlay, directory: TokenizerFiles, record: Journal, lock: bool | None) -> Plan:
    """`plan`, with the record read already, and what the guard has passed."""
    path = directory.path
    found = {name: examine(path / name) for name in every_name()}
    why = {layer.name: layer.why for layer in layers(overlay, directory) if layer.origin == "overlay"}
    for name in overlay.files:
        if record.is_ours(name, found[name]):  # `layers` takes a chat template of ours for the directory's own
            why.setdefault(name, "put there by an earlier sync")
    changes = [_change(overlay, record, name, found[name], why[name], lock) for name in every_name() if name in why]
    return Plan(overlay, path, tuple(changes), lock)


def _change(overlay: Overlay, record: Journal, name: str, found: State, why: str, lock: bool | None) -> Change:
    path = record.model_dir / name
    ours = record.is_ours(name, found)
    locked = ours and _is_locked(path, found)
    wanted = locked if lock is None else lock
    action: Action = "keep"
    if found.kind == "absent":
        action = "create"
    elif (content_sha256(path) if found.kind == "link" else found.sha256) != overlay.files[name].sha256:
        action = "replace"
    elif ours and locked != wanted:  # a file of the user's with the same content is left alone
        action = "lock" if wanted else "unlock"
    return Change(name, action, str(found), why, wanted)


def _is_locked(path: Path, found: State) -> bool:
    return is_immutable(path) if can_be_immutable() else not found.mode & 0o222
