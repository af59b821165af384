"""Every name that `sync` uses in a model directory: the files it may write, those of its record, temporary ones.

It only makes names, out of the manifests, and must never look at a model directory. A journal may speak of the files in
`every_name` and of no others.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from kimi_tokenizers.catalogue import overlays
from kimi_tokenizers.model_dirs import CHAT_TEMPLATE, OWN_PREFIX, TOKENIZER_CONFIG

_EXECUTED = "tokenization_"


@functools.lru_cache(maxsize=1)
def every_name() -> tuple[str, ...]:
    """Every file that may be written, whatever the line, in the order in which they are put in place.

    exo executes `tokenization_kimi.py`, and then finds everything it needs there already.
    """
    ours = dict.fromkeys(name for overlay in overlays().values() for name in overlay.always_ours)
    executed = [name for name in ours if name.startswith(_EXECUTED)]
    return (*(name for name in ours if name not in executed), TOKENIZER_CONFIG, CHAT_TEMPLATE, *executed)


# The folder of the record, and what is in it; `journal` says what each is for.
FOLDER = OWN_PREFIX
JOURNAL, RESTORED, LOCK, BACKUP = "journal.json", "restored.json", "lock", "backup"
BACKUP_NAME = re.compile(r"([0-9]{1,9})-(.+)")


def unfinished(model_dir: Path, name: str) -> Path:
    """Where a file of ours is written. Whatever is there is ours, and may be torn."""
    return model_dir / f"{FOLDER}-new-{name}.tmp"


def temporary(model_dir: Path, name: str) -> Path:
    """From where a whole file is put in its place; what it was exchanged for is there afterwards."""
    return model_dir / f"{FOLDER}-{name}.tmp"


def names_beside(path: Path) -> Iterator[Path]:
    """The names under which a file can be kept beside another, whether they are taken or not."""
    return (path.with_name(f"{path.name}.kept-{number}") for number in itertools.count(1))
