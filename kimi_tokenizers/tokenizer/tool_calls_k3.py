"""The tool calls in what Kimi-K3 writes. Its results are those of mlx-lm's parser for the same text.

    <|open|>call tool="get_weather" index="1"<|sep|>
      <|open|>argument key="city" type="string"<|sep|>Tokyo<|close|>argument<|sep|>
    <|close|>call<|sep|>

A call can hold `<|open|>json type="object"<|sep|>{…}<|close|>json<|sep|>` instead of arguments.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from typing import Any

from kimi_tokenizers.tokenizer.tool_call_results import Calls, ToolCallError, short

START = "<|open|>tools<|sep|>"
END = "<|close|>tools<|sep|>"

_SEP = "<|sep|>"
_ATTRIBUTE = re.compile(r'\b(\w+)="([^"]*)"')  # without \b, quadratic in a long word


_CALL, _END_OF_CALL = "<|open|>call", f"<|close|>call{_SEP}"


def parse_tool_call(text: str, tools: Any = None) -> list[dict[str, Any]]:
    """The calls between `START` and `END`, in order. The end of a call or of its last argument may be missing.

    Args:
        text: what the model wrote between the two marks.
        tools: not needed; part of mlx-lm's interface.

    Returns:
        For each call `name` ("get_weather") and `arguments`, a dict. Calls that cannot be read are left out; `problems`
        of the list says of each why, as does a line in the log.

    Raises:
        ToolCallError: a ValueError: there is no call in the text, or none that can be read.
    """
    calls, marks = Calls(), _Marks(text)
    at = marks.next(_CALL, 0)
    while at < len(text):
        call = _Call(marks, at)
        calls.add(call.read)
        at = marks.next(_CALL, max(call.end, at + 1))
    return calls.checked(text, f'<|open|>call tool="NAME" …{_SEP}…')


class _Marks:
    """A text, and where its marks are: each is looked for once, however often it is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._places: dict[str, list[int]] = {}

    def next(self, mark: str, at: int) -> int:
        """The first place of a mark from `at` on; the end of the text where there is none."""
        if mark not in self._places:
            self._places[mark] = [match.start() for match in re.finditer(re.escape(mark), self.text)]
        places = self._places[mark]
        number = bisect_left(places, at)
        return places[number] if number < len(places) else len(self.text)


class _Call:
    """A call, from its opening mark on. `end` is how far it has been read."""

    def __init__(self, marks: _Marks, at: int) -> None:
        self._marks, self._text = marks, marks.text
        self._at = self.end = at

    def read(self) -> dict[str, Any]:
        """Raises ToolCallError."""
        attributes = self._attributes(_CALL, self._at)
        arguments: dict[str, Any] = {}
        blocks, whole = 0, None
        while tag := self._next_block():
            blocks += 1
            attributes_of_block = self._attributes(f"<|open|>{tag}", self.end)
            written = self._content(tag)
            if tag == "json":
                whole = _object(written) if whole is None else whole
            elif "key" not in attributes_of_block:
                self._fail("an argument has no key")
            else:
                is_text = attributes_of_block.get("type", "string") == "string"
                arguments[attributes_of_block["key"]] = written if is_text else _value(written)
        if not blocks and not self._text.endswith(_END_OF_CALL, self._at, self.end):
            self._fail("it has no end")
        if not (name := attributes.get("tool")):
            self._fail("it has no `tool`")
        return {"name": name, "arguments": arguments if whole is None else whole}

    def _fail(self, why: str) -> None:
        raise ToolCallError(f"The tool call {short(self._text[self._at : self._at + 500], 300)} is malformed: {why}.")

    def _attributes(self, opening: str, at: int) -> dict[str, str]:
        """Those between an opening mark and the next separator, which is passed."""
        begin, end = at + len(opening), self._marks.next(_SEP, at)
        if end == len(self._text):
            self.end = end
            self._fail("it is cut off")
        self.end = end + len(_SEP)
        return {key: _unescaped(value) for key, value in _ATTRIBUTE.findall(self._text[begin:end])}

    def _next_block(self) -> str:
        """The tag of the next block in the call, whose opening mark is then `end`; "" where the call ends."""
        places = {tag: self._marks.next(f"<|open|>{tag}", self.end) for tag in ("argument", "json")}
        tag = min(places, key=places.__getitem__)
        closing = self._marks.next(_END_OF_CALL, self.end)
        if places[tag] < min(closing, self._marks.next(_CALL, self.end)):
            self.end = places[tag]
            return tag
        self.end = min(closing + len(_END_OF_CALL), self._marks.next(_CALL, self.end), len(self._text))
        return ""

    def _content(self, tag: str) -> str:
        """Up to the closing mark of the block, or to that of the call where the former is missing."""
        closing, begin = f"<|close|>{tag}{_SEP}", self.end
        end, end_of_call = self._marks.next(closing, begin), self._marks.next(_END_OF_CALL, begin)
        if min(end, end_of_call) == len(self._text):
            self.end = len(self._text)
            self._fail("it is cut off")
        self.end = end + len(closing) if end < end_of_call else end_of_call
        return self._text[begin : min(end, end_of_call)]


def _unescaped(value: str) -> str:
    return value.replace("&quot;", '"').replace("&amp;", "&")


def _object(written: str) -> dict[str, Any]:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ToolCallError(f"The arguments of a tool call are no JSON object: {short(written, 500)}.")
    return value


def _value(written: str) -> Any:
    try:
        return json.loads(written)
    except json.JSONDecodeError:
        return written
    except (ValueError, RecursionError) as error:
        raise ToolCallError(f"An argument of a tool call cannot be read ({error}): {short(written, 500)}.") from error
