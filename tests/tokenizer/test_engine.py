"""The optional engine: the same ids as tiktoken, whatever happens to it."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gigatoken
import pytest
from encoding_texts import outcome
from hypothesis import given
from hypothesis import strategies as st

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding
from kimi_tokenizers.tokenizer import engine as second_engine
from kimi_tokenizers.tokenizer import every_known_answer


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tokenizer: Any) -> second_engine.FastEncoding:
    """An encoding that hands everything to the second engine at once."""
    monkeypatch.setattr(second_engine, "_LONG", 0)
    monkeypatch.setattr(second_engine, "_PAYS", 0)
    model = second_engine.accelerated(tokenizer.model)
    assert isinstance(model, second_engine.FastEncoding)
    model._engines = dict(ENGINES)
    return model


@pytest.fixture(scope="module")
def tiktoken_alone() -> KimiEncoding:
    model = kt.load().model
    return KimiEncoding(
        "kimi", pat_str=model._pat_str, mergeable_ranks=model._mergeable_ranks, special_tokens=model._special_tokens
    )


ENGINES: dict[bool, Any] = {}  # built once for all tests; `_engine` proves them


@pytest.fixture(autouse=True, scope="module")
def engines() -> None:
    model = kt.load().model
    assert isinstance(model, second_engine.FastEncoding)
    for control in (True, False):
        ENGINES[control] = model._engine(control)


texts = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from([*sorted(kt.load().model.special_tokens_set)[:40], "<|", "<|im_end", " \n\n ", "'LL", "    "]),
    ),
    max_size=12,
).map("".join)


@given(text=texts)
def test_ids_are_tiktokens(text: str, tiktoken_alone: KimiEncoding) -> None:
    for control, engine in ENGINES.items():
        expected = (
            tiktoken_alone.encode(text, allowed_special="all") if control else tiktoken_alone.encode_ordinary(text)
        )
        assert engine.encode(text).tolist() == expected


def test_every_way_in_gives_tiktokens_ids(model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding) -> None:
    text = "".join(answer.text for answer in every_known_answer()) * 3
    pieces = [answer.text for answer in every_known_answer()]
    every = tiktoken_alone.encode(text, allowed_special="all")
    plain = tiktoken_alone.encode_ordinary(text)
    assert every != plain
    assert model.encode(text, allowed_special="all") == every
    assert model.encode(text, disallowed_special=()) == plain
    assert model.encode_ordinary(text) == plain
    assert model.encode_batch(pieces, allowed_special="all") == [
        tiktoken_alone.encode(piece, allowed_special="all") for piece in pieces
    ]
    assert model.encode_ordinary_batch(pieces) == [tiktoken_alone.encode_ordinary(piece) for piece in pieces]
    assert model.encode(text, allowed_special={"<think>"}, disallowed_special=()) == tiktoken_alone.encode(
        text, allowed_special={"<think>"}, disallowed_special=()
    )
    with pytest.raises(ValueError, match="disallowed special token"):
        model.encode(text)
    with pytest.raises(ValueError, match="disallowed special token"):
        model.encode_batch([text], allowed_special="all", disallowed_special={"<think>"})


@pytest.mark.parametrize("text", ["\ud800" + "a" * 20_000, "x" + " " * 30_000 + "y", "", "\n" * 9_000])
def test_what_is_hard_for_engines(model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding, text: str) -> None:
    assert model.encode(text, allowed_special="all") == tiktoken_alone.encode(text, allowed_special="all")
    assert model.encode_batch([text, "a"], allowed_special="all")[0] == tiktoken_alone.encode(
        text, allowed_special="all"
    )
    assert not model._broken


def test_short_texts_and_the_first_long_ones_stay_with_tiktoken(tokenizer: Any) -> None:
    model = second_engine.accelerated(tokenizer.model)
    assert isinstance(model, second_engine.FastEncoding)
    model.encode_ordinary("a b " * 100_000)
    assert model._engines is None
    model.encode_ordinary("a b " * 1_000_000)
    assert set(model._engines or {}) == {False}


@pytest.mark.slow
def test_every_character_is_the_same_to_both_engines_or_goes_to_tiktoken(
    model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding
) -> None:
    # What comes before and after tells every class of characters that the split pattern knows from every other.
    shapes = ["a{0}b A{0}B", "{0}{0}'s 1{0}2", "中{0}中 !{0}!\n", " {0}\n\n {0}a"]
    for start in range(0, 0x110000, 0x1000):
        characters = [chr(code) for code in range(start, start + 0x1000) if not 0xD800 <= code < 0xE000]
        old = [character for character in characters if second_engine._is_old(character)]
        for chosen in (characters, old) if len(old) < len(characters) else (old,):
            text = "\n".join(shape.format(character) for character in chosen for shape in shapes)
            assert model.encode_ordinary(text) == tiktoken_alone.encode_ordinary(text), hex(start)
    assert not model._broken


def test_characters_that_are_too_new_go_to_tiktoken(
    model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding
) -> None:
    text = "ab\U000323b0's \u088f\u088f a " * 2000
    assert model.encode_ordinary(text) == tiktoken_alone.encode_ordinary(text)
    assert ENGINES[False].encode(text).tolist() != tiktoken_alone.encode_ordinary(text)


@pytest.mark.parametrize(("version", "old"), [("15.0.0", True), ("16.0.0", True), ("17.0.0", False), ("18.1.0", False)])
def test_a_python_that_knows_newer_characters_tells_nothing_of_old_ones(
    version: str, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.15 follows Unicode 17: what it calls a letter may be nothing to tiktoken."""
    monkeypatch.setattr("unicodedata.unidata_version", version)
    assert second_engine._is_old("plain ASCII\n")
    assert second_engine._is_old("naïve 中") is old


def test_another_thread_that_counts_does_not_let_new_characters_through(
    model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counting(second_engine.FastEncoding):
        readings = iter([0])

        @property  # type: ignore[override]
        def _seen(self) -> int:
            """Little when it is asked for first, much ever after."""
            return next(self.readings, 10**9)

        @_seen.setter
        def _seen(self, value: int) -> None:
            pass

    monkeypatch.setattr(second_engine, "_PAYS", 10**6)
    racing = Counting.__new__(Counting)
    racing.__dict__.update(model.__dict__)
    text = "b\ua7ce't " * 5000
    assert racing.encode_ordinary(text) == tiktoken_alone.encode_ordinary(text)
    assert racing.encode_ordinary(text) == tiktoken_alone.encode_ordinary(text)


def test_what_it_remembers_is_let_go_of(model: second_engine.FastEncoding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_engine, "_KEEPS", 100)
    before = model._engines
    assert model.encode_ordinary("Hello, world!") == [19180, 11, 2695, 0]
    assert model._engines is before
    assert len(model.encode_ordinary("Hello, world!" * 10)) == 40
    assert model._engines is None
    assert model.encode_ordinary("Hello, world!") == [19180, 11, 2695, 0]
    assert model._engines is not None


def test_strings_that_are_not_all_are_refused_as_by_tiktoken(
    model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding
) -> None:
    text = "hi <|im_end|>" * 5
    for arguments in ({"allowed_special": "foo"}, {"allowed_special": "all", "disallowed_special": "h"}):
        ours, theirs = (outcome(lambda m=m, a=arguments: m.encode(text, **a)) for m in (model, tiktoken_alone))  # type: ignore[misc]
        assert ours == theirs
        assert isinstance(ours, tuple)


def test_threads_share_it(model: second_engine.FastEncoding, tiktoken_alone: KimiEncoding) -> None:
    choice = random.Random(3)
    work = ["".join(choice.choices([answer.text for answer in every_known_answer()], k=50)) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(model.encode_ordinary, work))
    assert found == [tiktoken_alone.encode_ordinary(text) for text in work]


def test_pickling_keeps_it(model: second_engine.FastEncoding) -> None:
    model._engines = None
    copy = pickle.loads(pickle.dumps(model))
    assert isinstance(copy, second_engine.FastEncoding)
    assert copy.encode("<think>Hello, world!", allowed_special="all") == [163606, 19180, 11, 2695, 0]


class _Wrong:
    """An engine whose ids are off by one."""

    @staticmethod
    def from_tiktoken(*arguments: Any, **options: Any) -> Any:
        real = REAL_FROM_TIKTOKEN(*arguments, **options)

        class Engine:
            def encode(self, text: str) -> Any:
                return real.encode(text) + 1

        return Engine()


REAL_FROM_TIKTOKEN = gigatoken.Tokenizer.from_tiktoken


def _fail(*arguments: Any, **options: Any) -> Any:
    raise RuntimeError("no")


class Panic(BaseException):
    """What an engine in Rust raises when it panics is no `Exception`."""


def _panic(*arguments: Any, **options: Any) -> Any:
    raise Panic("no")


@pytest.mark.parametrize(
    ("replacement", "reason"),
    [(_Wrong.from_tiktoken, "encodes 'a' differently"), (_fail, "RuntimeError: no"), (_panic, "Panic: no")],
)
def test_an_engine_that_is_wrong_or_fails_is_given_up(
    model: second_engine.FastEncoding, monkeypatch: pytest.MonkeyPatch, replacement: Any, reason: str
) -> None:
    model._engines = None
    monkeypatch.setattr(gigatoken.Tokenizer, "from_tiktoken", replacement)
    with pytest.warns(RuntimeWarning, match=reason):
        assert model.encode_ordinary("Hello, world!") == [19180, 11, 2695, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        assert model.encode_ordinary("Hello, world!") == [19180, 11, 2695, 0]


@pytest.mark.parametrize(
    ("setting", "expected"), [("", "FastEncoding"), ("gigatoken", "FastEncoding"), ("tiktoken", "KimiEncoding")]
)
def test_the_environment_switches_it_off(monkeypatch: pytest.MonkeyPatch, setting: str, expected: str) -> None:
    monkeypatch.setenv(second_engine.VARIABLE, setting)
    assert type(kt.load().model).__name__ == expected


def test_it_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['gigatoken'] = None\n"
        "import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'gigatoken' else real(name, *rest)\n"
        "import kimi_tokenizers as kt; print(type(kt.load().model).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "KimiEncoding"
