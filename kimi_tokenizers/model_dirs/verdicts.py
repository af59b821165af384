"""Where the per-user cache is, and what the guard remembers there: which large files it has passed already.

Everything in the cache can be deleted at any time. A cache that somebody else owns is not used.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

CACHE_VARIABLE = "KIMI_TOKENIZERS_CACHE"


def cache_root(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """Where the cache is: $KIMI_TOKENIZERS_CACHE, else `kimi-tokenizers` in the user's cache directory.

    Absolute. Where there is no home directory, a leading `~` stays as it is; nothing can be made there.
    """
    environment = os.environ if environment is None else environment
    if environment.get(CACHE_VARIABLE):
        return _absolute(environment[CACHE_VARIABLE])
    if platform == "darwin":
        return _absolute("~/Library/Caches/kimi-tokenizers")
    return _absolute(environment.get("XDG_CACHE_HOME") or "~/.cache") / "kimi-tokenizers"


def _absolute(path: str) -> Path:
    expanded = os.path.expanduser(path)
    return Path(expanded if expanded.startswith("~") else os.path.abspath(expanded))


def has_verdict(key: str) -> bool:
    """Whether the guard has passed what `key` identifies. Somebody else's word, or none, is no."""
    try:
        return stat.S_ISREG(os.lstat(own_cache(cache_root()) / "verdicts" / key).st_mode)
    except OSError:
        return False


def keep_verdict(key: str) -> None:
    """Remember that the guard has passed what `key` identifies. A cache that cannot be written to forgets."""
    with contextlib.suppress(OSError):
        folder = own_cache(cache_root()) / "verdicts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / key).touch()


def own_cache(base: Path) -> Path:
    """`base`, unless somebody else owns it: they could put another tokenizer there. Raises OSError."""
    if not base.is_absolute():
        raise FileNotFoundError(2, "there is no home directory")
    try:
        owner = base.stat().st_uid
    except FileNotFoundError:
        return base
    if owner != os.geteuid():
        raise PermissionError(1, f"it belongs to user id {owner}")
    return base
