"""The guard: an overlay goes in front only of the vocabulary it is.

It compares what a model directory says of itself with the overlay and raises where the two contradict each other. What
a directory does not say is no contradiction. It only reads the directory; what it found of large files is remembered
in the cache, by file identity.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import time
import warnings
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import N_RANKS, VOCAB_SIZE, Overlay, spell
from kimi_tokenizers.errors import ModelDirError, VocabularyMismatchError
from kimi_tokenizers.model_dirs.guard_config import VOCAB_JSON, contradictions, file_of_another
from kimi_tokenizers.model_dirs.renumbering import original
from kimi_tokenizers.model_dirs.tokenizer_files import (
    CHAT_TEMPLATE,
    TOKENIZER_CONFIG,
    OpenFile,
    TokenizerFiles,
    parse_json,
)
from kimi_tokenizers.model_dirs.verdicts import has_verdict, keep_verdict

_TICK = 20_000_000  # nanoseconds


def check_vocabulary(
    overlay: Overlay, directory: TokenizerFiles, *, override: bool = False, added: Collection[str] = ()
) -> tuple[str, ...]:
    """Compare a model directory with an overlay.

    Returns:
        The files whose control tokens are `renumbering.RENUMBERED`, which is no contradiction, and so not in effect.

    Args:
        added: ids of tokens that a saved tokenizer has beside those of its line, which are then no contradiction.
        override: go on in spite of a contradiction, with a warning. The ids may then be wrong without any further sign.

    Raises:
        VocabularyMismatchError: they contradict each other; the message names both sides.
        ModelDirError, TokenizerConfigError: a file that decides this is damaged.
    """
    config, control_tokens = partial(_config, added=added), partial(_control_tokens, added=added)
    renumbered: list[str] = []
    for examine in (_rank_table, _tokenizer_json, config, _files_of_others, control_tokens, _files_of_other_lines):
        try:
            renumbered += examine(overlay, directory) or ()
        except VocabularyMismatchError as error:
            if not override:
                raise
            warnings.warn(f"The guard is overridden: token ids may be wrong. {error}", RuntimeWarning, stacklevel=4)
    return tuple(renumbered)


def _mismatch(overlay: Overlay, path: Path, theirs: str, ours: str) -> VocabularyMismatchError:
    # A conversion made it: upstream's models have none.
    mend = "remove it" if path.name == "tokenizer.json" else f"restore its own {path.name}"
    return VocabularyMismatchError(
        f"{str(path)!r} {theirs}, but the overlay {overlay.line} {ours}. Nothing was changed. If the directory does "
        f"hold a model of this line, {mend}; else it is another model, and its directory should not have the name of "
        "one of this line."
    )


def _rank_table(overlay: Overlay, directory: TokenizerFiles) -> None:
    _once(overlay, directory, "tiktoken.model", _compare_rank_table)


def _compare_rank_table(overlay: Overlay, file: OpenFile) -> None:
    ours = overlay.files["tiktoken.model"]
    if file.status.st_size > ours.size:  # not worth reading, whatever it is
        found = f"has {file.status.st_size:,} bytes"
        known = f"is for the rank table of {ours.size:,} bytes with SHA-256 {ours.sha256}"
        raise _mismatch(overlay, file.path, found, known)
    data = file.read()
    # A download that broke off holds the beginning of the same table: damaged, but no other vocabulary.
    if not ours.read().startswith(data):
        found = f"has SHA-256 {hashlib.sha256(data).hexdigest()}"
        raise _mismatch(overlay, file.path, found, f"is for the rank table with {ours.sha256}")


def _tokenizer_json(overlay: Overlay, directory: TokenizerFiles) -> list[str]:
    renumbered = _once(overlay, directory, "tokenizer.json", _compare_tokenizer_json)
    return ["tokenizer.json"] if renumbered else []


def _compare_tokenizer_json(overlay: Overlay, file: OpenFile) -> bool:
    """Whether its control tokens are renumbered."""
    path = file.path
    try:
        value = parse_json(file.read())
        vocab = value["model"]["vocab"]
        added = {entry["id"]: entry["content"] for entry in value.get("added_tokens") or ()}
        items = [(token, int(index)) for token, index in vocab.items()]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ModelDirError(
            f"{str(path)!r} is not the tokenizer.json of a BPE tokenizer ({type(error).__name__}: {error}). "
            "Restore the model's own file, or remove it."
        ) from error
    _compare_ranks(overlay, path, items)
    inside = {index: token for token, index in items if index >= N_RANKS}
    both = {**inside, **added}
    if inside.items() <= both.items() and original(overlay, both):
        _compare_with_other_lines(overlay, path, both)
        return True
    _compare_control_tokens(overlay, path, added)
    _compare_control_tokens(overlay, path, inside)
    return False


def _compare_ranks(overlay: Overlay, path: Path, items: list[tuple[str, int]]) -> None:
    ranks = _ranks(overlay)
    for token, index in items:
        if index < N_RANKS and ranks.get(token) != index:  # the others are control tokens, compared below
            ours = f"has {ranks.get(token)} for that token"
            raise _mismatch(overlay, path, f"says that id {index} is {token!r}", ours)
    found = sum(index < N_RANKS for _, index in items)
    if found < N_RANKS:
        raise _mismatch(overlay, path, f"has {found:,} tokens below id {N_RANKS:,}", f"has {N_RANKS:,}")


def _ranks(overlay: Overlay) -> dict[str, int]:
    """The overlay's rank table as a tokenizer.json has it, bytes written as printable characters."""
    tokens = map(binascii.a2b_base64, overlay.read("tiktoken.model").split()[::2])
    return {token: rank for rank, token in enumerate(spell(tokens))}


def _config(overlay: Overlay, directory: TokenizerFiles, added: Collection[str]) -> None:
    path = directory.path / "config.json"
    config = directory.object("config.json")
    if config is None:
        return
    for theirs, ours in contradictions(
        overlay, config, sum(key.isdecimal() and int(key) >= VOCAB_SIZE for key in added)
    ):
        raise _mismatch(overlay, path, theirs, ours)


def _files_of_others(overlay: Overlay, directory: TokenizerFiles) -> None:
    name = file_of_another(directory.names)
    if name is not None:
        raise _mismatch(overlay, directory.path / name, "is of another kind of tokenizer", "has a tiktoken.model")
    _once(overlay, directory, VOCAB_JSON, _compare_vocab_json)


def _compare_vocab_json(overlay: Overlay, file: OpenFile) -> None:
    try:
        items = [(token, int(index)) for token, index in parse_json(file.read()).items()]
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise _mismatch(overlay, file.path, "is of another kind of tokenizer", "has a tiktoken.model") from None
    _compare_ranks(overlay, file.path, items)


def _control_tokens(overlay: Overlay, directory: TokenizerFiles, added: Collection[str]) -> list[str]:
    path = directory.path / TOKENIZER_CONFIG
    table = {key: entry for key, entry in directory.control_token_table().items() if key not in added}
    if original(overlay, table):
        _compare_with_other_lines(overlay, path, table)
        return [TOKENIZER_CONFIG]
    _compare_control_tokens(overlay, path, table)
    _check_names(overlay, path, table)
    _compare_with_other_lines(overlay, path, table)
    return []


def _compare_control_tokens(overlay: Overlay, path: Path, table: Mapping[Any, Any]) -> None:
    ours = overlay.control_tokens()
    ids = {f"<|reserved_token_{index}|>": index for index in range(N_RANKS, VOCAB_SIZE)}
    ids.update((name, index) for index, name in ours.items())
    for key, entry in table.items():
        name = entry.get("content") if isinstance(entry, dict) else entry
        try:
            index = int(key)
        except (TypeError, ValueError, OverflowError):
            raise _mismatch(overlay, path, f"has a control token with the id {key!r}", "has integers") from None
        if not isinstance(name, str) or not N_RANKS <= index < VOCAB_SIZE:
            known = f"has names for the ids {N_RANKS} to {VOCAB_SIZE - 1}"
            raise _mismatch(overlay, path, f"says that id {index} is {name!r}", known)
        if ours.get(index, name) != name:
            raise _mismatch(overlay, path, f"says that id {index} is {name!r}", f"says that it is {ours[index]!r}")
        if ids.setdefault(name, index) != index:  # set by an earlier entry if the name is there twice
            raise _mismatch(overlay, path, f"says that {name!r} is id {index}", f"says that it is {ids[name]}")


def _check_names(overlay: Overlay, path: Path, table: Mapping[Any, Any]) -> None:
    """Refuse names that the tokenizer cannot take: of a table that `_compare_control_tokens` has passed."""
    ours = set(overlay.control_tokens().values())
    default = next(other for other in catalogue.overlays().values() if other.default)
    homes = {name: index for index, name in default.control_tokens().items() if name not in ours}
    texts: frozenset[bytes] | None = None
    for key, entry in table.items():
        name, index = str(entry["content"] if isinstance(entry, dict) else entry), int(key)
        if isinstance(entry, dict) and any(entry.get(flag) for flag in ("lstrip", "rstrip", "single_word")):
            raise _mismatch(overlay, path, f"says that {name!r} takes spaces or whole words", "matches names literally")
        if name in ours or name == f"<|reserved_token_{index}|>":
            continue
        if homes.get(name, index) != index or re.fullmatch(r"<\|reserved_token_\d+\|>", name):
            raise _mismatch(overlay, path, f"says that id {index} is {name!r}", "has that name for another id")
        if texts is None:
            texts = frozenset(map(binascii.a2b_base64, overlay.read("tiktoken.model").split()[::2]))
        data = name.encode("utf-8", "replace")
        if not name or data.decode("utf-8") != name or data in texts:
            what = "is a token of ordinary text" if name else "is empty"
            raise _mismatch(
                overlay, path, f"says that id {index} is {name!r}, which {what}", "has names for the others"
            )


def _compare_with_other_lines(overlay: Overlay, path: Path, table: Mapping[Any, Any]) -> None:
    """Refuse the very table of another line, also where none of its names contradicts ours.

    So it is with Kimi-K2-Thinking, whose table is that of Kimi-K2-Instruct and two names more.
    """
    names = {int(key): entry.get("content") if isinstance(entry, dict) else entry for key, entry in table.items()}
    names = {index: name for index, name in names.items() if name != f"<|reserved_token_{index}|>"}
    equal = [
        line
        for line, other in catalogue.overlays().items()
        if names and other.control_tokens() in (names, original(other, table))
    ]
    others = [] if overlay.line in equal else equal
    if others:
        theirs = f"has exactly the control tokens of {' and '.join(others)}"
        raise _mismatch(overlay, path, theirs, "has others")


def _files_of_other_lines(overlay: Overlay, directory: TokenizerFiles) -> None:
    """Refuse what is, byte for byte, a file of another line: upstream's, or a template of ours.

    Kimi-K2.5, K2.6 and K2.7-Code have the same control tokens and model types, so nothing else tells them apart. Where
    a directory has none of these files as they were published, its name is all that there is to go by.
    """
    lines = catalogue.overlays()
    for name in (CHAT_TEMPLATE, TOKENIZER_CONFIG):
        data = directory.read(name)
        found = None if data is None else hashlib.sha256(data).hexdigest()
        if found is None or found in overlay.known_sha256(name):
            continue
        # A tokenizer_config.json of ours says nothing: transformers saves the same for several lines.
        others = [
            line
            for line, other in lines.items()
            if found == other.upstream.sha256.get(name) or (name == CHAT_TEMPLATE and found in other.known_sha256(name))
        ]
        if others:
            theirs = f"is exactly the file of {' and '.join(others)} (SHA-256 {found})"
            raise _mismatch(overlay, directory.path / name, theirs, "has another")


def _once(
    overlay: Overlay, directory: TokenizerFiles, name: str, verdict: Callable[[Overlay, OpenFile], bool | None]
) -> bool:
    """Ask for a `verdict` on a file unless it has passed before: same device, inode, size, and times of last change.

    Returns what the verdict is or was: whether the file is renumbered.
    """
    with directory.opened(name) as file:
        if file is None:
            return False
        status = file.status
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        against = sorted(packaged.sha256 for packaged in overlay.files.values())
        key, as_renumbered = (
            hashlib.sha256(repr((name, identity, overlay.line, against, *more)).encode()).hexdigest()
            for more in ((), ("renumbered",))
        )
        for known in (key, as_renumbered):
            if has_verdict(known):
                return known == as_renumbered
        renumbered = bool(verdict(overlay, file))
        # A file that is changed twice within one tick of the file system's clock keeps its identity, so a verdict on
        # one that has only just changed holds for this once. Clocks tick in milliseconds, on old systems in seconds.
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        if time.time_ns() - changed > (_TICK if changed % 1_000_000_000 else 100 * _TICK):
            keep_verdict(as_renumbered if renumbered else key, directory)
        return renumbered
