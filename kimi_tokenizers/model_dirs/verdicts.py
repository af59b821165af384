"""What is remembered in the per-user cache: which large files, and which bytecode of our own, have passed already.

Everything in it can be deleted at any time. A cache that somebody else could change is not asked.
"""

from __future__ import annotations

import contextlib
import os
import stat

from kimi_tokenizers.model_dirs.cache_dir import VERDICTS, cache_root, open_cache, own_folder
from kimi_tokenizers.model_dirs.tokenizer_files import TokenizerFiles


def has_verdict(key: str) -> bool:
    """Whether what `key` identifies has passed. Somebody else's word, or none, is no."""
    try:
        with open_cache(cache_root()) as cache, own_folder(cache, VERDICTS) as folder:
            status = folder.stat(key)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def keep_verdict(key: str, directory: TokenizerFiles | None = None) -> None:
    """Remember that what `key` identifies has passed. A cache that cannot be used for `directory` forgets."""
    with contextlib.suppress(OSError), open_cache(cache_root(), make=True, model=directory) as cache:
        folder = own_folder(cache, VERDICTS, make=True)
        with folder:
            folder.create(key, b"", 0o600)
