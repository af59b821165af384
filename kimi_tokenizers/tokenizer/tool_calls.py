"""The tool calls in what a Kimi K2 model writes. Its results are those of mlx-lm's parser for the same text."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

START = "<|tool_calls_section_begin|>"
END = "<|tool_calls_section_end|>"

_CALL = re.compile(r"<\|tool_call_begin\|>(.*?)<\|tool_call_end\|>", re.DOTALL)
_ARGUMENTS = "<|tool_call_argument_begin|>"
_SPACE = r"[^\S\x1c-\x1f]*"  # these four are whitespace to Python, and not to mlx-lm
_ID = re.compile(rf"{_SPACE}((?:functions\.)?(.+?):\d+){_SPACE}{re.escape(_ARGUMENTS)}", re.DOTALL)
_AFTER_MARK = re.compile(rf"{re.escape(_ARGUMENTS)}{_SPACE}(.*)", re.DOTALL)


def parse_tool_call(text: str, tools: Any = None) -> list[dict[str, Any]]:
    """The calls between `START` and `END`, in order.

    Args:
        text: what the model wrote between the two marks (or one bare call: id, argument mark, arguments).
        tools: not needed; part of mlx-lm's interface.

    Returns:
        For each call `id` ("functions.get_weather:0"), `name` ("get_weather") and `arguments`: the parsed JSON (or
        Python literal), else the text itself.

    Raises:
        ValueError: there is no call in the text.
    """
    return [_parse(call) for call in _CALL.findall(text) or [text]]


def _parse(call: str) -> dict[str, Any]:
    arguments = _AFTER_MARK.search(call)
    match = arguments and _ID.match(call)
    if not match or not arguments:
        raise ValueError(f"No tool call found in {call[:80]!r}; expected `functions.NAME:INDEX{_ARGUMENTS}ARGUMENTS`.")
    return {"id": match[1], "name": match[2], "arguments": _value(arguments[1])}


def _value(arguments: str) -> Any:
    for parse in (json.loads, ast.literal_eval):  # models sometimes write Python's True and None
        try:
            return parse(arguments)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):  # TypeError: "{{}}"
            continue
    return arguments
