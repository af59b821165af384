"""What a sync would change in a model directory. It only reads.

It decides by content what is ours already, and must never take a file of the user's for one of ours.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kimi_tokenizers.catalogue import Overlay
from kimi_tokenizers.model_dirs import Folder, TokenizerFiles, check_vocabulary, uncompared
from kimi_tokenizers.resolver import layers
from kimi_tokenizers.sync.immutable import can_be_immutable, is_immutable
from kimi_tokenizers.sync.journal import Record, read
from kimi_tokenizers.sync.names import every_name
from kimi_tokenizers.sync.rights import explaining
from kimi_tokenizers.sync.state import State, check_directory, content_sha256, examine

Action = Literal["create", "replace", "lock", "unlock", "keep", "remove"]


@dataclass(frozen=True)
class Change:
    """What becomes of one file.

    Attributes:
        name: the file's name.
        action: "create" where there is nothing, "replace" where there is something else, "lock" and "unlock" where only
            the mode changes, "keep" where the content is there already, "remove" for bytecode of our files that another
            version of Python made: it could be anybody's, and is made anew.
        found: what is there, for people.
        why: why this file is the overlay's.
        locked: whether it is immutable or read-only afterwards.
        lost: what of it `restore` could not give back, and why; "" if there is nothing. Whether a file system can move
            files without a copy cannot be seen without trying, so a plan says "if", and `apply` tries.
    """

    name: str
    action: Action
    found: str
    why: str
    locked: bool = False
    lost: str = ""


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

    @property
    def files(self) -> tuple[Change, ...]:
        """The changes of tokenizer files."""
        return tuple(change for change in self.writes if change.action != "remove")

    @property
    def lost(self) -> list[str]:
        """What of each file `restore` could not give back, and why: then `sync` refuses, unless it is forced."""
        return [f"{change.name} ({change.lost})" for change in self.writes if change.lost]


def plan(overlay: Overlay, model_dir: str | os.PathLike[str], *, lock: bool | None = None) -> Plan:
    """What a sync would change. It only reads.

    Raises:
        VocabularyMismatchError: the directory holds another vocabulary.
        ModelDirError, TokenizerConfigError: it cannot be read, or a file that decides something is damaged.
        SyncError: something other than a file lies in the place of a tokenizer file.
        JournalError: the record of an earlier sync is damaged or not ours.
    """
    path = check_directory(model_dir)
    with explaining(path), Folder.open(path) as directory, TokenizerFiles(directory) as files:
        check_vocabulary(overlay, files)
        return plan_in(directory, overlay, files, lock)


def plan_in(directory: Folder, overlay: Overlay, files: TokenizerFiles, lock: bool | None = None) -> Plan:
    """`plan`, in an open directory that the guard has passed."""
    return plan_with(overlay, files, read(directory), lock)


def plan_with(
    overlay: Overlay, files: TokenizerFiles, record: Record, lock: bool | None, keeps: bool | None = None
) -> Plan:
    """`plan`, with the record read already, and what the guard has passed.

    Args:
        keeps: whether this file system keeps an inode on its way to a free name; None if that was not tried.
    """
    directory = record.directory
    found = {name: examine(directory, name) for name in every_name()}
    why = {layer.name: layer.why for layer in layers(overlay, files) if layer.origin == "overlay"}
    for name in overlay.files:
        if record.is_ours(name, found[name]):  # `layers` takes a chat template of ours for the directory's own
            why.setdefault(name, "put there by an earlier sync")
    changes = [_change(overlay, record, name, found[name], why[name], lock) for name in every_name() if name in why]
    changes = [
        replace(change, lost=_lost(directory, change.name, keeps))
        if change.action == "replace" and not record.is_ours(change.name, found[change.name])
        else change
        for change in changes
    ]
    changes += [
        Change(name, "remove", "bytecode that another version of Python made", "it cannot be compared with its source")
        for name in uncompared(directory.path)
        if f"{name.split('/')[1].split('.')[0]}.py" in why
    ]
    return Plan(overlay, directory.path, tuple(changes), lock)


def _change(overlay: Overlay, record: Record, name: str, found: State, why: str, lock: bool | None) -> Change:
    directory = record.directory
    ours = record.is_ours(name, found)
    locked = ours and _is_locked(directory, name, found)
    wanted = locked if lock is None else lock
    action: Action = "keep"
    if found.kind == "absent":
        action = "create"
    elif (content_sha256(directory, name) if found.kind == "link" else found.sha256) != overlay.files[name].sha256:
        action = "replace"
    elif ours and locked != wanted:  # a file of the user's with the same content is left alone
        action = "lock" if wanted else "unlock"
    return Change(name, action, str(found), why, wanted)


def _is_locked(directory: Folder, name: str, found: State) -> bool:
    try:
        return is_immutable(directory.stat(name)) if can_be_immutable() else not found.mode & 0o222
    except FileNotFoundError:  # it was removed just now
        return False


def _lost(directory: Folder, name: str, keeps: bool | None) -> str:
    """What of a file could not be given back: of one's own nothing, for a copy of it would be as good."""
    try:
        owner = directory.stat(name).st_uid
    except FileNotFoundError:
        return ""
    if owner == os.geteuid() or keeps:
        return ""
    cannot = "cannot move a file to a free name in one step" + (", nor link it" if os.geteuid() == 0 else "")
    if keeps is False:
        why = f"this file system {cannot}, so there would be a copy"
    elif os.geteuid() == 0 or directory.can_exchange():
        why = f"if this file system {cannot}, which `sync` tries before it changes anything, there would be a copy"
    else:
        why = f"this system {cannot}, so there would be a copy"
    return f"its owner, inode and hard links: it belongs to user id {owner}, this process has {os.geteuid()}, and {why}"
