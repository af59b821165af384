"""The tool calls in what a Kimi K2 model writes. What mlx-lm's parser reads is read the same.

Beyond that: a malformed call does not take the others with it, ids of another form than `functions.NAME:INDEX` are
read where only one function can be meant, and marks that are missing or doubled do no harm. Linear in the text.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from kimi_tokenizers.tokenizer.tool_call_names import function_name, names_of
from kimi_tokenizers.tokenizer.tool_call_results import Calls, ToolCallError, short

START = "<|tool_calls_section_begin|>"
END = "<|tool_calls_section_end|>"

_BEGIN, _ARGUMENTS, _END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
_SPACE = r"[^\S\x1c-\x1f]*"  # these four are whitespace to Python, and not to mlx-lm
_LEADING = re.compile(_SPACE)
_INDEX = re.compile(rf":\d+(?={_SPACE}{re.escape(_ARGUMENTS)})")
_AFTER_MARK = re.compile(rf"{re.escape(_ARGUMENTS)}{_SPACE}(.*)", re.DOTALL)
# Up to Python 3.10 a chain such as `a.a.a…` of some 100,000 characters ends the whole process when it is compiled.
_LONGEST_LITERAL = sys.maxsize if sys.version_info >= (3, 11) else 20_000
_MARKS = re.compile(r"<\|tool_call_(?:begin|end)\|>|<\|tool_calls?_section_(?:begin|end)\|>|</?think>")


def parse_tool_call(text: str, tools: Any = None) -> list[dict[str, Any]]:
    """The calls between `START` and `END`, in order.

    Args:
        text: what the model wrote between the two marks (or one bare call: id, argument mark, arguments).
        tools: the functions that it could call, as JSON schemas: they settle which one an odd id means.

    Returns:
        For each call `id` ("functions.get_weather:0"), `name` ("get_weather") and `arguments`: the parsed JSON (or
        Python literal). Calls that cannot be read are left out; `problems` of the list says of each why, as does a
        line in the log.

    Raises:
        ToolCallError: a ValueError: there is no call in the text, or none that can be read. It shows the arguments.
    """
    calls = Calls()
    blocks = list(_blocks(text)) or [text]
    for block in blocks:
        try:
            calls.append(_parse(block, tools))
        except ToolCallError as error:
            parts = [part for part in _MARKS.split(block) if _ARGUMENTS in part]
            for part in parts if parts not in ([], [block]) else []:
                calls.add(_parse, part, tools)
            if parts in ([], [block]):
                calls.problems.append(str(error))
    return calls.checked(text, f"functions.NAME:INDEX{_ARGUMENTS}ARGUMENTS")


def _blocks(text: str) -> Iterator[str]:
    begin = text.find(_BEGIN)
    while begin >= 0:
        begin += len(_BEGIN)
        end = text.find(_END, begin)
        if end < 0:
            return
        yield text[begin:end]
        begin = text.find(_BEGIN, end)


def _parse(call: str, tools: Any) -> dict[str, Any]:
    found = _AFTER_MARK.search(call)
    if not found:
        raise ToolCallError(f"No tool call found in {short(call)}; it has no {_ARGUMENTS}.")
    arguments = _value(found[1], call)
    identity = _id_and_name(call)
    if identity is None:
        written = call[: found.start()].strip()
        identity = written, function_name(written, arguments, tools)
    elif (names := names_of(tools)) and identity[1] not in names:
        if _MARKS.search(identity[0]):
            raise ToolCallError(f"The tool call {short(identity[0])} has marks in its id.")
        with contextlib.suppress(ToolCallError):  # then it is what it says
            identity = identity[0], function_name(identity[0], None, tools)
    return {"id": identity[0], "name": identity[1], "arguments": arguments}


def _id_and_name(call: str) -> tuple[str, str] | None:
    """Of an id `functions.NAME:INDEX` or `NAME:INDEX`, to the first index that an argument mark follows."""
    start = _LEADING.match(call).end()  # type: ignore[union-attr]  # it matches nothing, too
    prefix = len("functions.") if call.startswith("functions.", start) else 0
    for begin, skipped in ((start, prefix), (start, 0), (start - 1, 0)):
        if begin >= 0 and (index := _INDEX.search(call, begin + skipped + 1)):
            return call[begin : index.end()], call[begin + skipped : index.start()]
    return None


def _value(arguments: str, call: str) -> Any:
    if not arguments.strip():
        return {}
    for parse in (json.loads, ast.literal_eval):  # models sometimes write Python's True and None
        if parse is ast.literal_eval and len(arguments) > _LONGEST_LITERAL:
            break
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                return parse(arguments)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):  # TypeError: "{{}}"
            continue
    written = call.partition(_ARGUMENTS)[0].strip()
    raise ToolCallError(f"The arguments of the tool call {short(written)} are no JSON: {short(arguments, 500)}.")
