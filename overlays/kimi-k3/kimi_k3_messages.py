"""The messages of a Kimi-K3 conversation as segments of its prompt, and what they are written with.

Markup are the four control tokens below, each a segment of its own, and image prompts. Everything that a user can
write is plain text. Whatever is wrong with a message is a `ConversationError` that begins with its index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    from .kimi_tiktoken import ConversationError, Generated, Segment
except ImportError:  # inside the package, where that file has its own name
    from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError, Generated, Segment

from .kimi_k3_values import compact, parsed, short, spaced, type_name

OPEN, CLOSE, SEP, END_OF_MSG = (Segment(name, True) for name in ("<|open|>", "<|close|>", "<|sep|>", "<|end_of_msg|>"))
IMAGE_PLACEHOLDER = "<|kimi_image_placeholder|>"

_MORE_TOOLS = (
    "## New Tools Available\nThe system dynamically extends the toolset via lazy-loading.\n"
    "You have access to all existing and extended tools.\nHere are the specs for the extended tools.\n\n"
)

Segments = list[Segment]
Attributes = list[tuple[str, str]]
Written = list[tuple[int, Segments, Segments]]
"""Of every message: its index, its segments up to the end of its content, and those that follow."""


class Images:
    """The image prompts, handed out one by one; None where a placeholder is written instead."""

    def __init__(self, prompts: Any) -> None:
        if prompts is not None and (
            not isinstance(prompts, (list, tuple)) or not all(isinstance(prompt, str) for prompt in prompts)
        ):
            raise ConversationError("image_prompts must be a list of texts, one for each image.")
        self.prompts: Sequence[str] | None = prompts
        self.taken = 0
        self.last = "none of the messages"

    def take(self, where: str) -> Segment:
        self.last = where
        if self.prompts is None:
            return Segment(IMAGE_PLACEHOLDER, False)
        if self.taken == len(self.prompts):
            raise ConversationError(
                f"{where} has an image more than there are image_prompts ({len(self.prompts)}). Give one for each."
            )
        self.taken += 1
        return Segment(self.prompts[self.taken - 1], True)

    def text(self, text: str, where: str) -> Segments:
        """A text; with image prompts, a placeholder inside it takes one as well."""
        if not self.prompts:
            return [Segment(text, False)]
        first, *rest = text.split(IMAGE_PLACEHOLDER)
        result = [Segment(first, False)]
        for part in rest:
            result += self.take(where), Segment(part, False)
        return result

    def check_all_taken(self) -> None:
        if self.prompts is not None and self.taken < len(self.prompts):
            raise ConversationError(
                f"There are {len(self.prompts)} image_prompts, but only {self.taken} taken: the last by {self.last}. "
                "Give one for each image."
            )


class _Turn:
    """What has been said since the last assistant message, which tool results are told by."""

    def __init__(self, calls: Sequence[Mapping[str, Any]] = ()) -> None:
        self.calls = calls
        self.results = 0


# -- markup --------------------------------------------------------------------------------------------


def opened(tag: str, attributes: Attributes = []) -> Segments:  # noqa: B006 (never changed)
    segments = [OPEN, Segment(tag, False)]
    for key, value in attributes:
        value = value.replace("&", "&amp;").replace('"', "&quot;")
        segments += (Segment(text, False) for text in (f" {key}", '="', value, '"'))
    return [*segments, SEP]


def _close(tag: str) -> Segments:
    return [CLOSE, Segment(tag, False), SEP]


def _generated(segments: Segments) -> Segments:
    return [Generated(*segment) for segment in segments]


_END = [*_close("message"), END_OF_MSG]


def _message(attributes: Attributes, body: Segments) -> Segments:
    return [*opened("message", attributes), *body, *_END]


def system(kind: str, text: str) -> Segments:
    return _message([("role", "system"), ("type", kind)], [Segment(text, False)])


def json_block(value: Any, where: str) -> str:
    return f"```json\n{compact(value, where)}\n```"


def tools_block(tools: Any, where: str) -> str:
    """The schemas of tools, each of which is an object."""
    if not isinstance(tools, (list, tuple)):
        raise ConversationError(f"{where} is {short(tools)}, not a list of JSON schemas.")
    for number, tool in enumerate(tools):
        if not isinstance(tool, Mapping):
            raise ConversationError(f"{where}: number {number} is {short(tool)}, not a JSON schema or a function.")
        compact(tool, f"{where}: number {number}")
    return json_block(tools, where)


# -- what is in a message ------------------------------------------------------------------------------


def _text(message: Mapping[str, Any], key: str, where: str) -> str:
    """A field that is a text, or nothing."""
    value = message.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConversationError(f"{where}: `{key}` must be a text, not {short(value)}.")
    return value


def _named(role: str, message: Mapping[str, Any], where: str) -> Attributes:
    name = _text(message, "name", where)
    return [("role", role), ("name", name)] if name else [("role", role)]


def _content(message: Mapping[str, Any], where: str, images: Images) -> Segments:
    content = message.get("content")
    if content is None:
        return []
    if isinstance(content, str):
        return images.text(content, where)
    if not isinstance(content, (list, tuple)):
        raise ConversationError(
            f"{where}: `content` must be a text, nothing, or a list of parts, not {short(content)}."
        )
    segments: Segments = []
    for number, part in enumerate(content):
        if not isinstance(part, Mapping):
            raise ConversationError(f"{where}: part {number} of `content` must be an object, not {short(part)}.")
        if part.get("type") in ("image", "image_url"):
            segments.append(images.take(where))
        elif isinstance(part.get("text"), str):
            segments += images.text(part["text"], where)
        else:
            raise ConversationError(
                f"{where}: part {number} of `content`, of type {short(part.get('type'))}, is no image, and has no text."
            )
    return segments


def _function(call: Any, where: str) -> Mapping[str, Any]:
    """The function of a tool call: an object with `name` and `arguments`."""
    function = call.get("function", call) if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise ConversationError(f"{where} must be an object with a `function`, not {short(call)}.")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise ConversationError(f"{where} must have a function `name`, not {short(name)}.")
    return function


def tool_calls_of(message: Mapping[str, Any], where: str) -> Sequence[Mapping[str, Any]]:
    calls = message.get("tool_calls")
    if calls is None:
        return ()
    if not isinstance(calls, (list, tuple)):
        raise ConversationError(f"{where}: `tool_calls` must be a list, not {short(calls)}.")
    for number, call in enumerate(calls):
        _function(call, f"{where}: tool call {number}")
    return calls


def _arguments(arguments: Any, where: str) -> Segments:
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return []
    if isinstance(arguments, str):
        text = arguments
        is_json, arguments = parsed(text, where)
        if not is_json:
            return [*opened("json", [("type", "object")]), Segment(text, False), *_close("json")]
    if not isinstance(arguments, dict):
        raise ConversationError(f"{where} must be an object, or JSON of one, not {short(arguments)}.")
    segments: Segments = []
    for key, value in arguments.items():
        if not isinstance(key, str):
            raise ConversationError(f"{where} have the key {short(key)}, but keys must be text.")
        written = spaced(value, where)  # also where it is a text, to see that it is no other thing
        text = value if isinstance(value, str) else written
        segments += opened("argument", [("key", key), ("type", type_name(value))])
        segments += [Segment(text, False), *_close("argument")]
    return segments


def _assistant(message: Mapping[str, Any], where: str, images: Images, thinking: bool) -> tuple[Segments, Segments]:
    """An assistant message's body: up to the end of its content, and what follows.

    What the model writes begins where the generation prompt ends; an empty think block is none of it.
    """
    body: Segments = []
    response = opened("response")
    if thinking:
        reasoning = _text(message, "reasoning_content", where) or _text(message, "reasoning", where)
        body = [*opened("think"), *_close("think")]
        if reasoning.strip():
            body = [*opened("think"), *_generated([Segment(reasoning, False), *_close("think")])]
        response = _generated(response)
    body += [*response, *_generated(_content(message, where, images))]
    rest = _close("response")
    calls = tool_calls_of(message, where)
    if calls:
        rest += opened("tools")
        for index, call in enumerate(calls, 1):
            function = _function(call, where)
            rest += opened("call", [("tool", function["name"]), ("index", str(index))])
            rest += _arguments(function.get("arguments"), f"{where}: the arguments of tool call {index - 1}")
            rest += _close("call")
        rest += _close("tools")
    return body, _generated([*rest, *_END])


def _result_name(message: Mapping[str, Any], call: Mapping[str, Any] | None, where: str) -> str:
    name = _text(message, "tool", where) or _text(message, "name", where)
    if not name and call is not None:
        name = _function(call, where)["name"]
    if not name:
        raise ConversationError(
            f"{where}: the result of which tool this is cannot be told: it has no `tool` and no `name`, and the last "
            "assistant message has no call at its position."
        )
    return name


def _identity(item: Any, *keys: str) -> str | None:
    values = [item.get(key) for key in keys]
    return next((value for value in values if isinstance(value, str) and value), None)


def _in_order(run: list[tuple[int, Any]], turn: _Turn) -> list[tuple[int, Any, Mapping[str, Any] | None]]:
    """A run of tool results, (index, message) each, in the order of the calls that they answer, with those calls.

    Where not every one of them answers a call, they stay in their order, and have no call.
    """
    places: dict[str, int] = {}
    for place, call in enumerate(turn.calls):
        places.setdefault(_identity(call, "id") or "", place)
    found = [places.get(_identity(message, "tool_call_id", "id") or "\0") for _, message in run]
    if None in found:
        return [(index, message, None) for index, message in run]
    order = sorted(zip(found, run), key=lambda item: item[0] or 0)  # noqa: B905 (equally long)
    return [(index, message, turn.calls[place or 0]) for place, (index, message) in order]


def _results(run: list[tuple[int, Any]], turn: _Turn, images: Images) -> Written:
    written = []
    for index, message, call in _in_order(run, turn):
        where = f"Message {index}"
        if call is not None:
            name = _function(call, where)["name"]
        else:
            position = turn.calls[turn.results] if turn.results < len(turn.calls) else None
            name = _result_name(message, position, where)
        turn.results += 1
        attributes = [("role", "tool"), ("tool", name), ("index", str(turn.results))]
        written.append((index, [*opened("message", attributes), *_content(message, where, images)], _END))
    return written


# -- the messages --------------------------------------------------------------------------------------


def _role(message: Any, index: int) -> str:
    if not isinstance(message, Mapping):
        raise ConversationError(f"Message {index} must be an object with `role` and `content`, not {short(message)}.")
    role = message.get("role")
    if not isinstance(role, str):
        raise ConversationError(f"Message {index} must have a `role` that is a text, not {short(role)}.")
    return role


def written_messages(messages: Sequence[Any], images: Images, thinking: bool) -> Written:
    """The messages as segments. Raises ConversationError."""
    written: Written = []
    turn = _Turn()
    run: list[tuple[int, Any]] = []
    roles = [_role(message, index) for index, message in enumerate(messages)]
    for index, (message, role) in enumerate(zip(messages, roles)):  # noqa: B905 (equally long)
        where = f"Message {index}"
        if role == "tool":
            run.append((index, message))
            if roles[index + 1 : index + 2] != ["tool"]:
                written += _results(run, turn, images)
                run = []
        elif role == "assistant":
            body, rest = _assistant(message, where, images, thinking)
            written.append((index, [*opened("message", _named(role, message, where)), *body], rest))
            turn = _Turn(tool_calls_of(message, where))
        elif role == "system" and message.get("tools"):
            text = _MORE_TOOLS + tools_block(message["tools"], f"{where}: `tools`")
            written.append((index, system("tool-declare", text), []))
        elif role in ("system", "user"):
            head = [*opened("message", _named(role, message, where)), *_content(message, where, images)]
            written.append((index, head, _END))
    return written
