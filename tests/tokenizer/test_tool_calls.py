"""Tool calls as models write them in practice: none is lost, and none is made up."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

import kimi_tokenizers as kt
from kimi_tokenizers.errors import ToolCallError
from kimi_tokenizers.tokenizer import tool_calls, tool_calls_k3
from kimi_tokenizers.tokenizer.tool_call_results import Calls

BEGIN, ARGUMENTS, END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"


def tool(name: str, *properties: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {key: {} for key in properties}, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("read_file", "path"), tool("exec", "command"), tool("exec5", "x"), tool("now")]


def call(written: str, arguments: str = "{}") -> str:
    return f"{BEGIN}{written}{ARGUMENTS}{arguments}{END}"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *((text, "read_file") for text in ("functions_read_file_1", "functions.read_file", "read_file", "read_file_3")),
        *((text, "read_file") for text in ("functions-read_file-1", "function.read_file:2", "functionsread_file12")),
        *((text, "exec") for text in ("functionsexec5", "functions.exec_0", "exec:0", "functions.exec:0")),
        ("functions.exec5", "exec"),  # an id has an index
        ("functions.exec57", "exec"),
        ("exec5_7", "exec5"),
    ],
)
def test_the_tool_list_settles_which_name_is_meant(written: str, name: str) -> None:
    if written == "functions.exec57":  # index 57 of the one, or 7 of the other
        with pytest.raises(ToolCallError, match="could be"):
            tool_calls.parse_tool_call(call(written), TOOLS)
        return
    assert tool_calls.parse_tool_call(call(written), TOOLS) == [{"id": written, "name": name, "arguments": {}}]


def test_an_id_without_a_name_is_settled_by_what_the_functions_take() -> None:
    [found] = tool_calls.parse_tool_call(call("call_9f3a", '{"path": "a"}'), TOOLS)
    assert found == {"id": "call_9f3a", "name": "read_file", "arguments": {"path": "a"}}
    for arguments in ('{"other": 1}', "{}"):
        with pytest.raises(ToolCallError, match="cannot be told"):
            tool_calls.parse_tool_call(call("call_9f3a", arguments), [*TOOLS, tool("today")])


@pytest.mark.parametrize(("written", "name"), [("functions_read_file_1", "read_file"), ("functionsexec5", "exec")])
def test_without_a_list_only_what_is_unambiguous_is_read(written: str, name: str) -> None:
    assert tool_calls.parse_tool_call(call(written))[0]["name"] == name
    for other in ("call_9f3a", "read_file", "toolu_01", "", "functions.f"):
        with pytest.raises(ToolCallError, match="cannot be told"):
            tool_calls.parse_tool_call(call(other))


def test_a_malformed_call_does_not_take_the_others_with_it(caplog: pytest.LogCaptureFixture) -> None:
    text = call("functions.a:0") + call("functions.b:1", '{"x": \x1b[31m') + call("functions.c:2")
    with caplog.at_level(logging.WARNING, "kimi_tokenizers"):
        found = tool_calls.parse_tool_call(text)
    assert isinstance(found, Calls)
    assert [item["name"] for item in found] == ["a", "c"]
    [problem] = found.problems
    assert "functions.b:1" in problem
    assert "\x1b" not in problem
    assert problem in caplog.text


def test_arguments_that_are_no_json_are_shown() -> None:
    with pytest.raises(ToolCallError, match=r"functions\.f:0.*no JSON.*path: a"):
        tool_calls.parse_tool_call(call("functions.f:0", "{path: a"))
    assert tool_calls.parse_tool_call(call("functions.f:0", " "))[0]["arguments"] == {}


@pytest.mark.parametrize(
    "text",
    [
        f"<|tool_calls_section_begin|>{call('functions.f:0')}<|tool_calls_section_end|>",
        f"<|tool_call_section_begin|>{call('functions.f:0')}<|tool_call_section_end|>",
        f"<|tool_call_section_begin|>functions.f:0{ARGUMENTS}{{}}<|tool_call_section_end|>",
        f"<think>I call it: {call('functions.f:0')}</think>",
        f"<think>functions.f:0{ARGUMENTS}{{}}</think>",
        f"functions.f:0{ARGUMENTS}{{}}{END}",
        f"functions.f:0{ARGUMENTS}{{}}<|tool_calls_section_end|>",
    ],
)
def test_marks_that_are_missing_or_of_another_form(text: str) -> None:
    assert tool_calls.parse_tool_call(text) == [{"id": "functions.f:0", "name": "f", "arguments": {}}]


def test_a_name_with_a_mark_in_it_is_read_as_mlx_lm_does_unless_the_tools_say_otherwise() -> None:
    text = f"{BEGIN}functions.now:0{ARGUMENTS}{{}}"
    assert tool_calls.parse_tool_call(text, TOOLS) == [{"id": "functions.now:0", "name": "now", "arguments": {}}]


def test_an_end_that_is_missing_between_two() -> None:
    text = f"{BEGIN}functions.f:0{ARGUMENTS}{{}}{BEGIN}functions.g:1{ARGUMENTS}{{}}{END}"
    assert [item["name"] for item in tool_calls.parse_tool_call(text)] == ["f", "g"]


@pytest.mark.parametrize("mark", [BEGIN, ARGUMENTS, END, ":0", "f:0", " ", f"{BEGIN}f:0", f":0{ARGUMENTS}"])
def test_many_marks(mark: str) -> None:
    """Each takes a moment; if the time grew with the square of the text, it would be minutes."""
    with pytest.raises(ToolCallError):
        tool_calls.parse_tool_call(mark * 100_000)


# Kimi-K3

K3_OPEN = '<|open|>call tool="f" index="1"<|sep|>'
K3_CITY = '<|open|>argument key="city" type="string"<|sep|>Tokyo'
K3_END, K3_END_OF_ARGUMENT = "<|close|>call<|sep|>", "<|close|>argument<|sep|>"


def test_a_missing_end_in_k3() -> None:
    expected = [{"name": "f", "arguments": {"city": "Tokyo"}}]
    whole = K3_OPEN + K3_CITY + K3_END_OF_ARGUMENT
    for text in (whole + K3_END, whole, K3_OPEN + K3_CITY + K3_END):
        assert tool_calls_k3.parse_tool_call(text) == expected
    assert tool_calls_k3.parse_tool_call(whole + whole + K3_END) == expected * 2
    found = tool_calls_k3.parse_tool_call(whole + K3_END + K3_OPEN + K3_CITY)  # cut off: what follows is not known
    assert isinstance(found, Calls)
    assert found == expected
    assert "cut off" in found.problems[0]
    with pytest.raises(ToolCallError, match=r"no JSON object.*oops"):
        tool_calls_k3.parse_tool_call(f"{K3_OPEN}<|open|>json<|sep|>oops<|close|>json<|sep|>{K3_END}")


@pytest.mark.parametrize("mark", ["<|open|>call", K3_OPEN, K3_CITY, K3_END, "<|open|>", "<|sep|>", K3_OPEN + K3_CITY])
def test_many_marks_in_k3(mark: str) -> None:
    with pytest.raises(ToolCallError):
        tool_calls_k3.parse_tool_call(mark * 10_000)


# Canonical ids


def asked(*calls: tuple[str | None, str]) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": given, "type": "function", "function": {"name": name}} for given, name in calls],
    }


def answer(given: str | None) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": given, "content": str(given)}


def ids(messages: list[Any]) -> list[Any]:
    return [
        [call["id"] for call in message.get("tool_calls") or ()] or message.get("tool_call_id") for message in messages
    ]


def test_foreign_ids_become_those_that_kimi_was_trained_with() -> None:
    messages = [
        {"role": "user", "content": "x"},
        asked(("call_a", "f"), ("call_b", "g")),
        answer("call_b"),
        answer("call_a"),
        asked(("call_a", "f")),  # some clients begin anew in every turn
        answer("call_a"),
        asked((None, "f"), (None, "h")),
        answer(None),
        answer(None),
    ]
    before = copy.deepcopy(messages)
    found = kt.canonical_tool_calls(messages)
    assert messages == before
    assert ids(found) == [
        None,
        ["functions.f:0", "functions.g:1"],
        "functions.g:1",
        "functions.f:0",
        ["functions.f:2"],
        "functions.f:2",
        ["functions.f:3", "functions.h:4"],
        "functions.f:3",
        "functions.h:4",
    ]
    assert kt.canonical_tool_calls(found) == found
    assert "call_a" in kt.load().apply_chat_template(messages)
    assert "## Return of functions.f:2" in kt.load().apply_chat_template(found)


def test_ids_that_are_canonical_stay_and_none_is_given_twice() -> None:
    messages = [asked(("x", "f")), answer("x"), asked(("functions.f:0", "f")), answer("functions.f:0")]
    assert ids(kt.canonical_tool_calls(messages)) == [
        ["functions.f:1"],
        "functions.f:1",
        ["functions.f:0"],
        "functions.f:0",
    ]
    assert ids(kt.canonical_tool_calls([answer("functions.gone:7")])) == ["functions.gone:7"]


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([answer("x")], "Message 0: .*'x'"),
        ([asked(("a", "f")), answer("a"), answer("a")], "Message 2: .*'a'"),
        ([answer(None)], "Message 0: it has no `tool_call_id`"),
        ([{"role": "assistant", "tool_calls": 5}], "Message 0.*tool_calls"),
        ([[answer("x")]], "Conversation 0|one at a time"),
        (None, "list of messages"),
    ],
)
def test_what_cannot_be_told_is_a_typed_error(messages: Any, said: str) -> None:
    with pytest.raises(kt.KimiTokenizersError, match=said):
        kt.canonical_tool_calls(messages)


@pytest.mark.parametrize("step", [".a", "()", "[0]", "+1", "-", "["])
def test_arguments_of_any_depth_are_an_error_and_the_process_goes_on(step: str) -> None:
    good, deep = call("functions.now:0"), call("functions.now:1", "a" + step * 200_000)
    found = tool_calls.parse_tool_call(good + deep)
    assert found == [{"id": "functions.now:0", "name": "now", "arguments": {}}]
    assert "no JSON" in found.problems[0]  # type: ignore[attr-defined]
