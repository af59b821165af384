"""Known answers: texts and the ids that the published vocabulary gives for them.

They are data, in `known_answers.jsonl`: the first rows were made with the reference implementation, and all were made,
or made again, with a plain `tiktoken.Encoding` of the rank table by `scripts/make_known_answers.py`. An engine has to
give them before it is used, so they are here and not in `evidence`, which checks everything else with them.
"""

from __future__ import annotations

import functools
import json
from typing import NamedTuple

from kimi_tokenizers.catalogue import overlays, resources

FILE = "known_answers.jsonl"


class KnownAnswer(NamedTuple):
    """A text and its ids."""

    line: str  # the model line whose control tokens apply
    control: bool  # whether control tokens in the text are recognised; else they are plain text
    text: str
    ids: tuple[int, ...]


@functools.lru_cache(maxsize=1)
def every_known_answer() -> tuple[KnownAnswer, ...]:
    """All of them, in the order of the file."""
    lines = resources("kimi_tokenizers.tokenizer").joinpath(FILE).read_text(encoding="ascii").splitlines()
    rows = map(json.loads, lines)
    return tuple(KnownAnswer(row["line"], row["control"], row["text"], tuple(row["ids"])) for row in rows)


def known_answers_of(line: str) -> list[KnownAnswer]:
    """Those that hold for a model line: all of plain texts, and those of lines with the same control tokens."""
    tables = {name: overlay.control_tokens() for name, overlay in overlays().items()}
    alike = {name for name, table in tables.items() if table == tables[line]}
    return [answer for answer in every_known_answer() if not answer.control or answer.line in alike]
