"""The quicker engine: the same ids as tiktoken's, whatever happens to it; and nothing is made that is not needed."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import splintr
import tiktoken
from conftest import OVERLAYS
from encoding_texts import outcome

import kimi_tokenizers as kt
from kimi_tokenizers.overlays.common import tokenization_kimi as kimi
from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding
from kimi_tokenizers.tokenizer import every_known_answer

TABLE = OVERLAYS / "common" / "tiktoken.model"
HELLO = [19180, 11, 2695, 0]


@pytest.fixture(autouse=True, scope="module")
def tables() -> Iterator[None]:
    """What other tests of this process have made is left to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kimi, "_SHARED", {})
        yield


@pytest.fixture
def new_tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    made: dict[str, Any] = {}
    monkeypatch.setattr(kimi, "_SHARED", made)
    return made


@pytest.fixture
def model() -> KimiEncoding:
    model = kt.load().model
    assert isinstance(model._engine, kimi.Splintr)
    return model


def test_every_way_in_gives_tiktokens_ids(model: KimiEncoding, plain: tiktoken.Encoding) -> None:
    texts = [answer.text for answer in every_known_answer()]
    for text in ["".join(texts) * 3, *texts]:
        every, none = plain.encode(text, allowed_special="all"), plain.encode_ordinary(text)
        assert model.encode(text, allowed_special="all") == every
        assert model.encode(text, disallowed_special=()) == model.encode_ordinary(text) == none
        for arguments in ({}, {"allowed_special": {"<think>"}}, {"disallowed_special": {"<think>", "a"}}):
            ours, theirs = (outcome(lambda m=m, a=arguments, t=text: m.encode(t, **a)) for m in (model, plain))  # type: ignore[misc]
            assert ours == theirs
        assert model.decode(every) == plain.decode(every)
        assert model.decode_bytes(none) == plain.decode_bytes(none)
    for batch in (texts, texts * 20):
        assert model.encode_batch(batch, allowed_special="all") == plain.encode_batch(batch, allowed_special="all")
        assert model.encode_ordinary_batch(batch) == plain.encode_ordinary_batch(batch)


@pytest.mark.parametrize("text", ["\ud800" + "a" * 20_000, "x" + " " * 30_000 + "y", "", "\n" * 9_000, "\0" * 5000])
def test_what_is_hard_for_engines(model: KimiEncoding, plain: tiktoken.Encoding, text: str) -> None:
    expected = plain.encode(text, allowed_special="all")
    assert model.encode(text, allowed_special="all") == expected
    assert model.encode_batch([text, "a", "word " * 100_000], allowed_special="all")[0] == expected


@pytest.mark.parametrize("character", ["a", "中", "!", "é", "\0", "\r\n", "'s", "👍"])
def test_a_million_of_one_character(model: KimiEncoding, plain: tiktoken.Encoding, character: str) -> None:
    text = character * 1_000_000
    found = model.encode(text)
    assert model.decode(found) == text
    with contextlib.suppress(ValueError):  # tiktoken 0.12 has no stack for a word of that length
        assert found == plain.encode(text)


def test_every_character_that_the_engines_might_split_differently(
    model: KimiEncoding, plain: tiktoken.Encoding
) -> None:
    # What comes before and after tells every class of characters that the split pattern knows from every other.
    shapes = ["a{0}b A{0}B", "{0}{0}'s 1{0}2", "中{0}中 !{0}!\n", " {0}\n\n {0}a", "n'{0}'SA"]
    for start in range(0, 0x110000, 0x1000):
        characters = [chr(code) for code in range(start, start + 0x1000) if not 0xD800 <= code < 0xE000]
        alike = filter(kimi._is_alike, characters)  # the others go to tiktoken
        text = "\n".join(shape.format(character) for character in alike for shape in shapes)
        assert model.encode_ordinary(text) == plain.encode_ordinary(text), hex(start)


def test_the_engines_do_differ_in_the_characters_that_are_kept_from_it(
    model: KimiEncoding, plain: tiktoken.Encoding
) -> None:
    for text in ("n'\u017f'SA", "\U000323b0,B"):
        assert kimi._SHARED["splintr's own"].encode_ordinary(text) != plain.encode_ordinary(text)
        assert model.encode(text) == plain.encode(text)


def test_the_proofs_are_tiktokens_ids(model: KimiEncoding, plain: tiktoken.Encoding) -> None:
    import array
    import zlib

    for text, checksum in ((kimi._FIRST_TEXT, kimi._FIRST_PROOF), (kimi._proof_text(), kimi._PROOF)):
        assert zlib.crc32(array.array("I", plain.encode_ordinary(text)).tobytes()) == checksum
    assert len(kimi._proof_text()) > 10_000


@pytest.mark.parametrize("model_id", ["moonshotai/Kimi-K2.6", "moonshotai/Kimi-K3", "moonshotai/Kimi-K2-Instruct"])
def test_control_tokens_that_only_splintr_knows_are_plain_text(model_id: str, plain: tiktoken.Encoding) -> None:
    model = kt.load(model_id).model
    ours, theirs = model._special_tokens, splintr.Tokenizer.from_pretrained("kimi_k2").special_tokens()
    others = sorted(theirs.keys() - ours.keys())
    assert {"<|system|>", "<|think|>"} < set(others)
    long = [f"Some words, and more.{name} " * 10_000 for name in others[:3]]
    for text in [*others, *(f"a{name}b" for name in others), *(f"{name} " * 2_000 for name in others[:9]), *long]:
        ids = plain.encode_ordinary(text)
        assert model.encode(text, allowed_special="all") == model.encode_ordinary(text) == ids
    for name, index in ours.items():
        assert model.encode(name, allowed_special="all") == [index]
        assert model.encode_ordinary(name) == plain.encode_ordinary(name)
    texts = [f"{name} and {other}" for name, other in zip(others, ours)] * 100  # noqa: B905
    assert model.encode_ordinary_batch(texts) == plain.encode_ordinary_batch(texts)
    assert model.count_batch(texts, control_tokens=False) == [*map(len, plain.encode_ordinary_batch(texts))]


def test_a_splintr_with_another_vocabulary_is_not_used(
    new_tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = splintr.Tokenizer.from_pretrained("o200k_base")
    monkeypatch.setattr(splintr, "Tokenizer", type("T", (), {"from_pretrained": staticmethod(lambda _: other)}))
    model = kt.load().model
    with pytest.warns(RuntimeWarning, match="tokens are not those of the rank table"):
        assert model.encode("Hello, world!") == HELLO
    assert new_tables["splintr's own"] is False


# What is made, and when


def test_tiktokens_tables_are_made_for_a_method_that_needs_them(
    new_tables: dict[str, Any], plain: tiktoken.Encoding
) -> None:
    model = kt.load().model
    assert new_tables.keys() == {"bytes"}
    assert model.encode("<think>Hello, world!", allowed_special="all") == [163606, *HELLO]
    assert model.decode([163606, *HELLO]) == "<think>Hello, world!"
    assert model.decode_single_token_bytes(19180) == b"Hello"
    assert model.encode_batch(["Hello, world!"], allowed_special="all") == [HELLO]
    assert len(model.encode("supercalifragilistic " * 20_000)) > 20_000
    assert model.token_byte_values() == plain.token_byte_values()
    assert model.n_vocab == 163840
    assert new_tables.keys() == {"bytes", "splintr's own", "splintr's own proved", "process with threads", "tokens"}
    assert not {"_core_bpe", "_mergeable_ranks"} & vars(model).keys()
    assert isinstance(model, tiktoken.Encoding)
    assert model.encode_single_token("Hello") == model.encode_single_token(b"Hello") == 19180
    assert model.encode_with_unstable("Hello")[0] == []
    assert {"_core_bpe", "_mergeable_ranks"} < vars(model).keys()


def test_tokenizers_share_what_is_made(new_tables: dict[str, Any], tmp_path: Path) -> None:
    models = [kt.load("moonshotai/Kimi-K2.6").model, kt.load("moonshotai/Kimi-K3").model, kt.load().model]
    models.append(pickle.loads(pickle.dumps(models[0])))
    models.append(copy.deepcopy(models[1]))
    models.append(type(kt.load()).from_pretrained(saved(tmp_path)).model)
    for model in models:
        assert model.encode("Hello, world!") == HELLO
    fast = {id(model._engine._fast) for model in models}
    assert fast == {id(new_tables["splintr's own"])}
    assert len({id(model._mergeable_ranks) for model in models}) == 1
    assert len({id(model._table.data) for model in models}) == 1


def saved(folder: Path) -> Path:
    kt.load().save_pretrained(folder)
    return folder


def test_exos_copies_of_the_file_share_it() -> None:
    code = (
        "import sys, types, tiktoken\n"
        f"sys.path.insert(0, {str(OVERLAYS / 'common')!r})\n"
        "def load():\n"
        "    module = types.ModuleType('tokenization_kimi'); module.__file__ = sys.path[0] + '/tokenization_kimi.py'\n"
        "    source = open(module.__file__).read().replace('from .tool_decl', 'from tool_decl')\n"
        "    sys.modules['tokenization_kimi'] = module\n"
        "    exec(compile(source, module.__file__, 'exec'), module.__dict__)\n"
        "    model = module.TikTokenTokenizer(sys.path[0] + '/tiktoken.model').model\n"
        "    assert model.encode('Hello, world!') == [19180, 11, 2695, 0]; return model\n"
        "one, other = load(), load()\n"
        "print(type(one) is not type(other), one._engine._fast is other._engine._fast)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("model_id", ["moonshotai/Kimi-K2.6", "moonshotai/Kimi-K3", "moonshotai/Moonlight-16B-A3B"])
def test_the_bare_encoding_is_that_of_the_tokenizer(model_id: str) -> None:
    bare, whole = kt.encoding(model_id), kt.load(model_id).model
    assert bare._special_tokens == whole._special_tokens
    assert bare.encode("Hello, world!") == HELLO
    with pytest.raises(kt.KimiTokenizersError):
        kt.encoding("mlx-community/Qwen3-8B-4bit")


def test_unknown_ids_are_typed_errors(model: KimiEncoding) -> None:
    for ids in ([163840], [-1], [-163840], [2**31], [2**70], [19180] * 40 + [163840], [19180] * 40 + [-1]):
        with pytest.raises(kimi.TokenIdError, match=f"no token with id {ids[-1]}") as caught:
            model.decode(ids)
        assert isinstance(caught.value, kt.KimiTokenizersError)
        assert isinstance(caught.value, KeyError)
        assert str(caught.value).startswith("There is no token")
        with pytest.raises(kimi.TokenIdError):
            model.decode_single_token_bytes(ids[-1])
    for ids in (["a"], [1.5], [None], ["a"] * 40):
        with pytest.raises(TypeError):
            model.decode(ids)  # type: ignore[arg-type]


def test_what_is_no_text_is_refused_as_by_tiktoken(model: KimiEncoding, plain: tiktoken.Encoding) -> None:
    for text in (None, 5, b"abc", ["a"], ("a",)):
        for encode in (tiktoken.Encoding.encode, tiktoken.Encoding.encode_ordinary):
            with pytest.raises(TypeError):
                encode(plain, text)  # type: ignore[arg-type]
            with pytest.raises(TypeError):
                getattr(model, encode.__name__)(text)
    assert model._engine._fast


# Threads and processes


def test_threads_share_it(new_tables: dict[str, Any], plain: tiktoken.Encoding) -> None:
    """Short and long texts and batches at once, from the first use on."""
    choice = random.Random(3)
    answers = [answer.text for answer in every_known_answer()]
    work = ["".join(choice.choices(answers, k=size)) for size in [1, 50, 3000] * 12]
    expected = [plain.encode_ordinary(text) for text in work]
    model = kt.load().model
    with warnings.catch_warnings(), ThreadPoolExecutor(8) as pool:
        warnings.simplefilter("error")
        one_by_one = [pool.submit(model.encode_ordinary, text) for text in work]
        batches = [pool.submit(model.encode_ordinary_batch, work) for _ in range(6)]
        assert [future.result() for future in one_by_one] == expected
        assert all(future.result() == expected for future in batches)
    assert new_tables["splintr's own"]


def test_it_works_after_a_fork_of_a_process_that_used_its_threads(model: KimiEncoding) -> None:
    text = "Some words, and more of them. " * 20_000
    expected = model.encode_ordinary(text)
    child = os.fork()
    if not child:
        same = [one.encode_ordinary(text) == expected for one in (model, kt.load().model)]
        os._exit(0 if all(same) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_pickling_keeps_it(model: KimiEncoding) -> None:
    data = pickle.dumps(model)
    assert len(data) < 3_000_000
    clone = pickle.loads(data)
    assert isinstance(clone._engine, kimi.Splintr)
    assert clone.encode("<think>Hello, world!", allowed_special="all") == [163606, *HELLO]


# When it is not there, not wanted, or not what it should be


@pytest.mark.parametrize(("setting", "engine"), [("", "Splintr"), ("splintr", "Splintr"), ("tiktoken", "Engine")])
def test_the_environment_switches_it_off(monkeypatch: pytest.MonkeyPatch, setting: str, engine: str) -> None:
    monkeypatch.setenv(kimi.ENGINE_VARIABLE, setting)
    model = kt.load().model
    assert model.encode("Hello, world!") == HELLO
    assert type(model._engine).__name__ == engine


def test_it_is_not_needed(new_tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splintr", None)
    model = kt.load().model
    assert model.encode("Hello, world!") == HELLO
    assert type(model._engine) is kimi.Engine


def test_another_of_that_name_is_not_executed(tmp_path: Path) -> None:
    """exo puts model directories in front of sys.path."""
    (tmp_path / "splintr.py").write_text("print('executed')")
    (tmp_path / "more" / "splintr").mkdir(parents=True)
    (tmp_path / "more" / "splintr" / "__init__.py").write_text("print('executed')")
    for folder in (tmp_path, tmp_path / "more"):
        code = (
            f"import sys, kimi_tokenizers as kt; sys.path.insert(0, {str(folder)!r}); "
            "model = kt.load().model; print(model.encode('Hello, world!'), type(model._engine).__name__)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == f"{HELLO} Engine"


class Panic(BaseException):
    """What an engine in Rust raises when it panics is no `Exception`."""


def raising(error: BaseException) -> Callable[..., Any]:
    def method(*arguments: Any) -> Any:
        raise error

    return method


class Wrong:
    """An engine whose ids are those of another text, or that fails, from some length of a text on."""

    def __init__(self, length: int, error: BaseException | None) -> None:
        self._real = splintr.Tokenizer.from_pretrained("kimi_k2")
        self._length, self._error = length, error
        self.special_tokens = self._real.special_tokens

    def decode_bytes(self, ids: Any) -> Any:
        return self._real.decode_bytes(ids)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)

        def method(what: Any) -> Any:
            if len(what) < self._length:
                return real(what)
            if self._error:
                raise self._error
            return real(what[1:])

        return method


@pytest.mark.parametrize("length", [0, 1000], ids=["at once", "where merges are needed"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, "other ids than the known"), (RuntimeError("no"), "RuntimeError: no"), (Panic("no"), "Panic: no")],
)
def test_an_engine_that_is_wrong_or_fails_is_given_up(
    new_tables: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    length: int,
    error: BaseException | None,
    reason: str,
) -> None:
    wrong = Wrong(length, error)
    monkeypatch.setattr(splintr, "Tokenizer", type("T", (), {"from_pretrained": staticmethod(lambda _: wrong)}))
    models = [kt.load().model, kt.load("moonshotai/Kimi-K3").model]
    long = "Hello, world! " * 40
    with pytest.warns(RuntimeWarning, match=reason):
        ids = models[0].encode_ordinary(long)
    assert ids[:4] == HELLO
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        for model in models:
            assert model.encode_ordinary(long) == ids
            assert model.encode_batch([long] * 500)[-1] == ids
            assert model.encode("Hello, world!") == HELLO
    assert new_tables["splintr's own"] is False


def test_an_engine_that_fails_later_is_given_up(model: KimiEncoding, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = kimi.Splintr(Wrong(0, Panic("no")), kimi.read_table(TABLE))
    monkeypatch.setattr(kimi, "_SHARED", {**kimi._SHARED, "splintr's own proved": True})
    for name, value in (("_engine", broken), ("_encode_ascii", broken.encode_ascii)):
        monkeypatch.setitem(vars(model), name, value)
    with pytest.warns(RuntimeWarning, match="Panic: no"):
        assert model.encode("Hello, world!", allowed_special="all") == HELLO
    assert model.decode(HELLO * 50) == "Hello, world!" * 50
    taken = []
    monkeypatch.setattr(kimi, "_threads", lambda: 2)
    monkeypatch.setattr(
        kimi, "ThreadPoolExecutor", lambda threads: taken.append(threads) or ThreadPoolExecutor(threads)
    )
    assert len(model.encode_ordinary("Hello, world! " * 20_000)) > 60_000
    assert taken == [2]  # tiktoken has no threads of its own
    assert model.encode("Hello, world!", allowed_special="all") == HELLO


def test_an_interrupt_is_no_failure(model: KimiEncoding, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("Hello, world!", "Hello, world! " * 100):
        stopped = kimi.Splintr(Wrong(0, KeyboardInterrupt()), kimi.read_table(TABLE))
        for name, value in (("_engine", stopped), ("_encode_ascii", stopped.encode_ascii)):
            monkeypatch.setitem(vars(model), name, value)
        with pytest.raises(KeyboardInterrupt):
            model.encode(text, allowed_special="all")
    assert kimi._SHARED["splintr's own"]
