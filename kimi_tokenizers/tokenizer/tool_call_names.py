"""Which function a tool call means whose id is not `functions.NAME:INDEX`. Where that cannot be told, an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kimi_tokenizers.errors import ToolCallError
from kimi_tokenizers.tokenizer.tool_call_results import short

_PREFIX = r"(?:functions?[.:_\-/ ]?)?"
# Without a list of tools, both the prefix and the index have to be there.
_FOREIGN = re.compile(r"functions?[.:_\-/ ]?([A-Za-z_][\w.\-]*?)[.:_\-# ]?[0-9]{1,9}")


def function_name(written: str, arguments: Any, tools: Any) -> str:
    """The name of the function.

    Args:
        written: the id of the call as the model wrote it, for example "functions_read_file_1" or "call_9f3a".
        arguments: those of the call; a function that takes no such ones is not meant by an id that names none.
        tools: the functions that there are, as JSON schemas; or nothing.

    Raises:
        ToolCallError: none of them is meant, or it could be more than one.
    """
    functions = dict(_functions(tools))
    if not functions:
        if len(written) <= 256 and (match := _FOREIGN.fullmatch(written)):
            return match[1]
        raise ToolCallError(f"Which function the tool call {short(written)} means cannot be told from its id.")
    with_index = [name for name in functions if _is_id_of(name, written, r"[.:_\-# ]?[0-9]+")]
    without = [name for name in functions if _is_id_of(name, written, "")]
    fitting = [name for name, schema in functions.items() if _takes(schema, arguments)]
    for candidates in (with_index, without, fitting):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            break
    raise ToolCallError(
        f"Which function the tool call {short(written)} means cannot be told: "
        + (f"it could be {', '.join(map(short, candidates[:5]))}." if candidates else "it names none that there is.")
    )


def names_of(tools: Any) -> set[str]:
    """The names of the functions that there are."""
    return {name for name, _ in _functions(tools)}


def _is_id_of(name: str, written: str, index: str) -> bool:
    return name in written and re.fullmatch(f"{_PREFIX}{re.escape(name)}{index}", written) is not None


def _functions(tools: Any) -> Iterator[tuple[str, Any]]:
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        function = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping) and isinstance(name := function.get("name"), str) and name:
            yield name, function.get("parameters")


def _takes(schema: Any, arguments: Any) -> bool:
    """Whether a function takes arguments of such names, and requires no others."""
    schema = schema if isinstance(schema, Mapping) else {}
    known, required = schema.get("properties"), schema.get("required")
    names = {*known} if isinstance(known, Mapping) else set()
    needed = {*map(str, required)} if isinstance(required, (list, tuple)) else set()
    return isinstance(arguments, dict) and needed <= arguments.keys() <= names
