"""The chat templates of K2.5 and K2.6, rendered by transformers itself, give the exact prompt text."""

import copy
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from kimi_tokenizers.overlays.common.tool_declaration_ts import (
    UnsupportedSchemaError,
    deep_sort,
    encode_tools_to_typescript_style,
)

OVERLAYS = Path(__file__).parents[2] / "kimi_tokenizers" / "overlays"
LINES = ("kimi-k2.5", "kimi-k2.6")
TEMPLATES = {line: (OVERLAYS / line / "chat_template.jinja").read_text(encoding="utf-8") for line in LINES}
GOLDEN = golden("chat")
# Any tokenizer will do: the chat is rendered as text.
RENDERER = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"?": 0}, unk_token="?")))

IMAGE = "<|media_begin|>image<|media_content|><|media_pad|><|media_end|>\n"
VIDEO = "<|kimi_k25_video_placeholder|>\n"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}

both_lines = pytest.mark.parametrize("line", LINES)


def render(line: str, messages: list[Any], **variables: Any) -> str:
    text = RENDERER.apply_chat_template(messages, chat_template=TEMPLATES[line], tokenize=False, **variables)
    assert isinstance(text, str)
    return text


def declared(tools: list[Any] | None) -> dict[str, Any]:
    """The variables that the tokenizer hands to its template for `tools`."""
    if tools is None:
        return {"tools": None, "tools_ts_str": None}
    tools = deep_sort(tools)
    try:
        return {"tools": tools, "tools_ts_str": encode_tools_to_typescript_style(tools)}
    except UnsupportedSchemaError:
        return {"tools": tools, "tools_ts_str": None}


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def assistant(content: Any = "", **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def call(arguments: Any = "{}", call_id: Any = "functions.f:0") -> dict[str, Any]:
    return {"type": "function", "id": call_id, "function": {"name": "f", "arguments": arguments}}


def called(arguments: str, call_id: str = "functions.f:0") -> str:
    return f"<|tool_call_begin|>{call_id}<|tool_call_argument_begin|>{arguments}<|tool_call_end|>"


def section(*calls: str) -> str:
    return f"<|tool_calls_section_begin|>{''.join(calls)}<|tool_calls_section_end|>"


def turn(role: str, body: str, name: str | None = None) -> str:
    marker = {"user": "<|im_user|>", "assistant": "<|im_assistant|>"}.get(role, "<|im_system|>")
    return f"{marker}{role if name is None else name}<|im_middle|>{body}<|im_end|>"


# Golden data


@pytest.mark.parametrize("row", GOLDEN, ids=range(len(GOLDEN)))
def test_golden(row: dict[str, Any]) -> None:
    options = {name: row[name] for name in ("add_generation_prompt", "thinking", "preserve_thinking") if name in row}
    assert render(row["line"], row["messages"], **options, **declared(row["tools"])) == row["text"]


def test_golden_rows_are_all_there() -> None:
    assert [sum(row["line"] == line for row in GOLDEN) for line in LINES] == [31, 49]


# Tools


@both_lines
@pytest.mark.parametrize("tools", [None, []])
def test_without_tools_nothing_is_declared(line: str, tools: Any) -> None:
    assert render(line, [user("hi")], tools=tools, tools_ts_str="unused") == turn("user", "hi")


@both_lines
def test_tools_are_declared_first(line: str) -> None:
    text = render(line, [user("hi")], tools=[WEATHER], tools_ts_str="# Tools\n")
    assert text == turn("tool_declare", "# Tools\n") + turn("user", "hi")


@both_lines
@pytest.mark.parametrize("variables", [{}, {"tools_ts_str": None}, {"tools_ts_str": ""}])
def test_without_a_declaration_tools_are_compact_sorted_json(line: str, variables: dict[str, Any]) -> None:
    tools = [{"type": "_plugin", "name": "天气 <&'>", "more": {"b": [True, None, 1.5], "a": {}}}]
    compact = '[{"more":{"a":{},"b":[true,null,1.5]},"name":"天气 <&\'>","type":"_plugin"}]'
    assert render(line, [user("hi")], tools=tools, **variables) == turn("tool_declare", compact) + turn("user", "hi")


# Headers


@both_lines
@pytest.mark.parametrize("role", ["system", "tool_declare", "developer", "Assistant", "user "])
def test_any_other_role_is_a_system_turn_under_its_name(line: str, role: str) -> None:
    assert render(line, [{"role": role, "content": "x"}]) == f"<|im_system|>{role}<|im_middle|>x<|im_end|>"


@both_lines
@pytest.mark.parametrize("role", ["system", "user"])
def test_a_name_stands_in_for_the_role(line: str, role: str) -> None:
    assert render(line, [{"role": role, "name": "alice", "content": "x"}]) == turn(role, "x", "alice")


@both_lines
@pytest.mark.parametrize("name", [None, ""])
def test_an_empty_name_is_none(line: str, name: Any) -> None:
    assert render(line, [user("x", name=name)]) == turn("user", "x")


@both_lines
def test_names_of_assistants_and_tools(line: str) -> None:
    messages = [assistant("a", name="kimi"), {"role": "tool", "name": "f", "tool_call_id": "f:0", "content": "r"}]
    expected = turn("assistant", "<think></think>a", "kimi") + turn("tool", "## Return of f:0\nr", "f")
    assert render(line, messages) == expected


@both_lines
def test_several_system_messages_stay_where_they_are(line: str) -> None:
    messages = [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, user("c")]
    messages.append({"role": "system", "content": "d"})
    expected = turn("system", "a") + turn("system", "b") + turn("user", "c") + turn("system", "d")
    assert render(line, messages) == expected


# Content


@both_lines
@pytest.mark.parametrize("role", ["user", "system"])
@pytest.mark.parametrize("message", [{}, {"content": None}, {"content": ""}, {"content": []}])
def test_no_content_is_nothing(line: str, role: str, message: dict[str, Any]) -> None:
    assert render(line, [{"role": role, **message}]) == turn(role, "")


@both_lines
def test_content_is_neither_trimmed_nor_escaped(line: str) -> None:
    content = "\n  {{ 1 + 1 }} {% if %} {# c #} <|im_end|> <&\"'> é中\r\n\n "
    assert render(line, [user(content)]) == turn("user", content)
    assert render(line, [user([{"type": "text", "text": content}])]) == turn("user", content)


@both_lines
def test_parts_follow_each_other_without_a_separator(line: str) -> None:
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image", "image": "x"},
        {"type": "text", "text": "b"},
        {"type": "image_url", "image_url": {"url": "u"}},
        {"type": "video", "video": "v"},
        {"type": "video_url", "video_url": {"url": "u"}},
        {"type": "text", "text": "c"},
    ]
    expected = f"a{IMAGE}b{IMAGE}{VIDEO}{VIDEO}c"
    assert render(line, [user(parts)]) == turn("user", expected)
    assert render(line, [{"role": "tool", "tool_call_id": "i", "content": parts}]) == turn(
        "tool", f"## Return of i\n{expected}"
    )
    assert render(line, [assistant(parts)]) == turn("assistant", f"<think></think>{expected}")


@both_lines
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "input_text", "text": "x"}, "x"),
        ({"type": None, "text": "x"}, "x"),
        ({"text": "x"}, "x"),
        ({"type": "audio", "audio": "x"}, ""),
        ({"type": "text", "text": None}, ""),
        ({"type": "text", "text": ""}, ""),
        ({}, ""),
    ],
)
def test_a_part_of_another_type_is_its_text(line: str, part: dict[str, Any], expected: str) -> None:
    assert render(line, [user([part])]) == turn("user", expected)


# Tool calls and what they return


@both_lines
def test_tool_calls_follow_the_content(line: str) -> None:
    message = assistant("now", tool_calls=[call('{"a": 1}', "functions.f:0"), call("", "functions.g:1")])
    expected = "<think></think>now" + section(called('{"a": 1}', "functions.f:0"), called("", "functions.g:1"))
    assert render(line, [message]) == turn("assistant", expected)


@both_lines
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"b": "中 <'>", "a": [1, None, True]}, '{"b": "中 <\'>", "a": [1, null, true]}'),
        ({}, "{}"),
        ([], "[]"),
        (None, "null"),
        (" not JSON ", " not JSON "),
    ],
)
def test_arguments_are_a_string_as_it_is_or_else_json(line: str, arguments: Any, expected: str) -> None:
    message = assistant(tool_calls=[call(arguments)])
    assert render(line, [message]) == turn("assistant", "<think></think>" + section(called(expected)))


@both_lines
def test_missing_arguments_and_a_missing_id_are_null_ones(line: str) -> None:
    present = assistant(tool_calls=[{"id": None, "function": {"name": "f", "arguments": None}}])
    missing = assistant(tool_calls=[{"function": {"name": "f"}}])
    expected = turn("assistant", "<think></think>" + section(called("null", "")))
    assert render(line, [present]) == render(line, [missing]) == expected


@both_lines
def test_only_assistants_call_tools(line: str) -> None:
    assert render(line, [user("x", tool_calls=[call()], reasoning_content="r")]) == turn("user", "x")


@both_lines
@pytest.mark.parametrize(
    ("message", "call_id"), [({"tool_call_id": "f:0"}, "f:0"), ({"tool_call_id": None}, ""), ({}, "")]
)
def test_a_tool_message_says_which_call_it_answers(line: str, message: dict[str, Any], call_id: str) -> None:
    expected = turn("tool", f"## Return of {call_id}\nsunny")
    assert render(line, [{"role": "tool", "content": "sunny", **message}]) == expected


@both_lines
def test_a_tool_message_without_content_keeps_its_line(line: str) -> None:
    assert render(line, [{"role": "tool", "tool_call_id": "f:0", "content": None}]) == turn(
        "tool", "## Return of f:0\n"
    )


# Thinking


def thoughts(line: str, *messages: Any, **variables: Any) -> list[str]:
    """What stands in each think block, in order."""
    blocks = render(line, [user("q"), *messages], **variables).split("<think>")[1:]
    return [block.split("</think>")[0] for block in blocks]


CALLING = assistant(tool_calls=[call()], reasoning_content="plan")
ANSWER = assistant("done", reasoning_content="sum up")


@both_lines
def test_everything_up_to_the_last_answer_is_history(line: str) -> None:
    later = {**CALLING, "reasoning_content": "again"}
    assert thoughts(line, CALLING, ANSWER, CALLING, later) == ["", "", "plan", "again"]
    assert thoughts(line, CALLING, ANSWER, CALLING, ANSWER) == ["", "", "", ""]
    assert thoughts(line, ANSWER, user("next"), CALLING) == ["", "plan"]


@both_lines
def test_without_an_answer_nothing_is_history(line: str) -> None:
    assert thoughts(line, CALLING, CALLING) == ["plan", "plan"]


@both_lines
@pytest.mark.parametrize("calls", [{"tool_calls": []}, {"tool_calls": None}, {}])
def test_no_tool_calls_make_an_answer(line: str, calls: dict[str, Any]) -> None:
    answer = {"role": "assistant", "content": "done", "reasoning_content": "r", **calls}
    assert thoughts(line, CALLING, answer) == ["", ""]
    assert "<|tool_calls_section_begin|>" not in render(line, [answer])


@both_lines
def test_other_roles_end_no_history(line: str) -> None:
    result = {"role": "tool", "tool_call_id": "f:0", "content": "r"}
    assert thoughts(line, CALLING, result, CALLING, user("and?")) == ["plan", "plan"]


@both_lines
@pytest.mark.parametrize("reasoning", [{}, {"reasoning_content": None}, {"reasoning_content": ""}])
def test_without_reasoning_the_block_is_empty(line: str, reasoning: dict[str, Any]) -> None:
    message = {"role": "assistant", "content": "", "tool_calls": [call()], **reasoning}
    assert thoughts(line, message) == [""]


@both_lines
def test_reasoning_is_dropped_when_thinking_is_false(line: str) -> None:
    assert thoughts(line, CALLING, thinking=False) == [""]


@both_lines
@pytest.mark.parametrize("variables", [{}, {"thinking": None}, {"thinking": True}])
def test_thinking_defaults_to_true(line: str, variables: dict[str, Any]) -> None:
    assert thoughts(line, CALLING, **variables) == ["plan"]
    prompt = render(line, [user("q")], add_generation_prompt=True, **variables)
    assert prompt == turn("user", "q") + "<|im_assistant|>assistant<|im_middle|><think>"


@both_lines
@pytest.mark.parametrize("preserve", [{}, {"preserve_thinking": True}, {"preserve_thinking": False}])
def test_the_generation_prompt_closes_the_block_when_thinking_is_false(line: str, preserve: dict[str, Any]) -> None:
    prompt = render(line, [user("q")], add_generation_prompt=True, thinking=False, **preserve)
    assert prompt == turn("user", "q") + "<|im_assistant|>assistant<|im_middle|><think></think>"


@both_lines
def test_without_a_generation_prompt_nothing_follows(line: str) -> None:
    assert render(line, [user("q")], add_generation_prompt=False) == turn("user", "q")


@pytest.mark.parametrize("thinking", [True, False])
def test_k26_preserves_all_reasoning_whatever_thinking_says(thinking: bool) -> None:
    variables = {"thinking": thinking, "preserve_thinking": True}
    assert thoughts("kimi-k2.6", CALLING, ANSWER, CALLING, **variables) == ["plan", "sum up", "plan"]


@pytest.mark.parametrize("preserve", [{}, {"preserve_thinking": None}, {"preserve_thinking": False}])
def test_k26_preserves_nothing_unless_told(preserve: dict[str, Any]) -> None:
    assert thoughts("kimi-k2.6", ANSWER, **preserve) == [""]


def test_k25_knows_no_preserve_thinking() -> None:
    assert thoughts("kimi-k2.5", CALLING, ANSWER, CALLING, preserve_thinking=True) == ["", "", "plan"]
    assert thoughts("kimi-k2.5", CALLING, thinking=False, preserve_thinking=True) == [""]


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        ({"reasoning": "a", "reasoning_content": "b"}, "a"),
        ({"reasoning": "a", "reasoning_content": None}, "a"),
        ({"reasoning": "a"}, "a"),
        ({"reasoning": "", "reasoning_content": "b"}, ""),
        ({"reasoning": None, "reasoning_content": "b"}, "b"),
        ({"reasoning_content": "b"}, "b"),
        ({"reasoning": None}, ""),
    ],
)
def test_k26_prefers_reasoning_when_present(reasoning: dict[str, Any], expected: str) -> None:
    assert thoughts("kimi-k2.6", assistant(tool_calls=[call()], **reasoning)) == [expected]


def test_k25_reads_reasoning_content_only() -> None:
    # With `reasoning` alone, transformers from 5.23 on copies it to `reasoning_content` before any template sees it.
    message = assistant(tool_calls=[call()], reasoning="a", reasoning_content="b")
    assert thoughts("kimi-k2.5", message) == ["b"]
    assert thoughts("kimi-k2.5", {**message, "reasoning_content": ""}) == [""]


# What other programs read in a template


@both_lines
def test_mlx_lm_finds_its_tool_parser_by_this_token(line: str) -> None:
    assert "<|tool_calls_section_begin|>" in TEMPLATES[line]


# Properties

TEXT = st.text(max_size=6)
MAYBE = st.none() | TEXT
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "image_url", "video", "video_url", "other"])}, optional={"text": MAYBE}
)
CALLS = st.builds(call, TEXT | st.dictionaries(TEXT, st.integers(), max_size=2), TEXT)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "developer"])},
        optional={
            "content": MAYBE | st.lists(PARTS, max_size=3),
            "name": MAYBE,
            "tool_calls": st.none() | st.lists(CALLS, max_size=2),
            "tool_call_id": MAYBE,
            "reasoning_content": MAYBE,
        },
    ),
    min_size=1,  # transformers itself fails on none
    max_size=5,
)
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "thinking": st.none() | st.booleans(),
        "preserve_thinking": st.none() | st.booleans(),
        "add_generation_prompt": st.booleans(),
        "tools": st.sampled_from([None, [], [WEATHER]]),
        "tools_ts_str": MAYBE,
    },
)


@both_lines
@given(messages=MESSAGES, variables=VARIABLES)
def test_null_and_missing_keys_render_alike_and_messages_stay_as_they_were(
    line: str, messages: list[Any], variables: dict[str, Any]
) -> None:
    before = copy.deepcopy(messages)
    without = [{key: value for key, value in message.items() if value is not None} for message in messages]
    assert render(line, messages, **variables) == render(line, without, **variables)
    assert messages == before


@given(messages=MESSAGES, variables=VARIABLES)
def test_the_lines_differ_in_preserve_thinking_only(messages: list[Any], variables: dict[str, Any]) -> None:
    variables.pop("preserve_thinking", None)
    assert render("kimi-k2.5", messages, **variables) == render("kimi-k2.6", messages, **variables)


# What no template can render


@pytest.mark.parametrize("wrong", [5, None, "text", {"role": "user", "content": 5}, "deep", "cycle", "keys"])
def test_an_error_names_the_message(wrong: Any) -> None:
    import kimi_tokenizers as kt

    arguments: Any = {(1, 2): 1}
    if wrong in ("deep", "cycle"):
        arguments = {}
        for _ in range(10_000):
            arguments = {"a": arguments}
        if wrong == "cycle":
            arguments = {}
            arguments["a"] = arguments
    message = assistant(tool_calls=[call(arguments)]) if wrong in ("deep", "cycle", "keys") else wrong
    with pytest.raises(kt.KimiTokenizersError, match=r"Message 1[ :]"):
        kt.load("moonshotai/Kimi-K2.6").apply_chat_template([user("x"), message])


class _Own:
    """An object of a class of its own."""


def _user(**fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": "a", **fields}


MALFORMED: dict[str, tuple[Any, str]] = {
    "no role": ({"content": "a"}, "no `role`"),
    "role of None": (_user(role=None), "no `role`"),
    "role of a number": (_user(role=1), "`role` is an int"),
    "role of a list": (_user(role=["user"]), "`role` is a list"),
    "content of a number": (_user(content=5), "`content` is an int"),
    "content of a float": (_user(content=0.5), "`content` is a float"),
    "content of a bool": (_user(content=False), "`content` is a bool"),
    "content of bytes": (_user(content=b"a"), "`content` is a bytes"),
    "content of an object": (_user(content={"text": "a"}), "`content` is a dict"),
    "content of its own class": (_user(content=_Own()), "`content` is a _Own"),
    "part of a text": (_user(content=["a"]), "part 0"),
    "part of None": (_user(content=[None]), "part 0"),
    "part without its text": (_user(content=[{"type": "text"}]), "no `text`"),
    "part with a number": (_user(content=[{"type": "text", "text": 1}]), "`text` of part 0"),
    "part with a strange type": (_user(content=[{"type": ["text"], "text": "a"}]), "`type` of part 0"),
    "name of a number": (_user(name=1), "`name` is an int"),
    "reasoning of a list": (assistant(reasoning_content=["a"]), "`reasoning_content` is a list"),
    "call id of a number": ({"role": "tool", "content": "a", "tool_call_id": 1}, "`tool_call_id` is an int"),
    "calls of an object": (assistant(tool_calls={"id": "a"}), "`tool_calls` are a dict"),
    "calls of a text": (assistant(tool_calls="a"), "`tool_calls` are a str"),
    "call of a text": (assistant(tool_calls=["a"]), "is a str"),
    "call of None": (assistant(tool_calls=[None]), "no `function`"),
    "call without a function": (assistant(tool_calls=[{"id": "a", "name": "f"}]), "no `function`"),
    "function of a text": (assistant(tool_calls=[{"id": "a", "function": "f"}]), "is a str"),
    "function with a number": (assistant(tool_calls=[{"function": {"name": 1}}]), "`function.name`"),
    "arguments of a list": (assistant(tool_calls=[call([1])]), "are a list"),
    "arguments of a number": (assistant(tool_calls=[call(1)]), "are an int"),
    "arguments of its own class": (assistant(tool_calls=[call({"a": _Own()})]), "hold a _Own"),
    "arguments of a set": (assistant(tool_calls=[call({"a": {1}})]), "hold a set"),
    "arguments with NaN": (assistant(tool_calls=[call({"a": [float("nan")]})]), "hold nan"),
    "arguments with Infinity": (assistant(tool_calls=[call({"a": float("inf")})]), "hold inf"),
    "arguments with a key of a number": (assistant(tool_calls=[call({"a": {1: 2}})]), "as a key"),
    "arguments with a huge number": (assistant(tool_calls=[call({"a": 10**5000})]), "bits"),
    "message of a generator": ((part for part in "a"), "not an object"),
    "message of its own class": (_Own(), "not an object"),
}


@pytest.mark.parametrize("tokenize", [False, True], ids=["text", "ids"])
@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_message_is_refused_by_its_index_and_field(kind: str, tokenize: bool) -> None:
    import kimi_tokenizers as kt

    wrong, words = MALFORMED[kind]
    tokenizer = kt.load()
    for conversation, where in (([_user(), wrong], "Message 1"), ([[_user()], [wrong]], "Conversation 1: Message 0")):
        with pytest.raises(kt.KimiTokenizersError) as caught:
            tokenizer.apply_chat_template(conversation, tokenize=tokenize)
        assert str(caught.value).startswith(where)
        assert words in str(caught.value)


@pytest.mark.parametrize("wrong", [None, "text", b"bytes", 5, {"role": "user", "content": "a"}, iter([]), _Own()])
def test_what_is_no_list_is_no_conversation(wrong: Any) -> None:
    import kimi_tokenizers as kt

    with pytest.raises(kt.KimiTokenizersError, match="must be a list of messages"):
        kt.load().apply_chat_template(wrong, tokenize=False)


@pytest.mark.parametrize("tools", ["f", 5, {"name": "f"}, [5], ["f"], [{1: 2}], [{"a": float("nan")}], [{"a": _Own()}]])
def test_tools_that_are_no_schemas_are_refused(tools: Any) -> None:
    import kimi_tokenizers as kt

    with pytest.raises(kt.KimiTokenizersError, match="tools"):
        kt.load().apply_chat_template([_user()], tools=tools, tokenize=False)


def test_an_argument_that_is_there_many_times_is_no_cycle() -> None:
    import kimi_tokenizers as kt

    shared = {"b": [1, 2]}
    message = assistant(tool_calls=[call({"x": shared, "y": [shared, shared]})])
    assert '"y": [{"b": [1, 2]}' in kt.load().apply_chat_template([_user(), message], tokenize=False)


def test_what_a_directory_s_own_template_raises_is_typed() -> None:
    import kimi_tokenizers as kt

    tokenizer = kt.load()
    for template, error in (
        ("{{ raise_exception('no such role') }}", "no such role"),
        ("{{ messages[0].content.nothing.at_all }}", "cannot be rendered"),
        ("{% if %}", "is not one"),
    ):
        with pytest.raises(kt.KimiTokenizersError, match=error):
            tokenizer.apply_chat_template([_user()], chat_template=template, tokenize=False)
