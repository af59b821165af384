"""A tokenizer in this process: load, register, adapt; engines, streaming, tool calls.

It may import transformers, tiktoken and mlx-lm (when one of them is needed, not before), `resolver` and what is below
that. It must never execute Python that was not verified against the overlay, nor know of views, sync or commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimi_tokenizers.lazy import lazily
from kimi_tokenizers.tokenizer.verified_python import install

if TYPE_CHECKING:
    from kimi_tokenizers.tokenizer.adapter import adapt
    from kimi_tokenizers.tokenizer.canonical import canonical_tool_calls
    from kimi_tokenizers.tokenizer.counting import Count, check_files, count_files
    from kimi_tokenizers.tokenizer.encodings import DEFAULT_MODEL, encoding, encoding_arguments
    from kimi_tokenizers.tokenizer.export import Exported, export_fast
    from kimi_tokenizers.tokenizer.known_answers import KnownAnswer, every_known_answer, known_answers_of
    from kimi_tokenizers.tokenizer.loader import STOP_TOKEN_ID, load, load_mlx
    from kimi_tokenizers.tokenizer.registration import register
    from kimi_tokenizers.tokenizer.tool_calls import END, START, parse_tool_call

__all__ = [
    "DEFAULT_MODEL",
    "END",
    "START",
    "STOP_TOKEN_ID",
    "Count",
    "Exported",
    "KnownAnswer",
    "adapt",
    "canonical_tool_calls",
    "check_files",
    "count_files",
    "encoding",
    "encoding_arguments",
    "every_known_answer",
    "export_fast",
    "known_answers_of",
    "load",
    "load_mlx",
    "parse_tool_call",
    "register",
]

__getattr__ = lazily(
    __name__,
    {
        "adapter": "adapt",
        "canonical": "canonical_tool_calls",
        "counting": "Count check_files count_files",
        "encodings": "DEFAULT_MODEL encoding encoding_arguments",
        "export": "Exported export_fast",
        "known_answers": "KnownAnswer every_known_answer known_answers_of",
        "loader": "STOP_TOKEN_ID load load_mlx",
        "registration": "register",
        "tool_calls": "END START parse_tool_call",
    },
)


install()
