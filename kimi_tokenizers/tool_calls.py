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
_ID = re.compile(r"(?:functions\.)?(.+):\d+", re.DOTALL)


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
    call_id, mark, arguments = call.partition(_ARGUMENTS)
    match = _ID.fullmatch(call_id.strip())
    if not mark or not match:
        raise ValueError(f"No tool call found in {call[:80]!r}; expected `functions.NAME:INDEX{_ARGUMENTS}ARGUMENTS`.")
    return {"id": call_id.strip(), "name": match.group(1), "arguments": _value(arguments.lstrip())}


def _value(arguments: str) -> Any:
    for parse in (json.loads, ast.literal_eval):  # models sometimes write Python's True and None
        try:
            return parse(arguments)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return arguments
