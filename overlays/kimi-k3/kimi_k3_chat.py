"""Kimi-K3's chat: a conversation as a prompt, in segments.

A prompt is a list of segments, each markup or plain text, and its ids are those of the segments one after the other:
so a user's text cannot forge markup. Kimi-K3 has no chat template; this is written to the facts of its format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

try:
    from .kimi_tiktoken import ConversationError, Prompt
except ImportError:  # inside the package, where that file has its own name
    from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError, Prompt

from .kimi_k3_messages import (
    Images,
    Segments,
    Written,
    json_block,
    opened,
    system,
    tool_calls_of,
    tools_block,
    written_messages,
)
from .kimi_k3_values import short

EFFORTS = ("low", "high", "max")

_TOOLS = "# Tools\nHere are the available tools, described in JSONSchema.\n\n"
_EFFORT = (
    "`thinking_effort` guides on how much to think in your thinking channel (not including the response channel), "
    "supported values include `low`, `medium`, `high`, and `max`.\nNow the system is invoked with `thinking_effort={}`."
)
_CHOICES = {
    "required": "The system is invoked with `tool_choice=required`.\nYou MUST call tools in the next message.",
    "none": "The system is invoked with `tool_choice=none`.\nYou MUST NOT call any tools in the next message.",
}
_FORMAT = (
    "The system is invoked with `response_format={}`.\n"
    "Your response must be raw JSON data without markdown code blocks (```json) or any additional formatting."
)
_SCHEMA = "\nThe JSON data must match the following schema:\n"


def _schema(response_format: Any, response_schema: Any) -> Any:
    given = response_format.get("json_schema") if isinstance(response_format, Mapping) else None
    inside = given if isinstance(given, Mapping) else {}
    for schema in (response_schema, inside.get("schema"), inside.get("json_schema"), given):
        if schema is not None:
            return schema
    raise ConversationError("response_format is json_schema, but there is no schema. Give one as response_schema.")


def _after(tool_choice: Any, response_format: Any, response_schema: Any) -> Segments:
    """The system messages after the conversation."""
    segments: Segments = []
    if isinstance(tool_choice, str) and tool_choice in _CHOICES:
        segments += system("tool-choice", _CHOICES[tool_choice])
    if response_format is not None and not isinstance(response_format, (str, Mapping)):
        raise ConversationError(f"`response_format` is a {type(response_format).__name__}, not an object or its type.")
    kind = response_format.get("type") if isinstance(response_format, Mapping) else response_format
    if isinstance(kind, str) and kind in ("json_object", "json_schema"):
        text = _FORMAT.format(kind)
        if kind == "json_schema":
            text += _SCHEMA + json_block(_schema(response_format, response_schema), "The response schema")
        segments += system("response-format", text)
    return segments


def _before(tools: Any, thinking: bool, thinking_effort: Any) -> Segments:
    """The system messages before the conversation."""
    segments: Segments = []
    if tools is not None and (tools or not isinstance(tools, (list, tuple))):
        segments += system("tool-declare", _TOOLS + tools_block(tools, "`tools`"))
    if thinking and thinking_effort is not None:
        if not isinstance(thinking_effort, str) or thinking_effort not in EFFORTS:
            raise ConversationError(
                f"thinking_effort must be {', '.join(EFFORTS)} or None, not {short(thinking_effort)}."
            )
        segments += system("thinking-effort", _EFFORT.format(thinking_effort))
    return segments


def render(
    messages: Sequence[Any],
    *,
    tools: Any = None,
    add_generation_prompt: bool = True,
    continue_final_message: bool = False,
    thinking: bool = True,
    thinking_effort: str | None = "max",
    tool_choice: Any = None,
    response_format: Any = None,
    response_schema: Any = None,
    image_prompts: Any = None,
) -> Prompt:
    """The prompt of one conversation. `TikTokenTokenizer.apply_chat_template` says what the arguments are.

    Raises:
        ConversationError: no prompt can be made of it; the message says of which message that is.
    """
    images = Images(image_prompts)
    segments = _before(tools, thinking, thinking_effort)
    written = written_messages(messages, images, thinking)
    images.check_all_taken()
    after = _after(tool_choice, response_format, response_schema)
    if continue_final_message:
        return Prompt([*segments, *_up_to_the_end_of_the_last(messages, written, bool(after))])
    for _, head, rest in written:
        segments += [*head, *rest]
    segments += after
    if add_generation_prompt:
        segments += [*opened("message", [("role", "assistant")]), *opened("think" if thinking else "response")]
    return Prompt(segments)


def _up_to_the_end_of_the_last(messages: Sequence[Any], written: Written, followed: bool) -> Segments:
    """The messages, without what ends the last one, so that the model goes on in its content."""
    last = len(messages) - 1
    if not messages:
        raise ConversationError("There is no message to continue.")
    if not written or written[-1][0] != last or not written[-1][2]:
        raise ConversationError(f"Message {last} is not what the prompt ends with, so it cannot be continued.")
    if followed or tool_calls_of(messages[last], f"Message {last}"):
        raise ConversationError(
            f"Message {last} cannot be continued: its tool calls, tool_choice or response_format would come after it."
        )
    segments = [segment for _, head, rest in written[:-1] for segment in (*head, *rest)]
    return [*segments, *written[-1][1]]
