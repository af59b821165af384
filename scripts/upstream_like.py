"""Upstream's slow tokenizer, RE-CREATED from what is known of its behaviour for `bench.py`; this is not its code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tiktoken
import transformers.models.gpt2.tokenization_gpt2  # noqa: F401 (upstream imports it, which takes its time)
from tiktoken.load import load_tiktoken_bpe
from transformers import AddedToken, PreTrainedTokenizer


class UpstreamLike(PreTrainedTokenizer):
    """What costs upstream time, and nothing that would not.

    At the start tiktoken's own loader and both vocabulary dictionaries; in `encode` a scan for runs, in Python, and
    cuts at 400,000 characters (where ids can differ); in `__call__` transformers' generic path, from text to token
    strings to ids. The pattern, the control tokens and the letters of bytes are in `upstream.json` beside the ranks.
    """

    vocab_files_names = {"vocab_file": "tiktoken.model"}  # noqa: RUF012

    def __init__(self, vocab_file: str, **kwargs: Any) -> None:
        facts = json.loads(Path(vocab_file).with_name("upstream.json").read_text())
        self.model = tiktoken.Encoding(
            "upstream",
            pat_str=facts["pattern"],
            mergeable_ranks=load_tiktoken_bpe(str(vocab_file)),
            special_tokens=facts["names"],
        )
        self.letters = facts["letters"]
        self.bytes = {letter: byte for byte, letter in enumerate(self.letters)}
        self.by_id = {
            index: "".join(self.letters[byte] for byte in self.model.decode_single_token_bytes(index))
            for index in range(self.model.n_vocab)
        }
        self.by_token = {token: index for index, token in self.by_id.items()}
        table = {
            int(index): AddedToken(name, special=special, normalized=False)
            for index, (name, special) in facts["control"].items()
        }
        named = {"bos_token": "[BOS]", "eos_token": "[EOS]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
        super().__init__(**{**kwargs, **named, "added_tokens_decoder": table})

    @property
    def vocab_size(self) -> int:
        return self.model.n_vocab

    def get_vocab(self) -> dict[str, int]:
        return self.by_token

    def encode(self, text: str, *rest: Any, **kwargs: Any) -> list[int]:
        if rest or kwargs:
            return super().encode(text, *rest, **kwargs)
        ids: list[int] = []
        for start in range(0, len(text), 400_000):
            for part in self.runs(text[start : start + 400_000]):
                ids += self.model.encode(part, allowed_special="all")
        return ids

    @staticmethod
    def runs(text: str) -> list[str]:
        """Cut where 25,000 characters in a row are space, or are not."""
        parts, begin, length, space = [], 0, 0, False
        for position, character in enumerate(text):
            if character.isspace() != space:
                space, length = not space, 1
            else:
                length += 1
                if length > 25_000:
                    parts.append(text[begin:position])
                    begin, length = position, 1
        return [*parts, text[begin:]]

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return [self.by_id[index] for index in self.encode(text)]

    def _convert_token_to_id(self, token: str) -> int:
        return self.by_token[token]

    def _convert_id_to_token(self, index: int) -> str:
        return self.by_id[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return bytes(self.bytes[character] for character in "".join(tokens)).decode("utf-8", "replace")


TikTokenTokenizer = UpstreamLike  # the name that exo asks for
