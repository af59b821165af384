"""What our tokenizer is compared with: a model directory, a rank table, or another engine.

A reference is taken apart as data: rank table, control tokens, pattern. Python that comes with it is never executed
here; `foreign` does that, on a copy and in another process, if the caller insists.
"""

from __future__ import annotations

import base64
import functools
import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import N_RANKS, VOCAB_SIZE, unspell
from kimi_tokenizers.errors import KimiTokenizersError
from kimi_tokenizers.evidence import foreign, limited
from kimi_tokenizers.model_dirs import (
    TOKENIZER_JSON_BYTES,
    TokenizerFiles,
    assigned_text,
    importable,
    parse_json,
    read_small,
)
from kimi_tokenizers.tokenizer import encoding_arguments

ENGINES = ("tiktoken", "tokenizers", "gigatoken")

# Ids of a text, or why there are none.
Ids = Union[list[int], str]  # noqa: UP007 (Python 3.9 has no `|` of types, and `verify` runs on it)


class ReferenceUnusableError(KimiTokenizersError, ValueError):
    """What was given as reference is not one."""


@dataclass
class Reference:
    """Something that claims to be Kimi's tokenizer.

    Attributes:
        name: what it was asked for by.
        kind: what it is, for people.
        ranks: its rank table, token -> id; None where it has none to read.
        control: its control tokens, id -> name; None where it says nothing of them.
        pattern: its split pattern; None where it cannot be read.
        encode: ids of texts, with control tokens recognised (true) or as plain text (false); None where it cannot
            encode at all.
        notes: what whoever reads the result has to know.
        close: to be called at the end.
    """

    name: str
    kind: str
    ranks: dict[bytes, int] | None = None
    control: dict[int, str] | None = None
    pattern: str | None = None
    encode: Callable[[Sequence[str], bool], list[Ids]] | None = None
    notes: list[str] = field(default_factory=list)
    close: Callable[[], None] = lambda: None
    _pieces: dict[int, bytes] = field(default_factory=dict, repr=False)

    def piece(self, index: int) -> bytes:
        """The bytes that an id stands for, by the reference's own table; empty for an id that it does not have."""
        if not self._pieces:
            self._pieces = {rank: token for token, rank in (self.ranks or {}).items()}
            self._pieces.update((i, name.encode("utf-8", "replace")) for i, name in all_control(self.control).items())
        return self._pieces.get(index, b"")


def open_reference(name: str, line: str = "kimi-k2.6", *, trust_remote_code: bool = False) -> Reference:
    """A reference by the name of an engine (`ENGINES`) or a path: a model directory, or a rank table.

    Args:
        name: an engine's name; for a file or folder that is called like one, write `./tiktoken`.
        line: whose control tokens an engine, or a rank table without any, is given.
        trust_remote_code: execute the directory's own Python, in a separate process.

    Raises:
        ReferenceUnusableError: it is none of these, damaged, or an engine that is not installed.
    """
    if name in ENGINES:
        return _engine(name, line)
    path = Path(name)
    if path.is_file():
        return _fast(path, name) if path.suffix == ".json" else _bare(path, line)
    with TokenizerFiles(path):
        pass  # it is a directory that can be read
    if (path / "tiktoken.model").exists():
        if not trust_remote_code:
            reference = _slow(path, name, line)
            _encode_with_tiktoken(reference, line)
            return reference
        return _trusted(path, name, line)
    if (path / "tokenizer.json").exists():
        return _fast(path / "tokenizer.json", name)
    raise ReferenceUnusableError(
        f"{name!r} has neither a tiktoken.model nor a tokenizer.json. Give a model directory, a tiktoken.model, or one "
        f"of {', '.join(ENGINES)}."
    )


@functools.lru_cache(maxsize=4)
def our_arguments(line: str) -> dict[str, Any]:
    """Our side, as `encoding_arguments` has it: read once, and not to be changed."""
    return encoding_arguments(line)


def all_control(table: dict[int, str] | None) -> dict[int, str]:
    """Id -> name of all 256 control tokens; those that a table does not name are reserved ones."""
    names = {index: f"<|reserved_token_{index}|>" for index in range(N_RANKS, VOCAB_SIZE)}
    return {**names, **(table or {})}


# The kinds


def _bare(path: Path, line: str) -> Reference:
    reference = Reference(str(path), "rank table", ranks=_read_ranks(path))
    reference.notes.append("A rank table says nothing of pattern and control tokens: ours were used to encode.")
    _encode_with_tiktoken(reference, line)
    return reference


def _slow(path: Path, name: str, line: str) -> Reference:
    reference = Reference(name, "slow tokenizer, its data in tiktoken", ranks=_read_ranks(path / "tiktoken.model"))
    with TokenizerFiles(path) as directory:
        table = directory.control_token_table()
    if table:
        try:
            reference.control = {int(index): str(entry["content"]) for index, entry in table.items()}
        except (ValueError, TypeError, KeyError) as error:
            raise ReferenceUnusableError(
                f"`added_tokens_decoder` in {name!r} has an entry that names no token ({error!r})."
            ) from error
    scripts = [script for script in ("tokenization_kimi.py",) if (path / script).exists()]
    for script in scripts:
        source = read_small(path / script) or b""
        ours = catalogue.overlays()[line].read(script)
        reference.pattern = (
            our_arguments(line)["pat_str"] if source == ours else assigned_text(source, ["pat_str", "pattern"])
        )
    if scripts:
        reference.notes.append(
            "Its own Python was read, not executed (that takes --trust-remote-code)"
            + ("." if reference.pattern else "; the pattern could not be read out of it, ours was used to encode.")
        )
    return reference


def _trusted(path: Path, name: str, line: str) -> Reference:
    """A directory whose own Python encodes."""
    reference = _slow(path, name, line)
    reference.kind, reference.notes = "its own Python, in a separate process", []
    left_out = [module for module in importable(path) if not module.endswith(".py")]
    if left_out:
        reference.notes.append(f"exo would import {', '.join(left_out)} from it, which were not taken along.")
    try:
        _encode_in(reference, foreign.Process(path, line))
    except limited.LimitedError as error:
        raise ReferenceUnusableError(f"The tokenizer of {name!r} cannot be loaded: {error}.") from error
    return reference


def _fast(file: Path, name: str) -> Reference:
    """A tokenizer.json, through the `tokenizers` library."""
    data = read_small(file, limit=TOKENIZER_JSON_BYTES) or b""
    try:
        value = parse_json(data)
        vocabulary = {str(token): int(index) for token, index in value["model"]["vocab"].items()}
        control = {int(entry["id"]): str(entry["content"]) for entry in value.get("added_tokens") or ()}
        import tokenizers  # noqa: F401 (an ImportError here says which package is missing)

        process = limited.Process("tokenizers", data)
    except (ArithmeticError, LookupError, TypeError, ValueError, limited.LimitedError) as error:
        raise ReferenceUnusableError(
            f"{str(file)!r} is not a tokenizer.json that `tokenizers` can load ({type(error).__name__}: {error})."
        ) from error
    reference = Reference(name, "tokenizer.json in tokenizers", ranks={}, control=control)
    spelt: dict[int, str] = {}
    for token, index in vocabulary.items():
        if index < N_RANKS and (piece := unspell(token)) is not None:
            reference.ranks[piece] = index  # type: ignore[index]
        elif index not in control:
            spelt[index] = token
    reference.control = {**spelt, **control}
    reference.pattern = _pattern_in_json(value.get("pre_tokenizer"))
    if reference.pattern is None:
        reference.notes.append("Its split pattern could not be read.")
    _encode_in(reference, process)
    return reference


def _encode_in(reference: Reference, process: limited.Process) -> None:
    """Let a limited process encode for the reference."""

    def encode(texts: Sequence[str], control: bool) -> list[Ids]:
        try:
            return process.encode(texts, control)
        except limited.LimitedError as error:
            raise ReferenceUnusableError(f"{reference.name!r} cannot be compared with: {error}.") from error

    reference.encode, reference.close = encode, process.close


def _engine(name: str, line: str) -> Reference:
    arguments = our_arguments(line)
    ranks, names = arguments["mergeable_ranks"], arguments["special_tokens"]
    try:
        version = importlib.import_module(name).__version__ if name != "gigatoken" else ""
        with catalogue.overlays()[line].files["tiktoken.model"].path() as path:
            encode = {"tiktoken": _tiktoken, "tokenizers": _converted, "gigatoken": _gigatoken}[name](path, arguments)
    except ImportError as error:
        raise ReferenceUnusableError(
            f"The engine {name} cannot be imported ({error}). Run: pip install {name}"
        ) from error
    reference = Reference(name, f"engine {name} {version}".strip(), ranks, {i: n for n, i in names.items()})
    reference.pattern = None if name == "gigatoken" else arguments["pat_str"]
    reference.encode = encode
    reference.notes.append("An engine has no vocabulary of its own: it was given ours, so only its ids say something.")
    return reference


# Reading


def _read_ranks(path: Path) -> dict[bytes, int]:
    data = read_small(path) or b""
    ranks = {}
    for number, row in enumerate(data.splitlines(), 1):
        try:
            token, rank = row.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except ValueError as error:
            raise ReferenceUnusableError(
                f"{str(path)!r} is not a rank table: line {number} is {row[:60]!r}, expected base64 and a number."
            ) from error
    return ranks


def _pattern_in_json(pre_tokenizer: Any) -> str | None:
    """The regular expression of the only `Split` in the pre-tokenizer of a tokenizer.json."""
    if not isinstance(pre_tokenizer, dict):
        return None
    steps = pre_tokenizer.get("pretokenizers") if pre_tokenizer.get("type") == "Sequence" else [pre_tokenizer]
    splits = [step for step in steps or () if isinstance(step, dict) and step.get("type") == "Split"]
    pattern = splits[0].get("pattern") if len(splits) == 1 else None
    return pattern.get("Regex") if isinstance(pattern, dict) else None


# Encoding


def _encode_with_tiktoken(reference: Reference, line: str) -> None:
    """Let tiktoken encode with the reference's rank table, and its pattern and control tokens where it has any."""
    ours = our_arguments(line)
    control = all_control(reference.control or {index: name for name, index in ours["special_tokens"].items()})
    arguments = {
        "pat_str": reference.pattern or ours["pat_str"],
        "special_tokens": {name: index for index, name in control.items()},
    }
    try:
        table = b"".join(
            b"%b %d\n" % (base64.b64encode(token), rank) for token, rank in (reference.ranks or {}).items()
        )
        _encode_in(reference, limited.Process("tiktoken", table, arguments))
    except limited.LimitedError as error:
        reference.notes.append(f"tiktoken cannot encode with it ({error}).")


def _tiktoken(path: Path, arguments: dict[str, Any]) -> Callable[[Sequence[str], bool], list[Ids]]:
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    # The engine reads the table with its own reader.
    arguments = {**arguments, "mergeable_ranks": load_tiktoken_bpe(os.fspath(path))}
    encoding = tiktoken.Encoding("reference", **arguments)

    def encode(texts: Sequence[str], control: bool) -> list[Ids]:
        if control:
            return limited.each(lambda text: encoding.encode(text, allowed_special="all"), texts)
        return limited.each(encoding.encode_ordinary, texts)

    return encode


def _converted(path: Path, arguments: dict[str, Any]) -> Callable[[Sequence[str], bool], list[Ids]]:
    import tokenizers  # noqa: F401 (an ImportError here says which package is missing)
    from transformers.convert_slow_tokenizer import TikTokenConverter

    names = sorted(arguments["special_tokens"], key=arguments["special_tokens"].get)
    converter = TikTokenConverter(
        os.fspath(path),
        pattern=arguments["pat_str"],
        extra_special_tokens=names,
        additional_special_tokens=names,  # its name in transformers 4
    )
    return _tokenizers_encode(converter.converted())


def _tokenizers_encode(tokenizer: Any) -> Callable[[Sequence[str], bool], list[Ids]]:
    from tokenizers import Tokenizer

    plain = Tokenizer(tokenizer.model)  # the same, without any added tokens
    plain.normalizer, plain.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer

    def encode(texts: Sequence[str], control: bool) -> list[Ids]:
        engine = tokenizer if control else plain
        try:
            return [found.ids for found in engine.encode_batch_fast(list(texts), add_special_tokens=False)]
        except Exception:  # which one of them?
            return limited.each(lambda text: engine.encode(text, add_special_tokens=False).ids, texts)

    return encode


def _gigatoken(path: Path, arguments: dict[str, Any]) -> Callable[[Sequence[str], bool], list[Ids]]:
    import gigatoken

    # It recognises the control tokens that it knows always; one that knows none takes them for plain text.
    tokenizer, plain = (
        gigatoken.Tokenizer.from_tiktoken(os.fspath(path), "kimi", names)
        for names in (dict(arguments["special_tokens"]), {})
    )

    def encode(texts: Sequence[str], control: bool) -> list[Ids]:
        return list((tokenizer if control else plain).encode_batch_list(list(texts)))

    return encode
