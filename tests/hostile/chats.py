"""Malformed chats: `MESSAGES`, each a message (or what is none) and the field that an error has to name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

HI = {"role": "user", "content": "hi"}
ITSELF: dict[str, Any] = {}
ITSELF["a"] = ITSELF
PART_OF_ITSELF: list[Any] = []
PART_OF_ITSELF.append(PART_OF_ITSELF)


class Own:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


class OfNoClass:
    @property
    def __class__(self) -> Any:
        raise RuntimeError


class Endless(Mapping[str, Any]):
    """An object that never ends to be gone through, with these values among others."""

    def __init__(self, **values: Any) -> None:
        self.values_ = values

    def __getitem__(self, name: str) -> Any:
        return self.values_.get(name, "x")

    def get(self, name: str, default: Any = None) -> Any:
        return self.values_.get(name, default)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return map(str, itertools.count())


class Branching(Endless):
    """Objects in objects, and at each level new ones."""

    def __getitem__(self, name: str) -> Any:
        return Branching()

    def __iter__(self) -> Iterator[str]:
        return iter("ab")


class EndlessList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(self[0])


def deep(levels: int = 10_000) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def call(arguments: Any = "{}", **more: Any) -> dict[str, Any]:
    function = {"name": "f", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": "functions.f:0", "function": function, **more}]}


MESSAGES: list[tuple[Any, str]] = [
    *((value, "role") for value in (None, 5, 10**5000, True, "text", b"x", Own(), [], {1}, {}, {"content": "x"})),
    (OfNoClass(), ""),
    *(({"role": role, "content": "x"}, "role") for role in (None, "", 5, b"user", ["user"], Own())),
    *(
        ({"role": "user", "content": value}, "content")
        for value in (
            0,
            5,
            1.5,
            10**5000,
            float("nan"),
            True,
            False,
            b"x",
            {"text": "x"},
            {"x"},
            iter("x"),
            Own(),
            OfNoClass(),
            type("", (), {})(),
            type("x" * 1000, (), {})(),
            memoryview(b"x"),
            ITSELF,
        )
    ),
    *(
        ({"role": "user", "content": ["fine", part][1:]}, "content")
        for part in (None, 5, "text", ["x"], Own(), {}, {"type": "text"}, {"type": 5, "text": "x"}, {"type": ["image"]})
    ),
    ({"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": 5}]}, "content"),
    ({"role": "user", "content": [{"type": "text", "text": None}]}, "text"),
    ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "text"),
    ({"role": "user", "content": PART_OF_ITSELF}, "content"),
    *(({"role": "user", "content": "x", "name": value}, "name") for value in (5, ["a"], {}, Own())),
    *(({"role": "assistant", key: 5}, key) for key in ("reasoning_content", "reasoning")),
    *(({"role": "tool", "name": "f", "tool_call_id": value}, "tool_call_id") for value in (["a"], True, {}, Own())),
    *(({"role": "assistant", "tool_calls": value}, "tool_calls") for value in (5, "", "x", {}, {"a": 1}, True, Own())),
    *(
        ({"role": "assistant", "tool_calls": [value]}, "tool")
        for value in (None, 5, "f", [], Own(), {}, {"id": "functions.f:0"}, {"name": "f", "arguments": "{}"})
    ),
    *((call(function=value), "function") for value in (None, 5, "f", [], Own())),
    *((call(function=value), "name") for value in ({}, {"name": None}, {"name": 5}, {"name": ""}, {"name": ["f"]})),
    (call(id=["a"]), "id"),
    *(
        (call(value), "arguments")
        for value in (5, 1.5, True, b"{}", {1}, [1], (), Own(), deep(), ITSELF, {"a": ITSELF})
    ),
    *(
        (call({"a": value}), "arguments")
        for value in (float("nan"), [float("-inf")], 10**5000, {5: 1}, {None: 1}, b"x", {1}, 5j, Own(), deep())
    ),
    (call({5: 1}), "arguments"),
    (call({True: 1}), "arguments"),
]

# For K3, whose messages may declare tools.
TOOLS: tuple[Any, ...] = (
    5,
    "x",
    True,
    {"a": 1},
    [5],
    [[]],
    ["f"],
    [None],
    [{5: 1}],
    [{"a": b"x"}],
    [{"a": float("nan")}],
)
TOOLS += ([HI, Own()], [ITSELF], [deep()])

# What never ends, or has more than anybody can go through; by what an error has to name.
ENDLESS: list[tuple[list[Any], dict[str, Any], str]] = [
    ([HI, Endless(**HI)], {}, "Message 1"),
    ([HI, {**HI, "extra": Branching()}], {}, "Message 1 with its `extra`"),
    ([HI, {"role": "user", "content": EndlessList([{"type": "text", "text": "x"}])}], {}, "Message 1 .*`content`"),
    ([HI, call({"a": Endless()})], {}, "Message 1 .*`tool_calls`"),
    ([[HI], [HI, call(Branching())]], {}, "Conversation 1: Message 1 .*`tool_calls`"),
    ([HI], {"tools": [{"type": "function"}, {"type": "function", "function": Endless(name="f")}]}, r"`tools\[1\]`"),
    ([HI], {"tools": EndlessList([{"type": "function", "function": {"name": "f"}}])}, "`tools`"),
    ([HI], {"documents": [Branching()]}, r"`documents\[0\]`"),
    ([HI], {"extra": Endless()}, "`extra`"),
    (EndlessList([HI]), {}, "conversation"),
]

# Values that no field takes, or only some take: for a property test that puts any of them anywhere.
VALUES: tuple[Any, ...] = (
    *(None, 0, 5, 1.5, float("nan"), 10**5000, True, False, b"x", "", "x", "\ud800", "x" * 1_000_000, 5j),
    *({1}, [], {}, [[]], [None], [{}], ["x"], {5: 1}, {None: 1}, {"a": float("nan")}, range(3), len, Own, Own()),
    *(ITSELF, PART_OF_ITSELF, deep(), [{"type": "text"}], [{"type": "text", "text": 5}], [Own()]),
)
FIELDS = (
    "role",
    "content",
    "name",
    "reasoning_content",
    "reasoning",
    "thinking",
    "tool_calls",
    "tool_call_id",
    "extra",
)
OPTIONS = ("tools", "documents", "thinking", "enable_thinking", "continue_final_message", "response_format", "messages")
