"""`canonical_tool_calls`: a conversation whose tool calls have the ids that Kimi K2 was trained with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CANONICAL = re.compile(r"functions\..+:[0-9]+", re.DOTALL)


def canonical_tool_calls(messages: Any) -> list[Any]:
    """The messages, with foreign ids of tool calls made into `functions.NAME:INDEX`; what is given is not changed.

    Kimi K2 writes such ids, with an index that runs over the whole conversation, and calls tools less reliably where a
    history has other ones. Results get the ids of the calls that they answer, by their `tool_call_id`, without one by
    their order. Ids that have this form stay. Kimi-K3 has no ids in its prompts and needs none of this.

    Raises:
        ConversationError: a message is malformed, or a result answers no call; it names the message.

    >>> calls = [{"id": "call_9f3a", "type": "function", "function": {"name": "now", "arguments": "{}"}}]
    >>> canonical_tool_calls([{"role": "assistant", "tool_calls": calls}])[0]["tool_calls"][0]["id"]
    'functions.now:0'
    """
    from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError, check_conversation

    check_conversation(messages)
    if not all(isinstance(message, Mapping) for message in messages):
        raise ConversationError("These are several conversations. Give the messages of one at a time.")
    taken = {call["id"] for message in messages for call in _calls(message) if _is_canonical(call)}
    result, number = [], 0
    answers: list[tuple[Any, str]] = []  # id and new id of the calls that wait for a result, the newest message's first
    for index, message in enumerate(messages):
        if calls := _calls(message):
            renamed = []
            for call in calls:
                renamed.append({**call, "id": _new_id(call, number, taken)})
                number += 1
            answers[:0] = [(old.get("id"), new["id"]) for old, new in zip(calls, renamed, strict=True)]
            message = {**message, "tool_calls": renamed}
        elif message["role"] == "tool":
            message = {**message, "tool_call_id": _answered(message, answers, f"Message {index}")}
        result.append(message)
    return result


def _calls(message: Mapping[str, Any]) -> Any:
    return (message["role"] == "assistant" and message.get("tool_calls")) or ()


def _is_canonical(call: Mapping[str, Any]) -> bool:
    prefix, index = f"functions.{call['function']['name']}:", str(call.get("id") or "")
    return index.startswith(prefix) and re.fullmatch("[0-9]+", index[len(prefix) :]) is not None


def _new_id(call: Mapping[str, Any], number: int, taken: set[str]) -> str:
    if _is_canonical(call):
        return str(call["id"])
    while (found := f"functions.{call['function']['name']}:{number}") in taken:
        number += 1
    taken.add(found)
    return found


def _answered(message: Mapping[str, Any], answers: list[tuple[Any, str]], where: str) -> str:
    """The new id of the call that a result answers; it no longer waits."""
    given = message.get("tool_call_id") or None
    for place, (old, new) in enumerate(answers):
        if given is None or given == old:
            del answers[place]
            return new
    if given is not None and _CANONICAL.fullmatch(given):
        return str(given)  # the call is no longer in the history
    from kimi_tokenizers.overlays.common.tokenization_kimi import ConversationError

    what = f"`tool_call_id` is {given[:80]!r}, which is" if given else "it has no `tool_call_id`, and there is"
    raise ConversationError(f"{where}: {what} {'no' if not given else 'that of no'} call before it that waits for one.")
