"""`load(…, text_is_plain=True)`: what users write in a conversation stays plain text, whatever the chat template.

A template writes markup and users' text into one string, in which a control token that a user wrote looks like one of
the template's. So every control token in what is given to the template is replaced by a stand-in of letters that
nobody can guess, and put back in the rendered text as a plain segment of a `Prompt`.

Where transformers' `sanitize_control_tokens=True` takes a control token for text, the ids are the same. This goes
further: keys of arguments, tokens without a name, and tokens that only come about where two texts meet are text, too.
"""

from __future__ import annotations

import functools
import inspect
import re
import secrets
from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedTokenizer

from kimi_tokenizers.overlays.common.tokenization_kimi import (
    OUTPUT,
    ChatTemplateError,
    Prompt,
    Segment,
    check_conversation,
    declared,
    typed_errors,
)
from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer as KimiTokenizer

# What transformers' own arguments say is not part of a prompt; all others go to the template.
_NOT_FOR_THE_TEMPLATE = {*inspect.signature(PreTrainedTokenizer.apply_chat_template).parameters} - {"documents"}


class TikTokenTokenizer(KimiTokenizer):
    """The tokenizer of the Kimi K2 line, in whose prompts control tokens are the chat template's alone."""

    _own_steps = True

    @typed_errors
    def apply_chat_template(
        self,
        conversation: Any,
        tools: Any = None,
        tokenize: bool = False,
        add_generation_prompt: bool = True,
        thinking: bool | None = None,
        preserve_thinking: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """As the packaged tokenizer's, but the text is a `Prompt`, and ids are those of its segments.

        Raises:
            ChatTemplateError: the chat template changes what it is given, so that the user's text cannot be told.
            ConversationError: the conversation contains itself, or is nested too deep.
        """
        kwargs.pop("sanitize_control_tokens", None)
        stand_ins = _StandIns(self.special_tokens)
        for name in kwargs.keys() - _NOT_FOR_THE_TEMPLATE:
            kwargs[name] = stand_ins.put(kwargs[name])
        if tools:
            tools, declaration = declared(tools)
            kwargs["tools_ts_str"] = stand_ins.put(declaration)
            tools = stand_ins.put(tools)
        check_conversation(conversation)
        conversation = stand_ins.put(conversation)
        options = {name: kwargs.pop(name) for name in OUTPUT if name in kwargs}
        rendered = functools.partial(
            super().apply_chat_template,
            conversation,
            tools=tools,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            thinking=thinking,
            preserve_thinking=preserve_thinking,
            **kwargs,
        )

        def render(**more: Any) -> Any:
            texts = rendered(**more)
            return [*map(stand_ins.prompt, texts)] if isinstance(texts, list) else stand_ins.prompt(texts)

        if options.get("return_assistant_tokens_mask"):
            return self._prompts_out(*self._generated(render, kwargs.get("chat_template"), tools), tokenize, options)
        prompt = render()
        is_batch = isinstance(prompt, list)
        return self._prompts_out(prompt if is_batch else [prompt], is_batch, None, tokenize, options)


class _StandIns:
    """Stand-ins for the control tokens in what is given to a template."""

    def __init__(self, names: Mapping[str, int]) -> None:
        self._name, self._part = _patterns(frozenset(names))
        self._mark = _letters(secrets.randbits(128))
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def put(self, value: Any) -> Any:
        """A value in which stand-ins are in place of control tokens, at any depth."""
        if isinstance(value, str):
            return self._part.sub(self._stand_in, self._name.sub(self._stand_in, value))
        if isinstance(value, Mapping):
            return {self.put(key): self.put(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.put(item) for item in value]
        return value

    def _stand_in(self, match: re.Match[str]) -> str:
        text = match.group()
        if text not in self._numbers:
            self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return f"{self._mark}{_letters(self._numbers[text])}Z"

    def prompt(self, rendered: str) -> Prompt:
        """A rendered text as a prompt, with what users wrote back in its place. Raises ChatTemplateError."""
        pieces: list[str] = []
        plain: list[tuple[int, int]] = []  # where what users wrote begins and ends
        size = start = 0
        for match in re.finditer(f"{self._mark}([A-P]+)Z", rendered):
            text = self._texts[_number(match[1])]
            pieces += rendered[start : match.start()], text
            size += match.start() - start
            plain.append((size, size + len(text)))
            size += len(text)
            start = match.end()
        whole = "".join([*pieces, rendered[start:]])
        if self._mark[:16].lower() in whole.lower():
            raise ChatTemplateError(
                "The chat template changes the letters of what it is given, so that control tokens in it cannot be "
                "kept as text. Load the tokenizer without text_is_plain, or use another template."
            )
        return Prompt(self._segments(whole, plain))

    def _segments(self, text: str, plain: list[tuple[int, int]]) -> list[Segment]:
        segments: list[Segment] = []
        start = 0
        places = iter([*plain, (len(text) + 1, len(text) + 1)])
        begin, end = next(places)
        for match in self._name.finditer(text):
            while end <= match.start():
                begin, end = next(places)
            is_users = begin < match.end()
            segments += Segment(text[start : match.start()], False), Segment(match.group(), not is_users)
            start = match.end()
        return [*segments, Segment(text[start:], False)]


@functools.lru_cache(maxsize=8)
def _patterns(names: frozenset[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """For a control token, and for the beginning of one at the end of a text, which the next text may go on with."""
    beginnings = {name[:length] for name in names for length in range(1, len(name))}
    any_name, any_beginning = (
        "|".join(map(re.escape, sorted(texts, key=len, reverse=True))) for texts in (names, beginnings)
    )
    return re.compile(any_name), re.compile(f"(?:{any_beginning})\\Z")


def _letters(number: int) -> str:
    return f"{number:x}".translate(_DIGITS)


def _number(letters: str) -> int:
    return int(letters.translate(_LETTERS), 16)


_DIGITS = str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP")
_LETTERS = str.maketrans("ABCDEFGHIJKLMNOP", "0123456789abcdef")
