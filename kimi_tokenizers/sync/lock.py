"""One process at a time changes a model directory: it holds an flock on the `lock` of the record.

It must never put, move or remove a tokenizer file itself, and never hand out a record that was not checked.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from kimi_tokenizers.errors import FolderError, SyncError
from kimi_tokenizers.model_dirs import LOCK_SECONDS, Folder, wait_for
from kimi_tokenizers.sync.journal import Journal
from kimi_tokenizers.sync.journal_format import foreign, opened_backup, opened_folder
from kimi_tokenizers.sync.names import BACKUP, FOLDER, LOCK
from kimi_tokenizers.sync.state import ATTEMPTS, restless


@contextlib.contextmanager
def opened(directory: Folder) -> Iterator[Journal]:
    """The record of a model directory, to change it, while nobody else does; made if there is none.

    What a killed process left has been cleaned up by then. Afterwards the folder is gone if it would say nothing.

    Raises:
        JournalError: it is damaged or not ours; nothing was changed.
        SyncError: another process has been changing the directory for a minute, or a right is missing.
    """
    with _locked(directory) as folder, contextlib.ExitStack() as stack:
        try:
            backups = stack.enter_context(opened_backup(folder))
        except FileNotFoundError:
            backups = None
        journal = Journal(directory, folder, backups)
        try:
            journal.recover()
            yield journal
        finally:
            with contextlib.suppress(OSError):  # it is not empty, or somebody else removed it
                if journal.is_needless():
                    _remove(directory, folder)
            if journal.backups is not None:
                journal.backups.close()


def _remove(directory: Folder, folder: Folder) -> None:
    """Remove the folder of the record. If something that is not ours is in it, it stays."""
    with contextlib.suppress(OSError):
        folder.remove_folder(BACKUP)
    if set(folder.names()) <= {LOCK}:
        folder.remove(LOCK)
        directory.remove_folder(FOLDER)
        directory.flush()


@contextlib.contextmanager
def _locked(directory: Folder) -> Iterator[Folder]:
    """The folder of the record, whose lock is held. One that was removed in the meantime does not count."""
    for _ in range(ATTEMPTS):
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(opened_folder(directory, make=True))
                descriptor = _lock_file(directory, folder)
            except FileNotFoundError:
                continue  # a restore removed the folder
            stack.callback(os.close, descriptor)
            _wait_for(descriptor, folder)
            if folder.is_at(LOCK, descriptor) and directory.is_at(FOLDER, folder.descriptor):
                yield folder
                return
    raise restless(directory.path / FOLDER)


def _lock_file(directory: Folder, folder: Folder) -> int:
    try:
        return folder.lock_file(LOCK)
    except FolderError as error:
        raise foreign(folder.path / LOCK, str(error)) from error
    except FileNotFoundError:
        raise
    except OSError:
        with contextlib.suppress(OSError):
            directory.remove_folder(FOLDER)  # if it is empty, as it is if it was only just made
        raise


def _wait_for(descriptor: int, folder: Folder) -> None:
    try:
        wait_for(descriptor, folder.path / LOCK)
    except TimeoutError:
        raise SyncError(
            f"Another process has been changing {str(folder.path.parent)!r} for {LOCK_SECONDS:.0f} s. "
            "Wait for it, or end it, and run the command again."
        ) from None
