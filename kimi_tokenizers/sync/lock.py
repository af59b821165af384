"""One process at a time changes a model directory: it holds an flock on the `lock` of the record.

It must never put, move or remove a tokenizer file itself, and never hand out a record that was not checked.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.errors import SyncError
from kimi_tokenizers.model_dirs import LOCK_SECONDS, wait_for
from kimi_tokenizers.sync.journal import Journal, read
from kimi_tokenizers.sync.journal_format import check_folder, foreign, loaded
from kimi_tokenizers.sync.names import FOLDER, LOCK, RESTORED


@contextlib.contextmanager
def opened(model_dir: Path) -> Iterator[Journal]:
    """The record of a model directory, to change it, while nobody else does; made if there is none.

    What a killed process left has been cleaned up by then. Afterwards the folder is gone if it would say nothing.

    Raises:
        JournalError: it is damaged or not ours; nothing was changed.
        SyncError: another process has been changing the directory for a minute, or a right is missing.
    """
    descriptor = _locked(model_dir / FOLDER)
    try:
        journal = read(model_dir)
        if os.path.lexists(journal.folder / RESTORED):
            loaded(journal.folder / RESTORED)
        try:
            journal.recover()
            yield journal
        finally:
            journal.remove_if_empty()
    finally:
        os.close(descriptor)


def _locked(folder: Path) -> int:
    """A descriptor that holds the lock. A lock that was removed in the meantime does not count."""
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o755)
        try:
            check_folder(folder)
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            continue  # a restore removed the folder
        except IsADirectoryError as error:
            raise foreign(folder / LOCK, "it is a directory") from error
        except OSError:
            with contextlib.suppress(OSError):
                os.rmdir(folder)  # if it is empty, as it is if it was only just made
            raise
        try:
            _wait_for(descriptor, folder)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.lstat(folder / LOCK)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _wait_for(descriptor: int, folder: Path) -> None:
    try:
        wait_for(descriptor, folder / LOCK)
    except TimeoutError:
        raise SyncError(
            f"Another process has been changing {str(folder.parent)!r} for {LOCK_SECONDS:.0f} s. "
            "Wait for it, or end it, and run the command again."
        ) from None
