"""What a tokenizer must do: give the known answers, take them back, and keep exo's rules.

Every check returns nothing or raises `CheckError`, which says what was found and what was expected. The checks never
look at a model directory; `kimi_tokenizers.testing` does that with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import VOCAB_SIZE
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.tokenizer import STOP_TOKEN_ID, KnownAnswer, known_answers_of

DEFAULT_LINE = "kimi-k2.6"

_NOT_A_TOKEN = "<|test|>Hello<|end|>"
_TEXTS = ("Hello, world!", "人工智能 and naïve café", "def f(x):\n    return x  # 🙂\n", "  \n\n\t x", "'s 1234567")


class CheckError(KimiTokenizersError, AssertionError):
    """A tokenizer or a model directory is not what it should be."""


def known_answers(line: str = DEFAULT_LINE, *, control: bool | None = None) -> list[KnownAnswer]:
    """The known answers of a model line, e.g. "kimi-k2-instruct".

    Args:
        control: only those for an encoder that recognises control tokens in the text (true), or takes them for plain
            text (false). Texts without any are among both.
    """
    answers = known_answers_of(line)
    if control is None:
        return answers
    names = _control_tokens(line).values()
    return [
        answer
        for answer in answers
        if answer.control == control or not any(name in answer.text for name in (*names, "<|reserved_token_"))
    ]


def check_encoding(encode: Callable[[str], Iterable[int]], line: str = DEFAULT_LINE, *, control: bool = True) -> None:
    """A function from text to ids gives the known answers.

    Args:
        control: whether it recognises control tokens in the text, as exo's does.

    Raises:
        CheckError: it does not; the message shows the first text, its ids, and how many more there are.
    """
    wrong = []
    answers = known_answers(line, control=control)
    if not answers:
        raise CheckError(f"There are no known answers of {line} to check with. Reinstall kimi-tokenizers.")
    for answer in answers:
        found = [int(index) for index in encode(answer.text)]
        if found != list(answer.ids):
            wrong.append((answer, found))
    if wrong:
        answer, found = wrong[0]
        raise CheckError(
            f"{len(wrong)} of {len(answers)} known answers of {line} are wrong. The first: {answer.text!r} encodes to "
            f"{found}, expected {list(answer.ids)}. `kimi-tokenizers parity` shows where it begins."
        )


def check_decoding(decode: Callable[[list[int]], str], line: str = DEFAULT_LINE) -> None:
    """A function from ids to text takes the known answers back. Raises CheckError."""
    answers = known_answers(line)
    if not answers:
        raise CheckError(f"There are no known answers of {line} to check with. Reinstall kimi-tokenizers.")
    for answer in answers:
        found = decode(list(answer.ids))
        if found != answer.text:
            raise CheckError(f"{list(answer.ids)} decodes to {found!r}, expected {answer.text!r} ({line}).")


def check_exo_rules(tokenizer: Any, line: str = DEFAULT_LINE) -> None:
    """What exo 0.3.70 asks of a tokenizer, and what it and mlx-lm use afterwards. Raises CheckError.

    exo's own test: `encode` returns a list of ints, text round-trips, the empty text gives a list, and text that looks
    like a control token but is none encodes without an error.
    """
    for text in (*_TEXTS, "", _NOT_A_TOKEN):
        ids = tokenizer.encode(text, add_special_tokens=False)
        if not isinstance(ids, list) or not all(type(index) is int for index in ids):
            raise CheckError(f"encode({text!r}) returns {_short(ids)}, expected a list of ints.")
        found = tokenizer.decode(ids)
        if found != text:
            raise CheckError(f"{text!r} comes back from encode and decode as {found!r}.")
    if "".join(tokenizer.decode([index]) for index in tokenizer.encode("Hello, world!")) != "Hello, world!":
        raise CheckError("Decoding the ids of 'Hello, world!' one by one does not give the text.")
    size = VOCAB_SIZE
    if (tokenizer.vocab_size, len(tokenizer)) != (size, size):
        raise CheckError(f"vocab_size is {tokenizer.vocab_size} and len() is {len(tokenizer)}, expected {size} both.")
    vocabulary = tokenizer.get_vocab()
    for index, name in _control_tokens(line).items():
        if vocabulary.get(name) != index or tokenizer.convert_tokens_to_ids(name) != index:
            raise CheckError(
                f"{name!r} is id {vocabulary.get(name)} in get_vocab() and {tokenizer.convert_tokens_to_ids(name)} in "
                f"convert_tokens_to_ids(), expected {index} ({line})."
            )
    _check_special_tokens(tokenizer, _control_tokens(line)[STOP_TOKEN_ID])


def _check_special_tokens(tokenizer: Any, end_of_turn: str) -> None:
    named = {"bos_token": "[BOS]", "eos_token": "[EOS]"}
    for attribute, name in named.items():
        if str(getattr(tokenizer, attribute, None)) != name:
            raise CheckError(f"{attribute} is {getattr(tokenizer, attribute, None)!r}, expected {name!r}.")
    if end_of_turn not in tokenizer.all_special_tokens:
        raise CheckError(f"{end_of_turn!r}, which ends a turn, is not among all_special_tokens.")


def check_tokenizer(tokenizer: Any, line: str = DEFAULT_LINE) -> None:
    """A tokenizer with transformers' interface gives the known answers, by `encode` and by the `.model` that exo uses,
    takes them back, and keeps exo's rules. Raises CheckError.
    """
    check_encoding(lambda text: tokenizer.encode(text, add_special_tokens=False), line)
    check_decoding(tokenizer.decode, line)
    model = getattr(tokenizer, "model", None)
    if model is None:
        raise CheckError("The tokenizer has no `.model`, which exo encodes with; kimi_tokenizers.adapt() gives it one.")
    check_encoding(lambda text: model.encode(text, allowed_special="all"), line)
    check_encoding(lambda text: model.encode(text, disallowed_special=()), line, control=False)
    check_exo_rules(tokenizer, line)


def _control_tokens(line: str) -> dict[int, str]:
    return catalogue.overlays()[line].control_tokens()


def _short(value: Any) -> str:
    sample: Sequence[Any] = value[:3] if isinstance(value, Sequence) else ()
    return f"a {type(value).__name__} {list(sample)!r}"[:200]
