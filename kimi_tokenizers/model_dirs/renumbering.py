"""Control tokens without the gaps between their ids, as transformers 5.0 to 5.4 number them when they convert a model.

They give names the ids after the rank table one after the other, so that from the first gap on each has another id than
in the model's weights. Names and order are still those of the line, so it can be told from any other vocabulary, and
the right ids are known. Nothing else of such a table counts: the overlay's is in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kimi_tokenizers.catalogue import N_RANKS, VOCAB_SIZE, Overlay
from kimi_tokenizers.model_dirs.tokenizer_files import TokenizerFiles

RENUMBERED = "the control tokens of the line, renumbered without gaps as transformers 5.0 to 5.4 convert it"


def renumbered_in_words(files: Sequence[str]) -> str:
    """What is to be added to the detail on a directory in which these files are renumbered; "" where none is."""
    if not files:
        return ""
    return f"; {' and '.join(files)}: {RENUMBERED} (the overlay has the ids of the weights)"


def original(overlay: Overlay, table: Mapping[Any, Any]) -> dict[int, str]:
    """The names in a renumbered table (id -> entry or name) by the ids of the line; empty for any other table.

    All of it must follow one numbering from `[BOS]` on: that of all the line's names, or that of those in the table,
    reserved ones among them. Reserved names that stand at their own ids, behind the others, are no part of it.
    """
    ours = {name: index for index, name in overlay.control_tokens().items()}
    homes = {f"<|reserved_token_{index}|>": index for index in range(N_RANKS, VOCAB_SIZE)}
    homes.update(ours)
    try:
        ids = {(entry["content"] if isinstance(entry, dict) else entry): int(key) for key, entry in table.items()}
        last = max(index for name, index in ids.items() if name in ours)
        moved = {name: index for name, index in ids.items() if index != homes[name] or index <= last}
    except (KeyError, TypeError, ValueError, OverflowError):
        return {}  # a name of another line, or something else altogether
    if len(ids) < len(table) or ids.get(overlay.control_tokens()[N_RANKS]) != N_RANKS:
        return {}
    if all(index == homes[name] for name, index in moved.items()):
        return {}
    for names in (ours, moved):
        numbers = {name: N_RANKS + place for place, name in enumerate(sorted(names, key=homes.__getitem__))}
        if moved.items() <= numbers.items():
            return {ours[name]: name for name in moved if name in ours}
    return {}


def is_renumbered(overlay: Overlay, directory: TokenizerFiles) -> bool:
    """Whether a directory's tokenizer_config.json has such a table; then it does not count. Raises as it is read."""
    return bool(original(overlay, directory.control_token_table()))


def table_in_effect(overlay: Overlay, directory: TokenizerFiles) -> dict[str, Any]:
    """A directory's own table of control tokens; empty where there is none that counts. Raises as it is read."""
    return {} if is_renumbered(overlay, directory) else directory.control_token_table()
