"""Every name that `sync` uses in a model directory: the files it may write, those of its record, temporary ones.

It only makes names, out of the manifests, and must never look at a model directory. A journal may speak of the files in
`every_name` and of no others.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator

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


def unfinished(name: str) -> str:
    """Where a file of ours is written. Whatever is there is ours, and may be torn."""
    return f"{FOLDER}-new-{name}.tmp"


def temporary(name: str) -> str:
    """From where a whole file is put in its place; what it was exchanged for is there afterwards."""
    return f"{FOLDER}-{name}.tmp"


def moved_away(name: str) -> str:
    """Where names cannot be exchanged, what was in the place of a file is here for a moment."""
    return f"{FOLDER}-old-{name}.tmp"


def names_beside(name: str) -> Iterator[str]:
    """The names under which a file can be kept beside another, whether they are taken or not."""
    return (f"{name}.kept-{number}" for number in itertools.count(1))
