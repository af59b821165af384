"""The tool calls in what Kimi-K3 writes. Its results are those of mlx-lm's parser for the same text.

    <|open|>call tool="get_weather" index="1"<|sep|>
      <|open|>argument key="city" type="string"<|sep|>Tokyo<|close|>argument<|sep|>
    <|close|>call<|sep|>

A call can hold `<|open|>json type="object"<|sep|>{…}<|close|>json<|sep|>` instead of arguments.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

START = "<|open|>tools<|sep|>"
END = "<|close|>tools<|sep|>"

_SEP = "<|sep|>"
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def parse_tool_call(text: str, tools: Any = None) -> list[dict[str, Any]]:
    """The calls between `START` and `END`, in order.

    Args:
        text: what the model wrote between the two marks.
        tools: not needed; part of mlx-lm's interface.

    Returns:
        For each call `name` ("get_weather") and `arguments`, a dict. Calls that cannot be read are left out.

    Raises:
        ValueError: there is no call in the text that can be read.
    """
    calls = []
    for attributes, body in _blocks(text, "call"):
        with contextlib.suppress(ValueError, RecursionError):
            if name := attributes.get("tool"):
                calls.append({"name": name, "arguments": _arguments(body)})
    if not calls:
        raise ValueError(f'No tool call found in {text[:80]!r}; expected `<|open|>call tool="NAME" …{_SEP}…`.')
    return calls


def _blocks(text: str, tag: str) -> Iterator[tuple[dict[str, str], str]]:
    """Attributes and content of every block of a kind, from its opening to the first closing after that."""
    opening, closing = f"<|open|>{tag}", f"<|close|>{tag}{_SEP}"
    at = text.find(opening)
    while at >= 0:
        begin = text.find(_SEP, at)
        end = text.find(closing, begin + len(_SEP)) if begin >= 0 else -1
        if end < 0:
            return
        written = _ATTRIBUTE.findall(text[at + len(opening) : begin])
        yield {key: _unescaped(value) for key, value in written}, text[begin + len(_SEP) : end]
        at = text.find(opening, end + len(closing))


def _unescaped(value: str) -> str:
    return value.replace("&quot;", '"').replace("&amp;", "&")


def _arguments(body: str) -> dict[str, Any]:
    """The arguments of a call. Raises ValueError where they cannot be read."""
    for _, written in _blocks(body, "json"):
        value = json.loads(written)
        if not isinstance(value, dict):
            raise ValueError("the JSON is no object")
        return value
    arguments = {}
    for attributes, written in _blocks(body, "argument"):
        if "key" not in attributes:
            raise ValueError("an argument has no key")
        is_text = attributes.get("type", "string") == "string"
        arguments[attributes["key"]] = written if is_text else _value(written)
    return arguments


def _value(written: str) -> Any:
    try:
        return json.loads(written)
    except json.JSONDecodeError:
        return written
