"""A tokenizer in this process: load, register, adapt; engines, streaming, tool calls.

It may import transformers, tiktoken and mlx-lm (when one of them is needed, not before), `resolver` and what is below
that. It must never execute Python that was not verified against the overlay, nor know of views, sync or commands.
"""

from kimi_tokenizers.tokenizer.adapter import adapt
from kimi_tokenizers.tokenizer.canonical import canonical_tool_calls
from kimi_tokenizers.tokenizer.encodings import encoding, encoding_arguments
from kimi_tokenizers.tokenizer.export import Exported, export_fast
from kimi_tokenizers.tokenizer.known_answers import KnownAnswer, every_known_answer, known_answers_of
from kimi_tokenizers.tokenizer.loader import DEFAULT_MODEL, STOP_TOKEN_ID, load, load_mlx
from kimi_tokenizers.tokenizer.registration import register
from kimi_tokenizers.tokenizer.tool_calls import END, START, parse_tool_call
from kimi_tokenizers.tokenizer.verified_python import install

__all__ = [
    "DEFAULT_MODEL",
    "END",
    "START",
    "STOP_TOKEN_ID",
    "Exported",
    "KnownAnswer",
    "adapt",
    "canonical_tool_calls",
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

install()
