"""The Kimi K2 tokenizer.

exo, and transformers with `trust_remote_code=True`, execute this file out of a model directory. So it stands alone: it
needs the standard library, tiktoken, transformers, and the two files `tiktoken.model` and `tool_declaration_ts.py`
beside it (and uses splintr where that is installed beside tiktoken). It must load whatever `tokenizer_config.json` lies
there, because exo may overwrite that file at any time.

Ids are exact or there is an error: a rank table other than the published one is refused, and no text is ever cut in a
way that changes its ids.

Contents:

1. Errors
2. The vocabulary: rank table, split pattern, control tokens, model line; 2.1 what a directory decides, 2.2 prompts
3. The encoding, `KimiEncoding`; 3.1 its engines, 3.2 control tokens in a text, 3.3 long runs of whitespace, 3.4 threads
4. Conversations and tools
5. Offsets; 5.1 what of a prompt the model writes
6. Saving
7. The tokenizer, `TikTokenTokenizer`

All of it is one file because exo compiles this one afresh for every model, and leaves others to Python's import system:
there a second model gets the first one's module, or a file of that name that lies elsewhere.
"""

from __future__ import annotations

import array
import binascii
import codecs
import contextlib
import functools
import hashlib
import importlib.util
import itertools
import json
import math
import operator
import os
import re
import stat
import sys
import warnings
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, TypeVar, cast

import tiktoken

# exo replaces this very text, `from .tool_declaration_ts`, before it executes the file.
from .tool_declaration_ts import UnsupportedSchemaError, deep_sort, encode_tools_to_typescript_style

# ---------------------------------------------------------------------------------------------------------------------
# 1. Errors

try:
    from kimi_tokenizers.errors import KimiTokenizersError
except ImportError:  # standing alone in a model directory

    class KimiTokenizersError(Exception):  # type: ignore[no-redef]
        """Base of every error that this file raises on purpose. Its text can be printed, whoever wrote it."""

        def __str__(self) -> str:
            said = super().__str__()
            return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in said)


class VocabFileError(KimiTokenizersError, ValueError):
    """The rank table is missing, unreadable, truncated or edited."""


class ControlTokenError(KimiTokenizersError, ValueError):
    """A table of control tokens contradicts what is known of the vocabulary."""


class ConfigurationError(KimiTokenizersError, ValueError):
    """A file beside the rank table cannot be read, or is not what such a file is."""


class TokenIdError(KimiTokenizersError, ValueError, KeyError):
    """An id that the vocabulary does not have. A KeyError as well, which tiktoken raises."""

    __str__ = Exception.__str__  # KeyError's shows the message as Python would write it


class TextTypeError(KimiTokenizersError, TypeError):
    """Something other than `str` was given as text."""


class ChatTemplateError(KimiTokenizersError, ValueError):
    """There is no chat template to render a conversation with."""


class ConversationError(KimiTokenizersError, ValueError):
    """A conversation, or something given with it, that no prompt can be made of."""


# ---------------------------------------------------------------------------------------------------------------------
# 2. The vocabulary: rank table, split pattern, control tokens, model line
#
# The same rank table and pattern serve every line; the names of control tokens differ.

VOCAB_FILE = "tiktoken.model"
VOCAB_SHA256 = "b6c497a7469b33ced9c38afb1ad6e47f03f5e5dc05f15930799210ec050c5103"
VOCAB_BYTES = 2_795_286
N_RANKS = 163_584
N_CONTROL_TOKENS = 256
N_IDS = N_RANKS + N_CONTROL_TOKENS

_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]"
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"

PAT_STR = "|".join(
    (
        r"[\p{Han}]+",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)

# Control tokens: id -> (name, special). `skip_special_tokens` skips the special ones.
_CORE: dict[int, tuple[str, bool]] = {
    163584: ("[BOS]", True),
    163585: ("[EOS]", True),
    163586: ("<|im_end|>", True),
    163587: ("<|im_user|>", True),
    163588: ("<|im_assistant|>", True),
    163590: ("<|start_header_id|>", True),
    163591: ("<|end_header_id|>", True),
    163593: ("[EOT]", True),
    163594: ("<|im_system|>", True),
    163595: ("<|tool_calls_section_begin|>", False),
    163596: ("<|tool_calls_section_end|>", False),
    163597: ("<|tool_call_begin|>", False),
    163598: ("<|tool_call_argument_begin|>", False),
    163599: ("<|tool_call_end|>", False),
    163601: ("<|im_middle|>", True),
    163838: ("[UNK]", True),
    163839: ("[PAD]", True),
}
_MEDIA: dict[int, tuple[str, bool]] = {
    163602: ("<|media_begin|>", True),
    163603: ("<|media_content|>", True),
    163604: ("<|media_end|>", True),
    163605: ("<|media_pad|>", True),
}
_THINK: dict[int, tuple[str, bool]] = {
    163606: ("<think>", False),
    163607: ("</think>", False),
}

# The lines that a `kimi_line.json` of earlier versions may name without a table of its own; today every line brings its
# table in that file. `<think>` is one id in Kimi-K2-Thinking and from K2.5 on, and plain text in Kimi-K2-Instruct.
CONTROL_TOKENS: dict[str, dict[int, tuple[str, bool]]] = {
    "kimi-k2-instruct": _CORE,
    "kimi-k2-thinking": {**_CORE, **_THINK},
    "kimi-k2.5": {**_CORE, **_MEDIA, **_THINK},
    "kimi-k2.6": {**_CORE, **_MEDIA, **_THINK},
}
DEFAULT_LINE = "kimi-k2.6"
LINE_FILE = "kimi_line.json"

# What a saved tokenizer's `kimi_line.json` lists beside the line: tokens that a caller added or made special, and which
# are special, apart from `bos_token` and so on, where that is another set than usual.
SAVED = ("saved_tokens", "saved_special_tokens")


class Line(NamedTuple):
    """A model line, as its `kimi_line.json` describes it.

    Attributes:
        name: for example "kimi-k2.6"; None where nothing says which line it is.
        names: the control tokens of its models, id -> (name, special).
        always: those of them that a model has whatever its own table says.
        template: where its chat template is to be had, for people, if none is built in.
        encoder: whether its conversations are rendered by a chat encoder and not by a template.
    """

    name: str | None
    names: Mapping[int, tuple[str, bool]]
    always: Mapping[int, tuple[str, bool]]
    template: str = "the model's own repo"
    encoder: bool = False

    @classmethod
    def of(cls, value: str | Mapping[str, Any] | Line | None) -> Line:
        """From the content of a `kimi_line.json`, or from the name of a line in `CONTROL_TOKENS`.

        None is a table that may belong to any of these: what they share, and nothing else, is certain.

        Raises:
            ControlTokenError: it is neither.
        """
        if isinstance(value, Line):
            return value
        if isinstance(value, Mapping) and "control_tokens" in value:
            return cls._with_table(value)
        name = value.get("line") if isinstance(value, Mapping) else value
        if name is None and not isinstance(value, Mapping):
            return cls(None, CONTROL_TOKENS[DEFAULT_LINE], _CORE)
        if not isinstance(name, str) or name not in CONTROL_TOKENS:
            raise ControlTokenError(
                f"The model line {str(name)[:80]!r} is not known and brings no table of control tokens; known are "
                f"{', '.join(CONTROL_TOKENS)}."
            )
        return cls(name, CONTROL_TOKENS[name], _CORE)

    @classmethod
    def _with_table(cls, value: Mapping[str, Any]) -> Line:
        name, table = value.get("line"), value["control_tokens"]
        if not isinstance(name, str) or not isinstance(table, Mapping) or not table:
            raise ControlTokenError("The model line has no name, or its `control_tokens` are no object with entries.")
        entries = [(_table_entry(key, entry), entry) for key, entry in table.items()]
        if not all(_is_control(index) for (index, _, _), _ in entries):
            raise ControlTokenError(f"The control tokens of the model line {name!r} have ids of other tokens.")
        names = {index: (token, special) for (index, token, special), _ in entries}
        if not len({token for token, _ in names.values()}) == len(names) == len(entries):
            raise ControlTokenError(f"The control tokens of the model line {name!r} have a name or an id twice.")
        optional = {index for (index, _, _), entry in entries if isinstance(entry, Mapping) and entry.get("optional")}
        always = {index: entry for index, entry in names.items() if index not in optional}
        template = str(value.get("chat_template_from") or cls._field_defaults["template"])
        return cls(name, names, always, template, value.get("chat_encoder") is True)

    def as_json(self) -> dict[str, Any]:
        """What `of` makes this line of."""
        table = {
            str(index): {"content": name, "special": special} | ({} if index in self.always else {"optional": True})
            for index, (name, special) in sorted(self.names.items())
        }
        chat = {"chat_encoder": True} if self.encoder else {"chat_template_from": self.template}
        return {"line": self.name, **chat, "control_tokens": table}

    def certain(self) -> Mapping[int, tuple[str, bool]]:
        """What a model's own table must not contradict."""
        return self.names if self.name else self.always

    def known(self) -> dict[int, tuple[str, bool]]:
        """What ids are called, for a message and for names that stand at another id: also by newer lines of K2."""
        own = {name for name, _ in self.names.values()}
        newer = {index: entry for index, entry in CONTROL_TOKENS[DEFAULT_LINE].items() if entry[0] not in own}
        return {**newer, **self.names}


# Whether this is the file of the installed package, and not one that lies in a model directory.
_IN_PACKAGE = __name__.startswith("kimi_tokenizers.")

# What is made of the rank table, once in a process. exo executes this file afresh for every model, so it is kept where
# every copy of the file finds it; there is nothing in it but what Python, tiktoken and splintr make.
# Copies may be of other versions, so a key never changes its meaning.
_SHARED: dict[str, Any] = vars(tiktoken).setdefault("_kimi_tables", {})


def _shared(name: str, table: RankTable, make: Callable[[RankTable], Any]) -> Any:
    value = _SHARED.get(name)
    return _SHARED.setdefault(name, make(table)) if value is None else value


class RankTable:
    """The rank table: its bytes, which are the published ones, and what is made of them when it is needed.

    Attributes:
        data: the content of the file.
    """

    def __init__(self, data: bytes, source: str = VOCAB_FILE) -> None:
        """Raises VocabFileError where the bytes are not the published ones; `source` says where they come from."""
        found = hashlib.sha256(data).hexdigest()
        if found != VOCAB_SHA256:
            raise VocabFileError(
                f"{source!r} is not the rank table of Kimi K2: {len(data):,} bytes with SHA-256 {found}, "
                f"expected {VOCAB_BYTES:,} bytes with SHA-256 {VOCAB_SHA256}. It is truncated, edited, or belongs to "
                f"another model; replace it with the {VOCAB_FILE} of a Kimi K2 model."
            )
        self.data: bytes = _SHARED.setdefault("bytes", data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RankTable)  # there is but one

    def __hash__(self) -> int:
        return hash(VOCAB_SHA256)

    def __reduce__(self) -> tuple[Callable[..., RankTable], tuple[bytes, ...]]:
        # Whoever reads a pickle that the package wrote has the package, and so the rank table.
        return (_packaged_table, ()) if _IN_PACKAGE else (_compressed_table, (zlib.compress(self.data, 1),))

    @property
    def tokens(self) -> list[bytes]:
        """The bytes of every token, by rank. Not to be changed."""
        # With this hash, the lines are known to be `base64 rank`, with the ranks 0, 1, 2, … in order.
        tokens: list[bytes] = _shared(
            "tokens", self, lambda table: list(map(binascii.a2b_base64, table.data.split()[::2]))
        )
        return tokens

    @property
    def ranks(self) -> dict[bytes, int]:
        """Token bytes -> rank. Not to be changed."""
        ranks: dict[bytes, int] = _shared("ranks", self, RankTable.new_ranks)
        return ranks

    def new_ranks(self) -> dict[bytes, int]:
        """`ranks`, made anew and not kept."""
        return dict(zip(self.tokens, range(N_RANKS)))  # noqa: B905 (both have N_RANKS)


def read_table(vocab_file: str | os.PathLike[str]) -> RankTable:
    """Read the rank table.

    Raises:
        VocabFileError: the file is missing, unreadable, or not byte for byte the published one.
    """
    try:
        data = Path(vocab_file).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise VocabFileError(
            f"Cannot read the rank table {os.fspath(vocab_file)!r}: {getattr(error, 'strerror', None) or error}. "
            f"Put the {VOCAB_FILE} of any Kimi K2 model there ({VOCAB_BYTES:,} bytes)."
        ) from error
    return RankTable(data, os.fspath(vocab_file))


def _compressed_table(data: bytes) -> RankTable:
    return RankTable(zlib.decompress(data))


def _packaged_table() -> RankTable:
    from importlib.resources import as_file, files

    with as_file(files(__package__).joinpath(VOCAB_FILE)) as path:
        return read_table(path)


class ControlToken(NamedTuple):
    """What an `AddedToken` says of a control token or a token that was added, without transformers."""

    content: str
    special: bool
    normalized: bool = False


def control_tokens(
    table: Mapping[Any, Any] | None, line: str | Mapping[str, Any] | Line | None = None
) -> dict[int, ControlToken]:
    """The named control tokens, id -> token: from the model's own table if there is one, else from its line.

    Args:
        table: `added_tokens_decoder` of a `tokenizer_config.json`, id -> dict, `AddedToken` or name. It decides which
            ids have names, except that some names are always there (`Line.always`). May be empty or None.
        line: see `Line.of`; None when it is not known which line the table belongs to.

    Raises:
        ControlTokenError: the table contradicts itself or what is known of the vocabulary.
    """
    line = Line.of(line)
    if not table:
        return {index: ControlToken(*entry) for index, entry in line.names.items()}
    certain, known = line.certain(), line.known()
    known_ids = {name: index for index, (name, _) in known.items()}
    result = {index: ControlToken(*entry) for index, entry in line.always.items()}
    for key, value in table.items():
        index, name, special = _table_entry(key, value)
        expected = certain.get(index, (name,))[0]
        home = known_ids.get(name, index)
        if name == f"<|reserved_token_{index}|>" and index not in line.always:
            continue
        if name != expected or home != index or re.fullmatch(r"<\|reserved_token_\d+\|>", name):
            ours = f"in {line.name or 'Kimi K2'} {index} is {known.get(index, ('without a name',))[0]!r}"
            _raise_other_name(index, name, ours + (f" and {name!r} is {home}" if home != index else ""))
        result[index] = ControlToken(name, known[index][1] if name in known_ids else special)
    _check_table(result)
    return result


def _is_control(index: int) -> bool:
    return N_RANKS <= index < N_IDS


def _added_table(added: Any, table: Mapping[int, ControlToken]) -> dict[int, ControlToken]:
    """Tokens that were added to a tokenizer with this table: new ones, or control tokens that were made special.

    Raises ControlTokenError if they are neither.
    """
    result = {}
    for key, value in added.items() if isinstance(added, Mapping) else [("saved_tokens", added)]:
        index, name, special = _table_entry(key, value)
        ours = table[index].content if index in table else f"<|reserved_token_{index}|>"
        if _is_control(index) and name != ours:
            _raise_other_name(index, name, f"here it is {ours!r}")
        normalized = bool(value.get("normalized")) if isinstance(value, Mapping) else False
        result[index] = ControlToken(name, special, normalized)
    _check_table({**table, **result})
    return result


def _check_table(result: Mapping[int, ControlToken]) -> None:
    """Raise ControlTokenError where a table has a name twice, or ids beyond the vocabulary with a gap before them."""
    names = [token.content for token in result.values()]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ControlTokenError(
            f"The control-token table gives the name {twice!r} to more than one id. Restore the model's own "
            "tokenizer_config.json."
        )
    beyond = sorted(index for index in result if index >= N_IDS)
    if beyond != list(range(N_IDS, N_IDS + len(beyond))):
        raise ControlTokenError(
            f"The control-token table has ids up to {beyond[-1]}, but Kimi has {N_IDS:,} ids, and tokens that were "
            "added follow these without a gap. Restore the model's own tokenizer_config.json."
        )


def _raise_other_name(index: int, name: str, ours: str) -> NoReturn:
    raise ControlTokenError(
        f"The control-token table says that id {index} is {name!r}, but {ours}. This is another vocabulary, or an "
        "edited tokenizer_config.json: restore the model's own."
    )


def special_tokens(table: Mapping[int, ControlToken]) -> dict[str, int]:
    """Name -> id of all 256 control tokens; an id without a name in `table` is a reserved token."""
    names = {index: f"<|reserved_token_{index}|>" for index in range(N_RANKS, N_IDS)}
    names.update((index, token.content) for index, token in table.items())
    return {name: index for index, name in names.items()}


def _table_entry(key: Any, value: Any) -> tuple[int, str, bool]:
    """One entry of a control-token table as (id, name, special)."""
    entry: Any = {"content": value} if isinstance(value, str) else value
    if hasattr(value, "content"):  # an `AddedToken`
        entry = {name: getattr(value, name) for name in ("content", "special", "lstrip", "rstrip", "single_word")}
    try:
        index = int(key)
        name = entry["content"]
        name.encode("utf-8")  # UnicodeEncodeError, a ValueError, if there is a lone surrogate in it
        special = bool(entry.get("special", False))
        strips = any(entry.get(flag) for flag in ("lstrip", "rstrip", "single_word"))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise ControlTokenError(
            f"The control-token table has the entry {str(key)[:80]!r}: {str(value)[:200]!r}; expected an id and an "
            "object with `content`. Restore the model's own tokenizer_config.json."
        ) from error
    if not isinstance(name, str) or not name or index < 0 or strips:
        raise ControlTokenError(
            f"The control-token table says that id {index} is {str(name)[:80]!r}"
            + (" with lstrip, rstrip or single_word" if strips else "")
            + "; control tokens of Kimi K2 are non-empty strings that match literally. Restore the model's own "
            "tokenizer_config.json."
        )
    return index, name, special


def _check_names(names: Mapping[str, int], table: RankTable) -> None:
    """Raise ControlTokenError if the rank table has a control token's name under another id, or its id for another."""
    for name, index in names.items():
        if index >= N_RANKS and (name in _NO_TOKENS or name == f"<|reserved_token_{index}|>"):
            continue  # the rank table is the published one, which does not have these
        if _rank(table, name.encode("utf-8", "replace")) != (index if index < N_RANKS else None):
            raise ControlTokenError(
                f"The control-token table says that id {index} is {name!r}, which the rank table contradicts. "
                "Restore the model's own tokenizer_config.json."
            )


_NO_TOKENS = {name for table in CONTROL_TOKENS.values() for name, _ in table.values()}


@functools.lru_cache(maxsize=1024)
def _rank(table: RankTable, token: bytes) -> int | None:
    """Rank of a token; None if it is none. Found in the bytes of the table: making `RankTable.ranks` takes longer."""
    line = b"\n%b " % binascii.b2a_base64(token, newline=False)
    start = table.data.find(line)
    if start < 0:
        return 0 if table.data.startswith(line[1:]) else None
    return int(table.data[start + len(line) :].split(b"\n", 1)[0])


def _special_names(table: Mapping[int, Any], but: Collection[str]) -> list[str]:
    """Names of the special control tokens in `table`, by id, except those in `but`."""
    return [token.content for _, token in sorted(table.items()) if token.special and token.content not in but]


def _line_beside(vocab_file: str | os.PathLike[str]) -> tuple[Line, dict[str, Any]]:
    """The line that the `kimi_line.json` beside the rank table describes, an unknown one if there is no such file; and
    what was changed of its tokens when the tokenizer was saved: `SAVED`."""
    path = Path(vocab_file).with_name(LINE_FILE)
    try:
        value = read_object(path)
        saved = {key: value.pop(key) for key in SAVED if value and key in value}
        return Line.of(None if saved and not value else value), saved
    except ValueError as error:
        raise ControlTokenError(f"Cannot read the model line from {str(path)!r}: {error} Delete the file.") from error


# ---------------------------------------------------------------------------------------------------------------------
# 2.1. What a model directory decides
#
# Anybody can write a `tokenizer_config.json`, and exo may download another one at any time. So it chooses the names of
# control tokens, within what `control_tokens` allows, and what does nothing to ids. `HONOURED` is all that counts
# of it, and `special_tokens_map.json`, `added_tokens.json` and `tokenizer.json` do not count at all. What a caller
# passes to `from_pretrained` is not a file's, and goes to transformers as it is.

CONFIG_FILE = "tokenizer_config.json"
TEMPLATE_FILE = "chat_template.jinja"
TEMPLATES_FOLDER = "additional_chat_templates"

SIDES = ("padding_side", "truncation_side")
ROLES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")
HONOURED = ("added_tokens_decoder", "chat_template", "model_max_length", *SIDES, *ROLES)
# Saved in the place of a usual side. Where a `config.json` of Kimi lies beside a saved tokenizer, transformers 5 would
# build one of its own from the rank table, with other ids; but its classes refuse a side of another name, and show it.
_FOR_OTHERS = (
    "as the tokenizer's own class has it. Load it with trust_remote_code=True, or call kimi_tokenizers.register() first"
)
NO_LIMIT = int(1e30)  # what transformers writes as `model_max_length` where there is none

_MOST_BYTES = 16 * 1024 * 1024  # of a file; the largest known, a configuration with a template in it, has 20 KB
_DEEPEST = 256  # objects and lists within one another
_TEMPLATE_NAME = re.compile(r"\w[\w.-]*")  # they are also names of files


def honoured(config: Mapping[str, Any], table: Mapping[int, ControlToken]) -> dict[str, Any]:
    """Of a `tokenizer_config.json` what counts, apart from its table of control tokens: arguments of `__init__`.

    Args:
        table: the control tokens that the tokenizer has. Only special ones can be a `bos_token`, a `pad_token` and so
            on: no other text becomes a token by that.
    """
    found: dict[str, Any] = {side: config[side] for side in SIDES if config.get(side) in ("left", "right")}
    limit = config.get("model_max_length")
    if isinstance(limit, (int, float)) and not isinstance(limit, bool) and limit >= 1:
        found["model_max_length"] = int(min(limit, NO_LIMIT))
    special = _special_names(table, but=())
    for role in ROLES:
        value = config.get(role)
        name = value.get("content") if isinstance(value, Mapping) else value
        if name in special:
            found[role] = name
    templates = chat_templates(config.get("chat_template"))
    return found if templates is None else {**found, "chat_template": templates}


def chat_templates(value: Any) -> str | dict[str, str] | None:
    """What a configuration has as `chat_template`: a text, or several by name; None for what is neither."""
    if isinstance(value, list):
        named_entries = [entry for entry in value if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)]
        value = {entry["name"]: entry.get("template") for entry in named_entries}
    if isinstance(value, Mapping):
        named = {name: text for name, text in value.items() if _is_text(name) and _is_text(text)}
        return {name: text for name, text in named.items() if _TEMPLATE_NAME.fullmatch(name)} or None
    return value if _is_text(value) else None


def _is_text(value: Any) -> bool:
    """Whether it is a text without lone surrogates: others can be neither compiled nor written."""
    return isinstance(value, str) and value.encode("utf-8", "replace").decode("utf-8") == value


def _template_files(files: Mapping[str, Any]) -> str | dict[str, str] | None:
    """The chat templates in files of their own, which win over those in a configuration. Raises ConfigurationError."""
    found = {}
    for key, path in files.items():
        if not key.startswith("chat_template_") or path is None or (data := _read_small(path)) is None:
            continue
        name = "default" if key == "chat_template_file" else key[len("chat_template_") :]
        try:
            found[name] = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{str(path)!r} is not UTF-8 text: {error}. Restore the model's own.") from error
    return found["default"] if found.keys() == {"default"} else chat_templates(found)


def _files_of(folder: Path) -> dict[str, str]:
    """The files of a model directory that a tokenizer is made of, as transformers calls them."""
    names = {"vocab_file": VOCAB_FILE, "tokenizer_config_file": CONFIG_FILE, "chat_template_file": TEMPLATE_FILE}
    files = {key: folder / name for key, name in names.items()}
    more = folder / TEMPLATES_FOLDER
    others = [] if more.is_symlink() else sorted(more.glob("*.jinja"))
    files.update((f"chat_template_{path.stem}", path) for path in others if path.stem != "file")
    return {key: str(path) for key, path in files.items() if path.exists()}


def read_object(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """A small file that holds a JSON object, in any of JSON's encodings; None where there is none.

    Raises:
        ConfigurationError: it holds something else, or is not such a file.
    """
    data = _read_small(path)
    if data is None:
        return None
    try:
        value = json.loads(data, parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise ConfigurationError(f"{str(path)!r} is not JSON: {reason}. Restore the model's own file.") from error
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(_DEEPEST):
        level = [item for parent in level for item in (parent.values() if isinstance(parent, dict) else parent)]
        level = [item for item in level if isinstance(item, (dict, list))]
    if not isinstance(value, dict) or level:
        found = "is nested too deeply" if level else f"holds a JSON {type(value).__name__}, not an object"
        raise ConfigurationError(f"{str(path)!r} {found}. Restore the model's own file.")
    return value


def _parse_int(digits: str) -> int:
    if len(digits) > 1000:  # Python's time is quadratic
        raise ValueError(f"it has an integer of {len(digits):,} digits")
    return int(digits)


def _read_small(path: str | os.PathLike[str]) -> bytes | None:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise ConfigurationError(
                f"{str(path)!r} is no file of at most {_MOST_BYTES:,} bytes. Restore the model's own."
            )
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"Cannot read {str(path)!r}: {error.strerror}. Make it readable.") from error


# ---------------------------------------------------------------------------------------------------------------------
# 2.2. A prompt that remembers what in it is markup


class Segment(NamedTuple):
    """A part of a prompt."""

    text: str
    markup: bool
    """Whether control tokens in `text` are recognised; else they are plain text."""


class Generated(Segment):
    """A part of a prompt that the model writes, in an assistant's message."""


class Prompt(str):
    """A prompt's text, which remembers its segments.

    Its ids are those of its segments, one after the other, so a control token that a user wrote stays plain text. exo
    and mlx-lm render a conversation to text and then encode that text: handed a plain `str`, `encode` could not tell
    markup from what a user wrote.

    It is equal to its text. Plain text added with `+` is another plain segment; whatever else is made of it (a slice,
    `strip`, `format`) is a plain `str`.

    >>> prompt = Prompt([Segment("<|open|>", True), Segment("a", False)])
    >>> prompt == "<|open|>a", (prompt + "<|sep|>").segments[-1]
    (True, Segment(text='<|sep|>', markup=False))
    """

    __slots__ = ("segments",)

    segments: tuple[Segment, ...]

    def __new__(cls, segments: Iterable[tuple[str, bool]] = ()) -> Prompt:
        kept = tuple(part if isinstance(part, Segment) else Segment(*part) for part in segments if part[0])
        prompt = super().__new__(cls, "".join([text for text, _ in kept]))
        prompt.segments = kept
        return prompt

    def __add__(self, other: str) -> Prompt:
        return Prompt(self.segments + _segments(other)) if isinstance(other, str) else NotImplemented

    def __radd__(self, other: str) -> Prompt:
        return Prompt(_segments(other) + self.segments) if isinstance(other, str) else NotImplemented

    def __reduce__(self) -> tuple[type[Prompt], tuple[Any]]:
        return Prompt, (tuple(map(tuple, self.segments)),)  # for copy and pickle


def _segments(text: str) -> tuple[Segment, ...]:
    return text.segments if isinstance(text, Prompt) else (Segment(str(text), False),)


# ---------------------------------------------------------------------------------------------------------------------
# 3. The encoding: a `tiktoken.Encoding` that is cheap for short texts, parallel for long ones, and safe on long runs of
# whitespace, whichever engine does the work

# Up to this length, what Python does before an engine begins takes longer than the engine.
_TINY = 100

# Texts up to this length are neither searched for long runs of whitespace nor cut into parts.
_SHORT = 4096

# From this length on it pays to encode in threads; in parts of so many characters, since some take longer than others.
_LONG = 200_000
_PART = 50_000

# From this length on (up to fifty times as long), it pays to remember texts with control tokens; and so many are.
_CHAT = 20_000
_CHATS = 4

# From so many ids on, integers that are there already are handed out, see `_listed`.
_MANY = 150_000

# So many tiny texts are remembered.
_MOST_TINY = 4096

# Up to so many ids are decoded here; handing them to an engine costs as much.
_FEW = 32
_AT_ONCE = 2048

# From so many ids on (and below `_LONG`), it pays to remember lists that grow; and so many are.
_GROWN = 256
_STREAMS = 16


class _Chat(NamedTuple):
    """A text whose ids are known. The shape of a prompt: of each segment, its length and whether it is markup."""

    text: str
    shape: bytes
    ids: list[int]


class KimiEncoding(tiktoken.Encoding):
    """A `tiktoken.Encoding` with the same results that is fast on short texts and safe on long ones.

    Control tokens are found here; what is between them is encoded by an engine that all encodings of a process share.
    tiktoken's own tables, with the control tokens in them, are built for the methods that ask for them, and not before.
    """

    def __init__(self, table: RankTable, special_tokens: dict[str, int]) -> None:
        self.name = "kimi_k2"
        self._pat_str = PAT_STR
        self._table = table
        self._special_tokens = special_tokens
        self._special_token_values = set(special_tokens.values())
        self.max_token_value = max(N_RANKS - 1, *special_tokens.values())
        # A text in which none of these is found has no control token in it.
        self._beginnings = _beginnings(special_tokens)
        # Where all names are ASCII, lone surrogates, which become other characters, cannot make one.
        self._is_ascii = all(map(str.isascii, special_tokens))
        self._is_usual = self._is_ascii and self._beginnings.keys() == {"<", "["}
        # Ids of tiny texts, and of long ones up to their last control token.
        self._tiny: dict[str, tuple[int, ...]] = {}
        self._chats: tuple[_Chat, ...] = ()
        # Lists that grow, by identity: their ids, their text, and the bytes of an incomplete character at the end.
        self._growing: dict[int, tuple[list[int], str, bytes]] = {}

    # Copies and pickles

    def __copy__(self) -> KimiEncoding:
        return self  # it never changes

    def __deepcopy__(self, memo: Any) -> KimiEncoding:
        return self

    def __reduce__(self) -> tuple[type[KimiEncoding], tuple[RankTable, dict[str, int]]]:
        return KimiEncoding, (self._table, self._special_tokens)

    # What is made when it is needed

    @property
    def engine_name(self) -> str:
        """What encodes: "splintr" or "tiktoken"."""
        return self._engine.name

    @functools.cached_property
    def _mergeable_ranks(self) -> dict[bytes, int]:  # type: ignore[override]
        return self._table.ranks

    @functools.cached_property
    def _core_bpe(self) -> Any:
        return _tiktokens_own(self._mergeable_ranks, self._special_tokens)

    @functools.cached_property
    def _engine(self) -> Engine:
        return _engine(self._table)

    @functools.cached_property
    def _encode_ascii(self) -> Callable[[str], list[int]]:
        """Ids of a text that is short, and ASCII, and has no control token in it."""
        return self._engine.encode_ascii

    @functools.cached_property
    def _token_bytes(self) -> list[bytes | None]:
        """Bytes of every id, and after the last as often None: an index from -1 down gives None, too, and no token."""
        tokens = self._table.tokens + [None] * (2 * self.n_vocab - N_RANKS)
        for name, index in self._special_tokens.items():
            tokens[index] = name.encode()
        return tokens

    # Text to ids

    @property
    def eot_token(self) -> int:
        """The id that ends a text, that of `[EOS]`. Raises KeyError where there is none."""
        return self._special_tokens["[EOS]"]

    # Tables of the whole vocabulary, made when they are first asked for. They are the engine's and not the tokenizer's,
    # because the fingerprints of datasets are made of everything in a tokenizer's `__dict__`.

    @functools.cached_property
    def token_ids(self) -> dict[str, int]:
        """Token -> id of every token; see `TikTokenTokenizer.get_vocab` for how they are written."""
        return {**{_characters(token): rank for token, rank in self._mergeable_ranks.items()}, **self._special_tokens}

    @functools.cached_property
    def tokens(self) -> dict[int, str]:
        """Id -> token of every token."""
        return {index: token for token, index in self.token_ids.items()}

    def encode(
        self,
        text: str,
        *,
        allowed_special: Literal["all"] | AbstractSet[str] = frozenset(),
        disallowed_special: Literal["all"] | Collection[str] = "all",
    ) -> list[int]:
        """As `tiktoken.Encoding.encode`: ids of `text`; raises ValueError on a control token that is disallowed.

        Lone surrogates become U+FFFD, as in tiktoken.

        >>> encoding.encode("Hello, world!<|im_end|>", allowed_special="all")
        [19180, 11, 2695, 0, 163586]
        """
        # Written out, and the cheapest first: what Python does here takes as long as an engine does for a short text.
        if allowed_special == "all" == disallowed_special:
            if type(text) is str:
                if (ids := self._tiny.get(text)) is not None:
                    return [*ids]
                if len(text) <= _SHORT and self._is_usual and "<" not in text and "[" not in text:
                    is_tiny = len(text) <= _TINY and text.isascii()
                    return self._encode_tiny(text) if is_tiny else self._engine.encode(text)
            if isinstance(text, str) and _CHAT <= len(text) <= 50 * _CHAT and self._are_apart:
                return self._encode_chat(text)
        split = self._split(text, allowed_special, disallowed_special)
        return self._encode_split([split], _MOST_THREADS if len(text) >= _LONG else 1)[0]

    def _encode_tiny(self, text: str) -> list[int]:
        try:
            ids = self._encode_ascii(text)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # a panic is no Exception; `Engine.encode` knows what to do
            return self._engine.encode(text)
        if len(self._tiny) >= _MOST_TINY:
            self._tiny.clear()
        self._tiny[text] = tuple(ids)
        return ids

    def _encode_chat(self, text: str) -> list[int]:
        """Ids of a long text, or a long prompt. Of one that begins as an earlier one, only what is new is encoded.

        With every turn, a chat is encoded again. It is remembered up to its last control token, which cuts a text
        whatever is around it, as the end of a segment does.
        """
        segments = text.segments if isinstance(text, Prompt) else ()
        shape = array.array("Q", [2 * len(part) + bool(markup) for part, markup in segments]).tobytes()
        chats = self._chats
        same = (chat for chat in chats if text.startswith(chat.text) and shape.startswith(chat.shape))
        known = next((chat for chat in same if bool(chat.shape) == bool(shape)), _Chat("", b"", []))
        rest = ""
        if segments:
            split = self._split_prompt(segments[len(known.shape) // 8 :])
        else:
            split = self._split(text[len(known.text) :], "all", "all")
            if split and not isinstance(last := split[-1], int):
                rest, split = last, split[:-1]
        ids = known.ids + self._encode_split([split], _MOST_THREADS)[0]
        # Where lone surrogates have become other characters, the text may not end so.
        if (split or known.ids) and text.endswith(rest):
            new = _Chat(str(text[: len(text) - len(rest)]), shape, ids)
            self._chats = (new, *(chat for chat in chats if chat is not known))[:_CHATS]
        return ids + self._encode_split([[rest]], _MOST_THREADS)[0]

    @functools.cached_property
    def _are_apart(self) -> bool:
        """Whether no control token is part of another, so that where one ends does not depend on what follows it."""
        names = "\n".join(self._special_tokens)
        return self._is_usual and all(names.count(name) == 1 for name in self._special_tokens)

    def encode_ordinary(self, text: str) -> list[int]:
        """As `tiktoken.Encoding.encode_ordinary`: ids of `text` with control tokens as plain text."""
        if len(text) <= _SHORT or not isinstance(text, str):
            return self._engine.encode(text)
        return self._encode_split([[text]], _MOST_THREADS)[0]

    def encode_batch(
        self,
        text: list[str],
        *,
        num_threads: int = 8,
        allowed_special: Literal["all"] | AbstractSet[str] = frozenset(),
        disallowed_special: Literal["all"] | Collection[str] = "all",
    ) -> list[list[int]]:
        """As `tiktoken.Encoding.encode_batch`: ids of every text."""
        if not isinstance(disallowed_special, str):
            disallowed_special = frozenset(disallowed_special)
        return self._encode_split([self._split(one, allowed_special, disallowed_special) for one in text], num_threads)

    def encode_ordinary_batch(self, text: list[str], *, num_threads: int = 8) -> list[list[int]]:
        """As `tiktoken.Encoding.encode_ordinary_batch`."""
        texts = [one if isinstance(one, str) else self._engine.encode(one) for one in text]  # that raises TypeError
        return self._encode_split([[one] for one in texts], num_threads)

    def count_batch(self, text: list[str], *, control_tokens: bool = True) -> list[int]:
        """How many ids every text has, without making them.

        Args:
            control_tokens: as `encode_batch` with all of them allowed; otherwise as `encode_ordinary_batch`.
        """
        threads = _threads()
        split = [self._split(one, "all" if control_tokens else frozenset(), frozenset()) for one in text]
        splits = [[part for piece in pieces for part in _parts(piece, threads)] for pieces in split]
        texts = [piece for pieces in splits for piece in pieces if isinstance(piece, str)]

        def count(piece: str) -> int:
            return len(self._encode_piece(piece))

        pays = threads > 1 and sum(map(len, texts)) >= _LONG
        counted = iter(self._engine.encode_each(texts, threads, count, _lengths) if pays else map(count, texts))
        return [sum(next(counted) if isinstance(piece, str) else 1 for piece in pieces) for pieces in splits]

    def encode_to_numpy(
        self,
        text: str,
        *,
        allowed_special: Literal["all"] | AbstractSet[str] = frozenset(),
        disallowed_special: Literal["all"] | Collection[str] = "all",
    ) -> Any:
        """As `tiktoken.Encoding.encode_to_numpy`: ids of `text` as an array of uint32. Needs numpy."""
        import numpy as np

        ids = self.encode(text, allowed_special=allowed_special, disallowed_special=disallowed_special)
        return np.array(ids, dtype=np.uint32)

    def encode_single_token(self, text_or_bytes: str | bytes) -> int:
        """As `tiktoken.Encoding.encode_single_token`: id of a whole token; raises KeyError where it is none."""
        if isinstance(text_or_bytes, str):
            if text_or_bytes in self._special_tokens:
                return self._special_tokens[text_or_bytes]
            text_or_bytes = text_or_bytes.encode("utf-8")
        index = self._mergeable_ranks.get(text_or_bytes)
        return super().encode_single_token(text_or_bytes) if index is None else index

    # Texts in pieces: of what has no control token in it, and of the ids of control tokens

    def _split(
        self, text: str, allowed: Literal["all"] | AbstractSet[str], disallowed: Literal["all"] | Collection[str]
    ) -> list[str | int]:
        """A text in pieces. Raises ValueError on a control token that is disallowed."""
        everything = isinstance(allowed, str) and allowed == "all"
        if everything:
            allowed = self.special_tokens_set
            if disallowed == "all":
                disallowed = ()
            if isinstance(text, Prompt) and not disallowed:
                return self._split_prompt(text.segments)
        if not isinstance(text, str) or not isinstance(allowed, (frozenset, set)):
            super().encode(text, allowed_special=allowed, disallowed_special=disallowed)  # says what is wrong with it
            raise TypeError(f"allowed_special must be 'all' or a set of strings, not {type(allowed).__name__}.")
        if not self._is_ascii:
            text = _without_surrogates(text)
        # A disallowed string need not be a control token, and then beginnings say nothing about it.
        forbidden = self.special_tokens_set - allowed if disallowed == "all" else frozenset(disallowed)
        has_none = not any(beginning.search(text) for beginning in self._beginnings.values())
        if forbidden and not (has_none and forbidden <= self._special_tokens.keys()):
            match = _any_of(frozenset(forbidden)).search(text)
            if match:
                super().encode(match.group(), allowed_special=allowed, disallowed_special=forbidden)  # raises
        if has_none:
            return [text]
        if everything:
            names = self._angles if self._is_usual and not self._beginnings["["].search(text) else self._all_names
        else:
            names = _any_of(frozenset(self._special_tokens.keys() & allowed))
        split: list[str | int] = names.split(_without_surrogates(text))  # every other piece is a name
        split[1::2] = map(self._special_tokens.__getitem__, split[1::2])  # type: ignore[arg-type]
        return [piece for piece in split if piece != ""]

    def _split_prompt(self, segments: Iterable[Segment]) -> list[str | int]:
        """A prompt in pieces: its segments are encoded one by one."""
        ids = self._special_tokens
        if all(text in ids for text, markup in segments if markup):
            return [ids[text] if markup else text for text, markup in segments]
        pieces = (self._split(text, "all", "all") if markup else [text] for text, markup in segments)
        return list(itertools.chain.from_iterable(pieces))

    @functools.cached_property
    def _all_names(self) -> re.Pattern[str]:
        return _any_of(frozenset(self._special_tokens))

    @functools.cached_property
    def _angles(self) -> re.Pattern[str]:
        """Those that begin with `<`. `re` looks for one character much faster than for two."""
        return _any_of(frozenset(name for name in self._special_tokens if name[0] == "<"))

    def _encode_split(self, splits: Sequence[Sequence[str | int]], threads: int) -> list[list[int]]:
        """Ids of texts in pieces. Much text is shared out among threads, where that pays.

        Then a piece that is longer than a thread's share is cut into parts; where there is none, as in a chat, each
        piece is encoded once, however often it is there.
        """
        encode: Callable[[str], list[int]] = self._encode_piece
        if threads > 1:
            texts = [piece for piece in dict.fromkeys(itertools.chain.from_iterable(splits)) if isinstance(piece, str)]
            threads = min(threads, _threads()) if sum(map(len, texts)) >= _LONG else 1
        if threads > 1:
            if is_long := max(map(len, texts)) >= _LONG:
                splits = [[part for piece in split for part in _parts(piece, threads)] for split in splits]
                texts = [piece for split in splits for piece in split if isinstance(piece, str)]
            made_of = _joined if is_long and len(splits) == 1 and len(texts) == len(splits[0]) else _lists
            encoded = iter(self._engine.encode_each(texts, threads, encode, made_of))
            encode = (lambda _: next(encoded)) if is_long else dict(zip(texts, encoded)).__getitem__  # noqa: B905
        result = []
        for split in splits:
            ids: list[int] = []
            for piece in split:
                if isinstance(piece, str):
                    ids += encode(piece)
                else:
                    ids.append(piece)
            result.append(ids)
        return result

    def _encode_piece(self, text: str) -> list[int]:
        if len(text) > _SHORT and _has_long_run(text):
            return self._encode_around_runs(_without_surrogates(text))
        return self._engine.encode(text)

    # Long runs of whitespace

    def _encode_around_runs(self, text: str) -> list[int]:
        r"""Ids of a text without control tokens. Long runs of whitespace are cut out where the pattern cuts anyway.

        The pattern splits a run (`\s*[\r\n]+`, then `\s+(?!\S)`) into one piece up to its last line break and one piece
        of the rest without the last character, which belongs to what follows (at the end of the text: all the rest).
        """
        encode = self._engine.encode
        ids: list[int] = []
        start = 0
        for match in _long_run().finditer(text):
            run, end = match.span()
            breaks = run + len(match.group()) - len(match.group().lstrip("\r\n"))
            rest = max(text.rfind("\n", run, end), text.rfind("\r", run, end), run - 1) + 1
            head = breaks if rest <= breaks or _takes_line_breaks(text[start:run], text[run:breaks]) else run
            ids += encode(text[start:head])
            ids += self._encode_run(text[head:rest])
            start = end if end == len(text) else max(rest, end - 1)
            ids += self._encode_run(text[rest:start])
        return ids + encode(text[start:])

    def _encode_run(self, run: str) -> list[int]:
        """Ids of a piece of whitespace, which is one piece to the pattern.

        Byte pair encoding is local: if a text encodes to `… x x …`, then with another `x` between these two it encodes
        to `… x x x …`. So long repetitions of a character are shortened by whole tokens, which are put back afterwards.
        """
        encode = self._engine.encode
        if len(run) <= 2 * _STRIDE:
            return encode(run)
        kept: list[str] = []
        gaps: list[tuple[int, int, int, int]] = []  # first and last byte of a shortened repetition, token, how many
        start = size = 0
        for match in _REPETITION.finditer(run):
            repetition = match.group()
            if len(repetition) <= 2 * _STRIDE:
                continue
            unit = encode(repetition[:_STRIDE])[0]
            width = len(self.decode_single_token_bytes(unit).decode("utf-8", "ignore"))
            repeats = (len(repetition) - _STRIDE) // width if width else 0
            kept += run[start : match.start()], repetition[repeats * width :]
            begin = size + len(kept[-2].encode())
            size = begin + len(kept[-1].encode())
            gaps.append((begin, size, unit, repeats))
            start = match.end()
        ids = encode("".join(kept) + run[start:])
        position = 0
        result: list[int] = []
        for token, after in zip(ids, [*ids[1:], -1]):  # noqa: B905 (equally long)
            result.append(token)
            width = len(self.decode_single_token_bytes(token))
            if gaps and token == after == gaps[0][2] and gaps[0][0] <= position <= gaps[0][1] - 2 * width:
                result += [token] * gaps.pop(0)[3]
            position += width
        return encode(run) if gaps else result

    # Ids to text

    def decode_bytes(self, tokens: Sequence[int]) -> bytes:
        """As `tiktoken.Encoding.decode_bytes`. Raises TokenIdError, which is a KeyError, for an unknown id."""
        try:
            if len(tokens) <= _AT_ONCE:
                return self._decode_some(tokens)
            if not isinstance(tokens, (list, tuple)):
                tokens = [*tokens]  # a deque cannot be cut
            starts = range(0, len(tokens), _AT_ONCE)  # a control token makes some slower, but not all
            return b"".join([self._decode_some(tokens[start : start + _AT_ONCE]) for start in starts])
        except (IndexError, TypeError):
            self._raise_bad_id(tokens)
            raise

    def _decode_some(self, tokens: Sequence[int]) -> bytes:
        if len(tokens) > _FEW:
            with contextlib.suppress(ArithmeticError, KeyError, ValueError):  # no control tokens are known there
                return self._engine.decode(tokens)
        return b"".join(map(self._token_bytes.__getitem__, tokens))  # type: ignore[arg-type]

    def decode(self, tokens: Sequence[int], errors: str = "replace") -> str:
        """As `tiktoken.Encoding.decode`. Raises TokenIdError, which is a KeyError, for an id that there is not."""
        if type(tokens) is list and _GROWN <= len(tokens) < _LONG and errors == "replace":
            return self._decode_growing(tokens)
        return self.decode_bytes(tokens).decode("utf-8", errors=errors)

    def _decode_growing(self, tokens: list[int]) -> str:
        """Text of a list that may have been decoded before, when it was shorter: then only what is new is decoded.

        mlx-lm's `NaiveStreamingDetokenizer` decodes a growing line for each token. A list is looked up by its identity
        and compared with what it was; nothing is kept of one that has been seen once, or is another one now.
        """
        key = id(tokens)
        known = self._growing.pop(key, None)  # no two threads use the same
        if len(self._growing) >= _STREAMS:
            with contextlib.suppress(RuntimeError):  # another thread was quicker
                self._growing.pop(next(iter(self._growing)), None)  # the one not used for longest
        if known:
            ids, text, rest = known
            new = tokens[len(ids) :]
            ids += new
            if ids == tokens:
                with contextlib.suppress(LookupError, TypeError):  # what is wrong is said of the whole list, below
                    data = rest + self.decode_bytes(new)
                    more, used = codecs.utf_8_decode(data, "replace", False)
                    text += more
                    rest = data[used:]
                    self._growing[key] = ids, text, rest
                    return text + rest.decode("utf-8", "replace") if rest else text
        self._growing[key] = [], "", b""
        return self.decode_bytes(tokens).decode("utf-8", "replace")

    def decode_single_token_bytes(self, token: int) -> bytes:
        """As `tiktoken.Encoding.decode_single_token_bytes`. Raises TokenIdError, which is a KeyError."""
        try:
            return self._token_bytes[token] or self.decode_bytes((token,))
        except IndexError:
            return self.decode_bytes((token,))

    def token_byte_values(self) -> list[bytes]:
        """As `tiktoken.Encoding.token_byte_values`: the bytes of every id that is no control token, sorted."""
        return sorted(self._table.tokens)

    def _raise_bad_id(self, ids: Iterable[Any], only_ids: bool = False) -> None:
        """Raise TokenIdError if one of them is an integer but no id; with `only_ids` also if it is no integer."""
        for position, index in enumerate(ids):
            if not hasattr(index, "__index__"):
                if only_ids:
                    raise TokenIdError(f"Token ids must be integers; at position {position} is {str(index)[:60]!r}.")
            elif not (0 <= int(index) < self.n_vocab and self._token_bytes[index]):
                raise TokenIdError(
                    f"There is no token with id {int(index)} (at position {position}); ids: 0 to {self.n_vocab - 1}. "
                    "These come from another vocabulary, or are padding such as -100 that must be removed first."
                )


# ---------------------------------------------------------------------------------------------------------------------
# 3.1. Engines: what encodes and decodes a text with no control token in it. Ids are the same from each.

ENGINE_VARIABLE = "KIMI_TOKENIZERS_ENGINE"
"""Set to "tiktoken", it keeps the quicker engine out."""

_T = TypeVar("_T")
_MadeOf = Callable[
    [memoryview, "Iterable[tuple[int, int]]"], "Iterable[_T]"
]  # ids of many texts, where each is in them


class Engine:
    """tiktoken.

    Attributes:
        encode_ascii: ids of a tiny text that is ASCII, as quickly as can be.
        decode: the bytes of ids; raises KeyError, ValueError or OverflowError for any that it does not know.
        group: so many characters are handed to a thread at once that taking turns costs little.
    """

    name = "tiktoken"
    group = 50_000
    encode_ascii: Callable[[str], list[int]]
    decode: Callable[[Sequence[int]], bytes]

    def __init__(self, core: Any) -> None:
        self.encode_ascii = core.encode_ordinary
        self.decode = core.decode_bytes

    def encode(self, text: str) -> list[int]:
        """Ids of a text without long runs of whitespace."""
        try:
            return self.encode_ascii(text)
        except UnicodeEncodeError:
            return self.encode_ascii(_without_surrogates(text))

    def encode_each(
        self, texts: Sequence[str], threads: int, encode: Callable[[str], _T], made_of: _MadeOf[_T]
    ) -> Iterable[_T]:
        """What `encode` makes of each of many texts, by threads; or `made_of` of ids, where they are there in C."""
        groups: list[list[str]] = [[]]
        size = 0
        for text in texts:
            if size >= self.group:
                groups.append([])
                size = 0
            groups[-1].append(text)
            size += len(text)

        def encode_group(group: list[str]) -> list[_T]:
            return self.encode_group(group, encode, made_of)

        if len(groups) > 1:
            # RuntimeError: threads cannot be started, for example while Python is shutting down.
            with contextlib.suppress(RuntimeError), ThreadPoolExecutor(threads) as pool:
                return itertools.chain.from_iterable(list(pool.map(encode_group, groups)))
        return itertools.chain.from_iterable(map(encode_group, groups))

    def encode_group(self, texts: list[str], encode: Callable[[str], _T], made_of: _MadeOf[_T]) -> list[_T]:
        """As `encode_each`, by one thread."""
        return list(map(encode, texts))


class Splintr(Engine):
    """splintr; but tiktoken for a text in which the two could differ, and for all once splintr has failed."""

    name = "splintr"
    group = 500_000

    def __init__(self, fast: Any, table: RankTable) -> None:
        self.encode_ascii = fast.encode_ordinary
        self._fast = fast
        self._table = table
        self._beginnings = _beginnings(fast.special_tokens())

    @functools.cached_property
    def _slow(self) -> Engine:
        return _tiktoken(self._table)

    def encode(self, text: str) -> list[int]:
        """As `Engine.encode`."""
        if not isinstance(text, str):
            return self._slow.encode(text)  # which says what is wrong with it
        if self._fast and _is_alike(text):
            try:
                if len(text) > _TINY:
                    self._prove()
                if len(text) > _SHORT and self._has_no_name(text):
                    return memoryview(self._fast.encode_flat(text)).cast("I").tolist()
                return self.encode_ascii(text)
            except BaseException as error:
                self._give_up(error)
        return self._slow.encode(text)

    def encode_group(self, texts: list[str], encode: Callable[[str], _T], made_of: _MadeOf[_T]) -> list[_T]:
        """As `Engine.encode_group`, by splintr's threads. Names and long runs of whitespace are left to `encode`."""
        if _SHARED.setdefault("process with threads", os.getpid()) != os.getpid():
            return list(map(encode, texts))  # threads do not survive a fork, and it would wait for them
        are_alike = self._is_alike("".join(texts))  # of many short ones, that is quicker than to look at each
        usual = [
            (are_alike or self._is_alike(text)) and (len(text) <= _SHORT or not _has_long_run(text)) for text in texts
        ]
        if made_of is _joined and not all(usual):
            made_of = cast("_MadeOf[_T]", _lists)
        try:
            self._prove()
            flat, ends = self._fast.encode_batch_flat([*itertools.compress(texts, usual)])
            fast = iter(made_of(memoryview(flat).cast("I"), itertools.pairwise(memoryview(ends).cast("Q"))))
        except BaseException as error:
            self._give_up(error)
            return list(map(encode, texts))
        return [next(fast) if is_usual else encode(text) for text, is_usual in zip(texts, usual)]  # noqa: B905

    def decode(self, ids: Sequence[int]) -> bytes:
        """As `Engine.decode`."""
        fast = self._fast
        try:
            largest = max(ids)
        except TypeError:  # integers of a class that does not compare, or none
            largest = max(map(operator.index, ids))
        if not fast or largest >= N_RANKS:
            raise ValueError("given up, or a control token, which splintr would leave out")
        data: bytes = fast.decode_bytes(ids)
        return data

    def _has_no_name(self, text: str) -> bool:
        """Whether a text can have none of splintr's own control tokens in it: only `encode_ordinary` lets them be."""
        return not any(beginning.search(text) for beginning in self._beginnings.values())

    def _is_alike(self, text: str) -> bool:
        """Whether all of splintr's methods give tiktoken's ids of a text."""
        return _is_alike(text) and self._has_no_name(text)

    def _prove(self) -> None:
        """Ask for the known answers that need merges, once. splintr prepares itself for merges at the first."""
        if "splintr's own proved" not in _SHARED:
            text = _proof_text()
            flat = self._fast.encode_flat(text)
            if zlib.crc32(flat) != _PROOF or self._fast.encode_ordinary(text) != memoryview(flat).cast("I").tolist():
                raise ValueError(_NOT_KNOWN)
            if self._fast.decode_bytes(self._fast.encode_ordinary(text)) != text.encode():
                raise ValueError("it decodes to another text")
            _SHARED["splintr's own proved"] = True

    def _give_up(self, error: BaseException) -> None:
        if self._fast:
            self._fast = None
            self.group = Engine.group  # tiktoken has no threads of its own
            _give_up(error)


def _listed(ids: memoryview) -> list[int]:
    """Ids as Python's integers. Of very many, the same integers over and over: quicker, in a fifth of the memory."""
    if len(ids) < _MANY or sys.modules.get("numpy") is None:  # where transformers is imported, it is there
        return ids.tolist()
    import numpy as np

    integers = _SHARED.get("integers")
    if integers is None:
        integers = _SHARED.setdefault("integers", np.arange(N_RANKS).astype(object))
    listed: list[int] = integers.take(np.frombuffer(ids, np.uint32)).tolist()
    return listed


def _lists(ids: memoryview, bounds: Iterable[tuple[int, int]]) -> Iterable[list[int]]:
    listed = _listed(ids)
    return (listed[begin:end] for begin, end in bounds)


def _joined(ids: memoryview, bounds: Iterable[tuple[int, int]]) -> Iterable[list[int]]:
    """All ids as those of the first text, for one who puts them together anyway."""
    return itertools.chain((_listed(ids),), itertools.repeat([]))


def _lengths(ids: memoryview, bounds: Iterable[tuple[int, int]]) -> Iterable[int]:
    return (end - begin for begin, end in bounds)


def _is_alike(text: str) -> bool:
    """Whether splintr and tiktoken see the same in a text: neither characters of `_ODD` nor lone surrogates."""
    if text.isascii():
        return True
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return False
    return not any(map(data.__contains__, _ODD_LEADS)) or not _ODD.search(data)


def _engine(table: RankTable) -> Engine:
    """splintr if it is installed, gives the known answers and $KIMI_TOKENIZERS_ENGINE allows; else tiktoken."""
    if os.environ.get(ENGINE_VARIABLE, "") in ("", "splintr") and (fast := _shared("splintr's own", table, _splintr)):
        return Splintr(fast, table)
    return _tiktoken(table)


def _tiktoken(table: RankTable) -> Engine:
    return Engine(_shared("tiktoken", table, lambda table: _tiktokens_own(table.new_ranks(), {})))


def _tiktokens_own(ranks: dict[bytes, int], names: dict[str, int]) -> Any:
    return tiktoken.Encoding("kimi", pat_str=PAT_STR, mergeable_ranks=ranks, special_tokens=names)._core_bpe


def _splintr(table: RankTable) -> Any:
    """splintr's own tokenizer of Kimi K2; False if it is not installed, or its tokens or ids are not those of `table`.

    Where exo runs this file, model directories are in front of sys.path. So it has to be installed beside tiktoken.
    """
    try:
        spec = importlib.util.find_spec("splintr")
        if not spec or not spec.origin or Path(spec.origin).parent.parent != Path(tiktoken.__file__).parent.parent:
            return False
        fast = importlib.import_module("splintr").Tokenizer.from_pretrained("kimi_k2")
        if hashlib.sha256(fast.decode_bytes(range(N_RANKS))).hexdigest() != _TOKENS_SHA256:
            raise ValueError("its tokens are not those of the rank table")
        if zlib.crc32(fast.encode_flat(_FIRST_TEXT)) != _FIRST_PROOF or not fast.special_tokens():
            raise ValueError(_NOT_KNOWN)
    except BaseException as error:
        _give_up(error)
        return False
    return fast


def _give_up(error: BaseException) -> None:
    """Let tiktoken do the rest, unless it is to be interrupted, and say so once."""
    if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
        raise error
    if _SHARED.get("splintr's own") is not False:
        _SHARED["splintr's own"] = False
        warnings.warn(
            f"splintr failed ({type(error).__name__}: {error}); tiktoken encodes instead, with the same ids. Update "
            f"splintr-rs, or set {ENGINE_VARIABLE}=tiktoken to be rid of this warning.",
            RuntimeWarning,
            stacklevel=5,
        )


# Where splintr 0.22 and tiktoken 0.14 differ: after `'`, `ſ` is an `s` to tiktoken; and splintr follows Unicode 17, in
# which some 4,700 characters are of another class. Written as UTF-8, in which it is found three times as fast; some of
# what is next to them is taken in as well, most of all in the upper planes, and whatever comes after them.
_ODD_LEADS = tuple(bytes([lead]) for lead in b"\xc5\xca\xe0\xe1\xea\xf0\xf1\xf2\xf3\xf4")  # of valid UTF-8
_ODD = re.compile(
    rb"[\xc5\xca\xe0\xe1\xea\xf0-\xff]"  # a class to begin with is what Python's `re` looks for quickly
    rb"(?:(?<=\xc5)\xbf|(?<=\xca)\x95|(?<=\xe0)(?:\xa2\x8f|[\xb1\xb3]\x9c)|(?<=\xe1)\xab|(?<=\xea)\x9f"
    rb"|(?<=\xf0)[\x90-\x9e\xab\xac\xb2-\xbf]|(?<=[\xf1-\xff]))"
)

# SHA-256 of all tokens of the rank table, one after the other.
_TOKENS_SHA256 = "95948a2d64bfbc9bdbcc2a05a342a9a864c3aa4312c0b2513a9ce523fbb4001b"

_NOT_KNOWN = "it gives other ids than the known ones"

# CRC of the ids of `_proof_text()`, each in four bytes.
_PROOF = 1575809898

# A text of words that are tokens, so that nothing is to be merged; and the CRC of its ids.
_FIRST_TEXT = "Hello, world! It's THE end; we'll see 1234567.\r\n\r\n  x \t y **z**\n\n    return self 中文，你好"
_FIRST_PROOF = 3866546054


def _proof_text() -> str:
    """Characters of all kinds (but none of `_ODD`) between others of all kinds."""
    codes = (code for code in (*range(0x250), *range(0x250, 0x30000, 41)) if not 0xD800 <= code < 0xE000)
    shapes = itertools.cycle(("a{0}B'll ", "{0}{0}'S 1{0}2345\n", "中{0}文 !{0}!\r\n\n", " {0}\n\n  {0}x \u3000 "))
    return "".join(next(shapes).format(character) for character in map(chr, codes) if _is_alike(character))


def _without_surrogates(text: str) -> str:
    """The text with U+FFFD in place of lone surrogates, as tiktoken sees it."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


# ---------------------------------------------------------------------------------------------------------------------
# 3.2. Control tokens in a text


@functools.lru_cache(maxsize=8)
def _any_of(names: frozenset[str]) -> re.Pattern[str]:
    return re.compile(f"({_alternatives(names) or '(?!)'})")  # (?!) fits nothing


def _beginnings(names: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """How control tokens begin, for each character they begin with: `re` looks for one much faster than for several."""
    firsts: dict[str, set[str]] = {}
    for name in names:
        firsts.setdefault(name[:1], set()).add("<|" if name.startswith("<|") else name)
    return {first: re.compile(_alternatives(beginnings)) for first, beginnings in firsts.items()}


def _alternatives(names: Collection[str], depth: int = 0) -> str:
    """A regular expression for the longest of `names` that fits, built from common beginnings: they may be many."""
    if depth == 32:  # no control tokens have so many characters in common, and Python limits recursion
        return f"(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})"
    rests: dict[str, list[str]] = {}  # first character -> what follows it
    for name in names:
        if name:
            rests.setdefault(name[0], []).append(name[1:])
    alike: dict[str, list[str]] = {}  # expression for what follows -> the first characters that it follows
    for first, rest in rests.items():
        alike.setdefault(_alternatives(rest, depth + 1), []).append(re.escape(first))
    branches = [
        (firsts[0] if len(firsts) == 1 else f"[{''.join(firsts)}]") + follows for follows, firsts in alike.items()
    ]
    if not branches:
        return ""
    expression = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{expression})?" if "" in names else expression


# ---------------------------------------------------------------------------------------------------------------------
# 3.3. Long runs of whitespace

# What `\s` matches in tiktoken's regex engine: the Unicode property White_Space. (Python's `\s` has four more.)
_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# tiktoken panics on long runs of whitespace (the limit is somewhere below a million characters), and versions before
# 0.13 take quadratic time for them. So runs of 2 * _STRIDE or more are cut out; looking for them by strides is cheap,
# see `_has_long_run`.
_STRIDE = 4096
_SPACE_PAIR = re.compile(f"[{_SPACE}](?=[{_SPACE}])")
_REPETITION = re.compile(r"(.)\1+", re.DOTALL)


def _has_long_run(text: str) -> bool:
    """Whether `text` may hold 2 * _STRIDE whitespace characters in a row.

    If it does, all characters from some multiple of _STRIDE to the next are whitespace.
    """
    return any(
        text[sample.start() * _STRIDE : (sample.start() + 1) * _STRIDE].isspace()
        for sample in _SPACE_PAIR.finditer(text[::_STRIDE])
    )


@functools.lru_cache(maxsize=1)
def _long_run() -> re.Pattern[str]:
    return re.compile(f"[{_SPACE}]{{{2 * _STRIDE},}}")


def _takes_line_breaks(before: str, breaks: str) -> bool:
    """Whether the last piece of `before` includes the line breaks that follow, as a piece of punctuation does.

    tiktoken's own regex engine is asked, so that there is no second table of Unicode classes to keep in step with it.
    """
    if not before or not breaks:
        return False
    return _probe().encode_ordinary(before + "\n \n")[-3:] == [10, 32, 10]


@functools.lru_cache(maxsize=1)
def _probe() -> tiktoken.Encoding:
    """An encoding of bytes with one token for line break + space, which shows whether the pattern cuts between them."""
    ranks = {bytes([value]): value for value in range(256)}
    return tiktoken.Encoding("kimi_probe", pat_str=PAT_STR, mergeable_ranks={**ranks, b"\n ": 256}, special_tokens={})


# ---------------------------------------------------------------------------------------------------------------------
# 3.4. Threads

# Where one part may end and the next begin. No alternative of the pattern continues from such a letter to such a
# character: within a piece, only letters, marks and contractions can follow a letter. None looks back, and the only one
# that looks ahead does so after whitespace. So the pattern cuts here, whatever comes before and after.
_JOINT = re.compile("[A-Za-z\u4e00-\u9fa5](?=[ \n,.，。、；：！？])")
_MOST_THREADS = 8


def _parts(text: str | int, threads: int) -> Sequence[str | int]:
    """A text in parts for several threads, if it is long. Their ids are those of the text. Any other piece is one."""
    if not isinstance(text, str) or len(text) < _LONG:
        return (text,)
    count = threads * math.ceil(len(text) / (threads * _PART))
    starts = [0]
    for part in range(1, count):
        near = max(starts[-1], part * len(text) // count)
        if joint := _JOINT.search(text, near, near + _LONG):
            starts.append(joint.end())
    return [text[start:end] for start, end in itertools.pairwise([*starts, len(text)])]


def _threads() -> int:
    """How many threads to encode with. As in Hugging Face's libraries, $TOKENIZERS_PARALLELISM can switch them off."""
    if os.environ.get("TOKENIZERS_PARALLELISM", "").lower() in ("0", "false", "no", "off", "f", "n"):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_THREADS)


# ---------------------------------------------------------------------------------------------------------------------
# 4. Conversations and tools, checked before a template makes something else of them


def _without_aliases(conversation: Any) -> Any:
    """The conversation, with a `reasoning_content` in each message that has `reasoning` or `thinking` instead.

    transformers 5.23 copies these two fields to `reasoning_content` where that is missing, and so changes the output of
    a template that distinguishes the three.
    """
    if isinstance(conversation, (list, tuple)):
        return [
            item
            if type(item) is dict and "reasoning" not in item and "thinking" not in item
            else _without_aliases(item)
            for item in conversation
        ]
    if isinstance(conversation, Mapping) and conversation.get("reasoning_content") is None:
        others = (conversation.get("reasoning"), conversation.get("thinking"))
        return conversation if all(other is None for other in others) else {**conversation, "reasoning_content": ""}
    return conversation


def wanted_thinking(thinking: Any, kwargs: dict[str, Any]) -> bool | None:
    """Whether the model shall think, as `thinking` and the `enable_thinking` in `kwargs` say; None if neither does.

    Raises ConversationError for what says neither yes nor no: a template would take any of it for yes.
    """
    found = {"thinking": thinking, "enable_thinking": kwargs.get("enable_thinking")}
    for name, value in found.items():
        kind = value.get("type") if isinstance(value, Mapping) else None
        if kind in ("enabled", "disabled"):
            found[name] = kind == "enabled"
        elif value is not None and not (isinstance(value, int) and value in (0, 1)):
            raise ConversationError(
                f"`{name}` is {str(value)[:80]!r}; give True or False, or an object with the `type` 'enabled' or "
                "'disabled'."
            )
    given = [bool(value) for value in found.values() if value is not None]
    if found["enable_thinking"] is not None:
        kwargs["enable_thinking"] = all(given)
    return (all(given) if thinking is not None or False in given else None) if given else None


def check_conversation(conversation: Any, can_be_batch: bool = True) -> None:
    """Check that messages are what a template can render, before it makes something else of them, or nothing.

    Raises:
        ConversationError: they are not; it names the message by its index, and the field.
    """
    if not isinstance(conversation, (list, tuple)):
        if _has_messages(conversation):
            return  # transformers' own class
        raise ConversationError(
            f"A conversation must be a list of messages, not {_a(conversation)}. Put a single message into a list."
        )
    is_batch = can_be_batch and bool(conversation) and isinstance(conversation[0], (list, tuple))
    for index, message in enumerate(conversation):
        if is_batch:
            try:
                check_conversation(message, can_be_batch=False)
            except ConversationError as error:
                raise ConversationError(f"Conversation {index}: {error}") from error
        elif type(message) is dict or isinstance(message, Mapping):
            try:
                _check_message(message)
            except ConversationError as error:
                raise ConversationError(f"Message {index}: {error}") from error
        elif not _has_messages(message):
            raise ConversationError(
                f"Message {index} is {_a(message)}, not an object with `role` and `content`. Make it a dict (of a "
                "pydantic object with `model_dump()`)."
            )


def _has_messages(value: Any) -> bool:
    try:
        return hasattr(value, "messages")
    except Exception:  # a class of the caller's may answer anything
        return False


def _check_message(message: Mapping[Any, Any]) -> None:
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str) or not role:
        found = "it has no `role`" if role is None or isinstance(role, str) else f"its `role` is {_a(role)}"
        raise ConversationError(f"{found}. Give one, such as 'user'.")
    for name, value in message.items():
        if name in _TEXTS and not isinstance(value, _TEXT):
            raise ConversationError(f"its `{name}` is {_a(value)}, not a text.")
    if isinstance(content, (list, tuple)):
        for number, part in enumerate(content):
            _check_part(part, f"part {number} of its `content`")
    elif not isinstance(content, _TEXT):
        raise ConversationError(f"its `content` is {_a(content)}, not a text or a list of parts.")
    calls = message.get("tool_calls")
    if calls is not None:
        _check_calls(calls)


_TEXT = (str, type(None))
_TEXTS = frozenset({"name", "reasoning", "reasoning_content", "tool_call_id"})
_MEDIA_PARTS = ("image", "image_url", "video", "video_url")


def _check_text(value: Any, name: str, where: str) -> None:
    if not isinstance(value, _TEXT):
        raise ConversationError(f"the `{name}` of {where} is {_a(value)}, not a text.")


def _check_part(part: Any, where: str) -> None:
    if not isinstance(part, Mapping):
        raise ConversationError(f"{where} is {_a(part)}, not an object with a `type`.")
    _check_text(part.get("type"), "type", where)
    _check_text(part.get("text"), "text", where)
    is_media = part.get("type") in _MEDIA_PARTS or "image" in part or "image_url" in part
    if part.get("text") is None and not is_media:
        raise ConversationError(f"{where} is of the type {str(part.get('type'))[:40]!r} and has no `text`.")


def _check_calls(calls: Any) -> None:
    if not isinstance(calls, (list, tuple)):
        raise ConversationError(f"its `tool_calls` are {_a(calls)}, not a list.")
    for number, call in enumerate(calls):
        where = f"`tool_calls[{number}]`"
        function = call.get("function") if isinstance(call, Mapping) else call
        if not isinstance(function, Mapping):
            found = f"{where} has no `function`" if function is None else f"{where} is {_a(function)}, not an object"
            raise ConversationError(
                f"{found}. A call is an object with `id` and `function`, of `name` and `arguments`."
            )
        _check_text(call.get("id"), "id", where)
        _check_text(function.get("name"), "function.name", where)
        if not function.get("name"):
            raise ConversationError(f"the function of {where} has no `name`.")
        arguments = function.get("arguments")
        if not isinstance(arguments, _TEXT):
            if not isinstance(arguments, Mapping):
                raise ConversationError(f"the arguments of {where} are {_a(arguments)}, not an object or its JSON.")
            check_json(arguments, f"the arguments of {where}")


_LARGEST = 1 << 4096  # of integers; Python writes none of many more digits


def check_json(value: Any, where: str) -> None:
    """Raise ConversationError where a value is not JSON, or is nested more than 256 levels deep, or contains itself."""
    try:
        _check_json(value, set(), 0)
    except ConversationError as error:
        raise ConversationError(f"{where} {error}") from None


def _check_json(value: Any, checked: set[int], depth: int) -> None:
    """As `check_json`. `checked` has the identity of each container that has been looked at as a whole."""
    if isinstance(value, (str, bool)) or value is None:
        return
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ConversationError(f"have {_a(key)} as a key: {str(key)[:40]!r}. Keys are texts.")
        items: Iterable[Any] = value.values()
    elif isinstance(value, (list, tuple)):
        items = value
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise ConversationError(f"hold a number of {value.bit_length():,} bits.")
        return
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ConversationError(f"hold {value}, which JSON has not.")
        return
    else:
        raise ConversationError(f"hold {_a(value)}, which JSON has not.")
    if depth > _DEEPEST:
        raise ConversationError(f"are nested more than {_DEEPEST} levels deep, or contain themselves.")
    if id(value) not in checked:
        for item in items:
            if not isinstance(item, str):
                _check_json(item, checked, depth + 1)
        checked.add(id(value))


_MOST_VALUES = 1_000_000


def _check_ends(given: Mapping[str, Any]) -> None:
    """Raise ConversationError where a class of the caller's has more to give than anybody means, or never ends.

    What renders a prompt goes through all of it, more than once. `given` is what was given, by name.
    """
    if not _has_more_than(_MOST_VALUES, given):
        return
    name, value = next(
        ((name, value) for name, value in given.items() if _has_more_than(_MOST_VALUES, value)), ("", ())
    )
    where = f"`{name[:40]}`"
    if name == "conversation" and isinstance(value, (list, tuple)):
        where = _unrenderable(value, bool(value) and isinstance(value[0], (list, tuple))) or "The conversation"
    elif isinstance(value, (list, tuple)):
        which = (n for n, one in enumerate(itertools.islice(value, 1000)) if _has_more_than(_MOST_VALUES, one))
        where = "".join(f"`{name[:40]}[{n}]`" for n in itertools.islice(which, 1)) or where
    raise ConversationError(f"{where if name else 'The conversation'} has more than {_MOST_VALUES:,} values.")


def _has_more_than(most: int, value: Any) -> bool:
    """Whether there are more values in a value, at any depth; one that is there twice counts once."""
    seen: dict[int, Any] = {}  # the values as well, so that no other gets the id of one that is gone
    level, count = [value], 0
    begun: list[Iterator[Any]] = []  # of the caller's classes, which may make a value, of any size, as it is asked for
    while level or begun:
        below: list[Any] = []
        for one in level:
            kind = type(one)  # whatever its `__class__` says
            if not (kind is dict or kind is list or issubclass(kind, (Mapping, list, tuple))) or id(one) in seen:
                continue
            seen[id(one)] = one
            if kind is dict or kind is list:
                below += itertools.islice(one if kind is list else one.values(), most + 1)
            else:
                begun.append(iter(one if issubclass(kind, (list, tuple)) else one.values()))
            if count + len(below) > most:
                return True
        unfinished = []
        for values in begun:
            some = [*itertools.islice(values, 100)]
            below += some
            if count + len(below) > most:
                return True
            if len(some) == 100:
                unfinished.append(values)
        begun = unfinished
        count += len(below)
        level = [inside for inside in below if type(inside) not in _SCALARS]
    return False


_SCALARS = frozenset({str, int, float, bool, type(None)})


def _a(value: Any) -> str:
    """The kind of a value, for a message."""
    name = type(value).__name__[:80] or "object"
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


_Method = TypeVar("_Method", bound=Callable[..., Any])


def typed_errors(method: _Method) -> _Method:
    """`apply_chat_template`, with an error of ours that names the message for whatever jinja2, json, transformers or a
    class of the caller's raise."""

    @functools.wraps(method)
    def applied(self: Any, *arguments: Any, **kwargs: Any) -> Any:
        try:
            _check_ends({**dict(zip(("conversation", "tools"), arguments)), **kwargs})  # noqa: B905 (there may be more)
            return method(self, *arguments, **kwargs)
        except (KimiTokenizersError, ImportError, MemoryError, OSError):
            raise
        except Exception as error:
            if type(error).__name__ == "TemplateSyntaxError":
                said, line = getattr(error, "message", ""), getattr(error, "lineno", 0)
                raise ChatTemplateError(f"The chat template is not one: {said} (line {line}).") from None
            given = arguments[0] if arguments else kwargs.get("conversation")
            raise ConversationError(_what_is_wrong(given, error)) from None

    return cast(_Method, applied)


def _what_is_wrong(conversation: Any, error: Exception) -> str:
    """Which message could not be rendered, as far as it can be told, and why."""
    try:
        reason = "it is nested too deep, or contains itself" if isinstance(error, RecursionError) else str(error)[:200]
    except Exception:  # an error of the caller's may have no words
        reason = ""
    which = ""
    with contextlib.suppress(Exception):  # a class of the caller's may raise anything
        which = _unrenderable(conversation if isinstance(conversation, (list, tuple)) else ())
    return f"{which or 'The conversation'} cannot be rendered: {reason or type(error).__name__}."


def _unrenderable(conversation: Iterable[Any], is_batch: bool = True) -> str:
    for index, message in enumerate(itertools.islice(conversation, 10_000)):
        field: Any = None
        try:
            if is_batch and isinstance(message, (list, tuple)):
                if which := _unrenderable(message, is_batch=False):
                    return f"Conversation {index}: {which}"
                continue
            if _has_more_than(_MOST_VALUES, message):
                fields = itertools.islice(message.items() if isinstance(message, Mapping) else (), 1000)
                field = next((name for name, value in fields if _has_more_than(_MOST_VALUES, value)), None)
                raise ValueError
            for field, value in message.items():
                json.dumps({field: value if value and str(value) else None})
            field = None
            check_conversation([message], can_be_batch=False)
        except Exception:
            return f"Message {index}" + (f" with its `{field[:40]}`" if isinstance(field, str) else "")
    return ""


def declared(tools: Any) -> tuple[list[Any], str | None]:
    """Tools as JSON schemas sorted by key, and their declaration in TypeScript: None if a schema has no such form.

    Raises ConversationError where they are no list of objects (or functions) that JSON has.
    """
    if not isinstance(tools, (list, tuple)):
        raise ConversationError(f"`tools` are {_a(tools)}, not a list of JSON schemas.")
    schemas = [tool_schema(tool) for tool in tools]
    for number, schema in enumerate(schemas):
        if not isinstance(schema, Mapping):
            raise ConversationError(f"`tools[{number}]` is {_a(schema)}, not a JSON schema or a function.")
        check_json(schema, f"the schema in `tools[{number}]`")
    with contextlib.suppress(UnsupportedSchemaError):  # then the template writes JSON
        schemas = [deep_sort(schema) for schema in schemas]
        return schemas, encode_tools_to_typescript_style(schemas)
    return schemas, None


def tool_schema(tool: Any) -> Any:
    """A tool as a JSON schema; a Python function is described by transformers."""
    if callable(tool):
        from transformers.utils import get_json_schema

        try:
            return get_json_schema(tool)
        except Exception as error:  # it has many kinds
            name = getattr(tool, "__name__", type(tool).__name__)
            raise ConversationError(f"The function {name!r} in `tools` cannot be described: {error}") from None
    return tool


# ---------------------------------------------------------------------------------------------------------------------
# 5. Offsets: where in a text its tokens lie

Span = tuple[int, int]
"""Where something begins and ends, in characters."""

# Above all ids. transformers truncates and pads numbers and knows nothing of offsets. So it is given a number for each
# token, counted from here, in place of its id; in what comes back, numbers become ids, and tell the offsets.
_FIRST_PLACE = 1 << 40

_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def _spans(parts: Sequence[str], tokens: Iterable[bytes]) -> list[Span]:
    """The characters of a text that each of its tokens has bytes of. A text is encoded in parts, one by one."""
    spans = []
    end = 0
    for token in tokens:
        start = end - (0x80 <= token[0] < 0xC0)  # it begins inside a character
        end += len(token.translate(None, _CONTINUATION_BYTES))
        spans.append((start, end))
    if any(map(_SURROGATE_PAIR.search, parts)):  # what is two characters to Python is one to the engine
        at = [0]
        for part in parts:
            for character in re.finditer(f"{_SURROGATE_PAIR.pattern}|.", part, re.DOTALL):
                at.append(at[-1] + len(character.group()))
        spans = [(at[start], at[end]) for start, end in spans]
    return spans


class _Places:
    """The tokens of all texts of a call, and where each of them lies in its text."""

    def __init__(self, model: KimiEncoding, split_special_tokens: bool, words: bool) -> None:
        self.model = model
        self.split_special_tokens = split_special_tokens
        self.words = words
        self.keeps_overflowing = True
        """Whether overflowing tokens come back: with transformers 5 not in tensors."""
        self.ids: list[int] = []
        self.spans: list[Span] = []

    def is_batch(self, text: Any) -> bool:
        """Whether transformers 5 takes it for a batch."""
        kinds = (list, tuple) if self.words else (str, list, tuple)
        return isinstance(text, (list, tuple)) and (not text or isinstance(text[0], kinds))

    def put(self, text: Any) -> Any:
        """Numbers for a text or a list of words. What has no tokens stays as it is."""
        if isinstance(text, str):
            return self._numbers([text]) or text
        if self.words and all(isinstance(word, str) for word in text):
            return self._numbers(text) or text
        raise TextTypeError("There are offsets of texts only. Give the text and not its ids, or leave them out.")

    def put_item(self, item: Any) -> Any:
        """An item of a batch as transformers 4 takes it: a pair of texts, the second of which may be None."""
        is_one = isinstance(item, str) or (self.words and not (item and isinstance(item[0], (list, tuple))))
        return (self.put(item), None) if is_one else tuple(map(self.put, item))

    def _numbers(self, texts: Sequence[str]) -> list[int]:
        first = len(self.ids)
        for text in texts:
            if self.split_special_tokens:
                ids, parts = self.model.encode_ordinary(text), [text]
            else:
                ids = self.model.encode(text, allowed_special="all")
                parts = [part for part, _ in text.segments] if isinstance(text, Prompt) else [text]
            self.ids += ids
            self.spans += _spans(parts, map(self.model.decode_single_token_bytes, ids))
        return [*range(_FIRST_PLACE + first, _FIRST_PLACE + len(self.ids))]

    def fill(self, encode: Callable[..., Any], text: Any, return_tensors: Any = None, **kwargs: Any) -> BatchEncoding:
        """What `encode` gives for numbers, with the ids, and the offsets beside them: (0, 0) for padding."""
        from transformers import BatchEncoding

        encoded = dict(encode(text, **kwargs))
        numbers = encoded.get("input_ids", [])
        for name in ("input_ids", "overflowing_tokens"):
            if name in encoded:
                encoded[name] = self._each(encoded[name], self.ids, None)
        encoded["offset_mapping"] = self._each(numbers, self.spans, (0, 0))
        is_one = isinstance(text, str) or (self.words and len(text) > 0 and isinstance(text[0], str))
        return BatchEncoding(encoded, tensor_type=return_tensors, prepend_batch_axis=is_one)

    def _each(self, numbers: Any, values: Sequence[Any], other: Any) -> Any:
        """The value of every number; where it is a real id, `other`, or if that is None the id."""
        return [
            self._each(number, values, other)
            if isinstance(number, list)
            else values[number - _FIRST_PLACE]
            if number >= _FIRST_PLACE
            else (number if other is None else other)
            for number in numbers
        ]


# ---------------------------------------------------------------------------------------------------------------------
# 5.1. What of a prompt the model writes

# The arguments of transformers' `apply_chat_template` that have no effect on the text.
OUTPUT = (
    *("max_length", "padding", "return_assistant_tokens_mask", "return_dict", "return_tensors"),
    *("tokenizer_kwargs", "truncation"),
)

# Our templates say it in comments, since not every program that renders them knows the tag `generation`, which is an
# invention of transformers. (It does not count inside macros there, nor after a truncation on the left.)
_OUR_MARKS = re.compile(r"{#- <(reasoning|/?generation)> -#}")
_THEIR_MARKS = re.compile(r"{%([-+]?)\s*(end)?generation\s*([-+]?)%}")


def _with_marks(template: str) -> str:
    """A template that writes its variable `generation_mark` and a letter where what the model writes begins and ends.

    Raises ChatTemplateError where the template does not say.
    """
    if _OUR_MARKS.search(template):
        letters = {"reasoning": "r", "generation": "b", "/generation": "e"}
        return _OUR_MARKS.sub(lambda match: f"{{{{- generation_mark ~ '{letters[match[1]]}' -}}}}", template)
    if not _THEIR_MARKS.search(re.sub("{#.*?#}", "", template, flags=re.DOTALL)):
        raise ChatTemplateError(
            "The chat template does not mark what the assistant writes: there is no `{% generation %}` in it. Put it "
            "there, or use the template that is built in for some models (load the tokenizer without the model "
            "directory, or after `kimi-tokenizers sync`)."
        )

    def mark(match: re.Match[str]) -> str:  # `set` does nothing, and deals with the whitespace as the tag did
        before, end, after = match.groups()
        if end:
            return f"{{%{before} set _ = 0 %}}{{{{ generation_mark ~ 'e' }}}}{{% endgeneration {after}%}}"
        return f"{{%{before} generation %}}{{{{ generation_mark ~ 'b' }}}}{{% set _ = 0 {after}%}}"

    return _THEIR_MARKS.sub(mark, template)


def _between_marks(pieces: Sequence[str]) -> tuple[str, list[Span]]:
    """A text and its spans, of a text in pieces: text, letter of a mark, text, letter, ..., text."""
    text = pieces[0]
    spans = []
    start: int | None = None
    for letter, piece in zip(pieces[1::2], pieces[2::2]):  # noqa: B905 (equally long)
        if letter == "e" and start is not None:
            spans.append((start, len(text)))
            start = None
        elif letter == "r" or (letter == "b" and (start is None or text[start:] in ("</think>", "<think></think>"))):
            start = len(text)
        text += piece
    return text, spans if start is None else [*spans, (start, len(text))]


def _generated_segments(prompt: str) -> list[Span]:
    ends = itertools.accumulate(len(segment.text) for segment in _segments(prompt))
    places = zip(_segments(prompt), ends)  # noqa: B905 (equally long)
    return [(end - len(segment.text), end) for segment, end in places if isinstance(segment, Generated)]


def _mask(spans: Sequence[Span], offsets: Iterable[Span]) -> list[int]:
    """1 for a token that has characters in one of the spans. Both are in order, but for padding, which has none."""
    mask = []
    number = 0
    for start, end in offsets:
        while number < len(spans) and spans[number][1] <= start:
            number += 1
        mask.append(int(number < len(spans) and end > spans[number][0]))
    return mask


# ---------------------------------------------------------------------------------------------------------------------
# 6. Saving


def _write(path: Path, data: bytes) -> None:
    """Write a file in one step: it may be the one that the tokenizer was loaded from, or a link to it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def _flags(token: AddedToken) -> dict[str, Any]:
    names = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    return {name: getattr(token, name) for name in names}


def _json_bytes(value: Any) -> bytes:
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, in what the model's own file said
        return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode("ascii")


def _line_bytes(value: Mapping[str, Any]) -> bytes:
    """A `kimi_line.json` as the overlays have it, with a line for each token."""
    parts = []
    for key, item in value.items():
        text = json.dumps(item, ensure_ascii=False)
        if isinstance(item, Mapping):
            entries = (f"    {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in item.items())
            text = "{\n" + ",\n".join(entries) + "\n  }"
        parts.append(f"  {json.dumps(key)}: {text}")
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode("utf-8", "replace")


# ---------------------------------------------------------------------------------------------------------------------
# 7. The tokenizer: building, vocabulary, text to ids, ids to text, chat, files

if TYPE_CHECKING:
    from transformers import AddedToken, BatchEncoding
    from transformers import PreTrainedTokenizer as _Base
else:
    _Base = object  # transformers comes in below, in `_tokenizer_class`


def _characters(token: bytes) -> str:
    return codecs.charmap_decode(token, "strict", _BYTE_CHARACTERS)[0]


def _byte_characters() -> str:
    """How byte-level BPE writes each of the 256 bytes as a printable character, as GPT-2 does."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = itertools.count(256)
    return "".join(chr(byte if byte in printable else next(others)) for byte in range(256))


_BYTE_CHARACTERS = _byte_characters()
# A character whose byte is written as another one stands for no byte itself: no token string contains a space.
_CHARACTER_TO_BYTE = dict.fromkeys(range(256), 0xE000)
_CHARACTER_TO_BYTE.update((ord(character), byte) for byte, character in enumerate(_BYTE_CHARACTERS))

# Keyword arguments of `from_pretrained` that say where files come from.
_NOT_FOR_THE_TOKENIZER = (
    *("_commit_hash", "_from_auto", "_from_pipeline", "_is_local", "cache_dir", "code_revision", "force_download"),
    *("gguf_file", "local_files_only", "proxies", "resume_download", "revision", "subfolder", "token"),
    *("trust_remote_code", "use_auth_token", "user_agent"),
)

# What loses its spaces with `clean_up_tokenization_spaces`, in this order.
_CLEANED_UP = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")

# The arguments that `TikTokenTokenizer._encode_texts` understands.
_PLAIN_ARGUMENTS = {
    *("add_special_tokens", "max_length", "pad_to_multiple_of", "padding_side", "padding_strategy", "verbose"),
    *("return_attention_mask", "return_tensors", "split_special_tokens", "truncation_strategy"),
}


def _to_python(ids: Any) -> Any:
    """Ids as Python numbers, if they come in arrays or tensors or in a sequence of those."""
    if hasattr(ids, "tolist"):
        return ids.tolist()
    if isinstance(ids, Sequence) and len(ids) and hasattr(ids[0], "tolist"):
        return [_to_python(item) for item in ids]
    return ids


class _Tokenizer(_Base):
    """The tokenizer of the Kimi K2 line, from Kimi-K2-Base to Kimi-K2.7-Code.

    Attributes:
        model: the `tiktoken.Encoding` that does the work; 163,840 ids.
        special_tokens: name -> id of all 256 control tokens, reserved ones included.
        pat_str: the pattern that splits text before byte pair encoding.

    `return_offsets_mapping=True` gives the characters that a token has bytes of, and (0, 0) for padding.

    `return_assistant_tokens_mask=True`, an argument of `apply_chat_template`, gives 1 for what the model writes: of
    assistant messages the content, reasoning, tool calls, and the control token that ends the turn. What a generation
    prompt ends with is not written by the model: in Kimi-K2.5 and K2.6 (not in K2-Thinking) that includes `<think>`.
    `</think>` is 1 after reasoning. An empty `<think></think>` is 0: the template puts it where there is no reasoning,
    or leaves it out. A template in the model directory says with `{% generation %}` what the model writes.

    >>> tokenizer = TikTokenTokenizer.from_pretrained(model_dir)
    >>> tokenizer.encode("Hello, world!")
    [19180, 11, 2695, 0]
    """

    vocab_files_names = {"vocab_file": VOCAB_FILE}  # noqa: RUF012 (as transformers declares it)
    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012
    pat_str = PAT_STR
    own_line: str | None = None
    """The only line that a class is for; None for this one, which serves several."""
    special_tokens: dict[str, int]
    model: KimiEncoding
    python_files: tuple[str, ...] = ("tokenization_kimi.py", "tool_declaration_ts.py")
    """What has to lie beside the rank table where this class is executed."""
    packaged: Callable[[str], bytes] | None = None
    """Gives the content of one of these where it is not beside this file: set by the package that this is part of."""
    _configuration: Mapping[str, Any] = {}

    # Building

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None,
        bos_token: str | AddedToken = "[BOS]",
        eos_token: str | AddedToken = "[EOS]",
        unk_token: str | AddedToken | None = "[UNK]",
        pad_token: str | AddedToken | None = "[PAD]",
        additional_special_tokens: Sequence[str | AddedToken] | None = None,
        added_tokens_decoder: Mapping[Any, Any] | None = None,
        line: str | Mapping[str, Any] | Line | None = None,
        added_tokens: Mapping[Any, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Build the tokenizer. What a `tokenizer_config.json` says comes here only by way of `configured`.

        Args:
            vocab_file: path of `tiktoken.model`.
            added_tokens_decoder: the model's own table of control tokens, see `control_tokens`.
            line: the model line whose control tokens to use if there is no table, see `Line.of`. By default that of the
                `kimi_line.json` beside the rank table, or without that file Kimi-K2.6.
            added_tokens: what was added to a tokenizer of the line before it was saved, as its `kimi_line.json` has it.

        Raises:
            VocabFileError: the rank table is missing or not the published one.
            ControlTokenError: the table of control tokens contradicts the vocabulary.
        """
        if vocab_file is None:
            raise VocabFileError(f"The model directory has no {VOCAB_FILE}. Put that of any Kimi K2 model there.")
        self._line = self._checked_line(_line_beside(vocab_file)[0] if line is None else Line.of(line))
        self._table = control_tokens(added_tokens_decoder, self._line)
        table = {**self._table, **_added_table(added_tokens or {}, self._table)}
        ranks = read_table(vocab_file)
        self.special_tokens = special_tokens(table)
        _check_names(self.special_tokens, ranks)
        self.model = KimiEncoding(ranks, dict(self.special_tokens))
        self._vocab_file = os.fspath(vocab_file)

        extra = kwargs.pop("extra_special_tokens", None)
        if isinstance(extra, Mapping) and extra:
            kwargs["extra_special_tokens"] = extra
        roles = {"bos_token": bos_token, "eos_token": eos_token, "unk_token": unk_token, "pad_token": pad_token}
        listed = extra if isinstance(extra, (list, tuple)) else ()
        additional = additional_special_tokens or listed or _special_names(table, but=set(map(str, roles.values())))
        added = {index: _added_token(token) for index, token in table.items()}
        super().__init__(additional_special_tokens=list(additional), added_tokens_decoder=added, **roles, **kwargs)
        self.special_tokens_pattern = "none"  # else transformers 5.0 and 5.1 put BERT's tokens around a text

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *init_inputs: Any, **kwargs: Any) -> Any:
        """The tokenizer of a model directory, or of a repo on the hub, as `PreTrainedTokenizer.from_pretrained`.

        Of the files there only those count that `HONOURED` is about; keyword arguments count as ever.
        """
        folder = Path(pretrained_model_name_or_path, kwargs.get("subfolder") or "")
        if not folder.is_dir():
            return super().from_pretrained(pretrained_model_name_or_path, *init_inputs, **kwargs)
        return cls._from_pretrained(_files_of(folder), str(pretrained_model_name_or_path), {}, *init_inputs, **kwargs)

    @classmethod
    def _from_pretrained(
        cls,
        resolved_vocab_files: Mapping[str, Any],
        pretrained_model_name_or_path: str,
        init_configuration: Any = None,
        *init_inputs: Any,
        **kwargs: Any,
    ) -> Any:
        files = dict(resolved_vocab_files)
        configuration = read_object(files["tokenizer_config_file"]) if files.get("tokenizer_config_file") else None
        for name in _NOT_FOR_THE_TOKENIZER:
            kwargs.pop(name, None)
        vocab_file = kwargs.pop("vocab_file", None) or files.get("vocab_file")
        kwargs.setdefault("name_or_path", pretrained_model_name_or_path)
        return cls.configured(vocab_file, configuration or {}, _template_files(files), *init_inputs, **kwargs)

    @classmethod
    def configured(
        cls,
        vocab_file: Any,
        configuration: Mapping[str, Any],
        templates: str | dict[str, str] | None = None,
        *init_inputs: Any,
        line: str | Mapping[str, Any] | Line | None = None,
        saved: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """A tokenizer with a `tokenizer_config.json`: the one way in which that file has a say.

        Args:
            templates: chat templates in files of their own; they win over those in the configuration.
            line: as for `__init__`.
            saved: what was changed of the line's tokens, see `SAVED`; by default what that `kimi_line.json` says.
            **kwargs: as for `__init__`; they win over the configuration.

        Raises:
            ControlTokenError: the configuration contradicts the vocabulary, or has tokens beside the control tokens.
        """
        if line is None and vocab_file is not None:
            line, beside = _line_beside(vocab_file)
            saved = saved or beside
        line, saved = Line.of(line), saved or {}
        added_tokens = saved.get("saved_tokens") or {}
        table = configuration.get("added_tokens_decoder") or {}
        if not isinstance(table, Mapping):
            raise ControlTokenError("`added_tokens_decoder` is no object. Restore the model's tokenizer_config.json.")
        own = control_tokens(table, line)
        added = _added_table(added_tokens, own)
        for index, token in own.items():
            if not _is_control(index) and (index not in added or added[index].content != token.content):
                _raise_other_name(index, token.content, f"the control tokens are {N_RANKS} to {N_IDS - 1}")
        settings = honoured(configuration, {**own, **added})
        if templates is not None:
            settings["chat_template"] = templates
        settings.update({"vocab_file": vocab_file, "line": line, "added_tokens": added_tokens})
        special = saved.get("saved_special_tokens")
        names = _special_names({**own, **added}, but=())
        if isinstance(special, list) and all(name in names for name in special):
            settings["additional_special_tokens"] = special
        tokenizer = cls(*init_inputs, **{"added_tokens_decoder": table, **settings, **kwargs})
        tokenizer._configuration = configuration
        return tokenizer

    @classmethod
    def _checked_line(cls, line: Line) -> Line:
        """The model line, if this tokenizer is for it. Raises ControlTokenError."""
        if line.name != cls.own_line and (cls.own_line or line.encoder):
            raise ControlTokenError(
                f"{LINE_FILE} beside {VOCAB_FILE} (or `line`) names the model line {line.name!r}, and this tokenizer "
                f"is for {cls.own_line or 'lines with a chat template'}. Restore the {LINE_FILE} that belongs to it."
            )
        return line

    # Vocabulary

    @property
    def vocab_size(self) -> int:
        """Number of ids, control tokens included: 163,840, the models' `vocab_size`."""
        return N_IDS

    def __len__(self) -> int:
        return int(self.model.n_vocab)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id of the whole vocabulary; bytes are written as GPT-2 writes them (a space as `Ġ`)."""
        return self.model.token_ids.copy()

    @property
    def vocab(self) -> dict[str, int]:
        """As `get_vocab()`: what transformers' fast tokenizers have, and streaming detokenizers read."""
        return self.get_vocab()

    def _convert_token_to_id(self, token: str) -> int | None:
        if token in self.special_tokens:
            return self.special_tokens[token]
        try:
            return int(self.model.encode_single_token(bytes(token.translate(_CHARACTER_TO_BYTE), "latin-1")))
        except (KeyError, UnicodeEncodeError):
            return self.special_tokens.get(str(self.unk_token))

    def _convert_id_to_token(self, index: int) -> str:
        try:
            data = self.model.decode_single_token_bytes(index)
        except (KeyError, OverflowError, TypeError):
            self._raise_bad_id([index])
        return _characters(data)

    def _add_tokens(self, new_tokens: Any, special_tokens: bool = False) -> int:
        if not new_tokens:
            return 0  # transformers would walk the whole vocabulary to add nothing
        for token in new_tokens:
            if hasattr(token, "content"):
                _table_entry(0, token)
        added: int = super()._add_tokens(new_tokens, special_tokens=special_tokens)
        missing = {name: index for name, index in self._added_tokens_encoder.items() if name not in self.special_tokens}
        if missing:
            self.special_tokens.update(missing)
            self.model = KimiEncoding(self.model._table, dict(self.special_tokens))
        return added

    # What upstream's class has besides, for tools that read it. The tables are the tokenizer's own: not to be changed.

    @property
    def vocab_file(self) -> str:
        """Path of the rank table that was read.

        Raises:
            VocabFileError: transformers' general converter asks. It knows neither the pattern nor the ids of control
                tokens, and would make a tokenizer with other ids.
        """
        if sys._getframe(1).f_globals.get("__name__") == "transformers.convert_slow_tokenizer":
            raise VocabFileError(
                "transformers cannot convert this tokenizer to a fast one with the same ids. Install kimi-tokenizers "
                "and call `kimi_tokenizers.register()` first, or write a tokenizer.json with its command `export`."
            )
        return self._vocab_file

    @property
    def encoder(self) -> dict[str, int]:
        """Token -> id."""
        return self.model.token_ids

    @property
    def decoder(self) -> dict[int, str]:
        """Id -> token."""
        return self.model.tokens

    @property
    def byte_encoder(self) -> dict[int, str]:
        """Byte -> the character that it is written as."""
        return dict(enumerate(_BYTE_CHARACTERS))

    @property
    def byte_decoder(self) -> dict[str, int]:
        """Character -> the byte that is written so."""
        return {character: byte for byte, character in enumerate(_BYTE_CHARACTERS)}

    @property
    def n_words(self) -> int:
        """How many ids there are, those of added tokens included."""
        return len(self)

    @property
    def bos_id(self) -> int | None:
        """Id of the `bos_token`."""
        return cast("int | None", self.bos_token_id)

    @property
    def eos_id(self) -> int | None:
        """Id of the `eos_token`."""
        return cast("int | None", self.eos_token_id)

    @property
    def pad_id(self) -> int | None:
        """Id of the `pad_token`."""
        return cast("int | None", self.pad_token_id)

    @property
    def unk_id(self) -> int | None:
        """Id of the `unk_token`."""
        return cast("int | None", self.unk_token_id)

    # Text to ids

    def encode(self, text: Any, allow_special_tokens: bool = True, **kwargs: Any) -> list[int]:
        """Ids of a text.

        Args:
            text: `str`. Lone surrogates become U+FFFD, as in tiktoken.
            allow_special_tokens: whether control tokens in the text become their ids; else they are plain text.
            **kwargs: as for `PreTrainedTokenizer.encode` (`padding`, `truncation`, `max_length`, `return_tensors`, …).

        Raises:
            TextTypeError: `text` is None, bytes, or something else that is not text.
        """
        split = kwargs.pop("split_special_tokens", self.split_special_tokens) or not allow_special_tokens
        add_special_tokens = kwargs.pop("add_special_tokens", True)  # no effect: Kimi adds none
        if isinstance(text, str) and not kwargs:
            return self._ids(text, split)
        self._check_text(text)
        ids: list[int] = super().encode(
            text, add_special_tokens=add_special_tokens, split_special_tokens=split, **kwargs
        )
        return ids

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """Tokens of a text, as strings; see `get_vocab` for how bytes are written."""
        if not isinstance(text, str):
            self._raise_bad_text(text)
        split = kwargs.pop("split_special_tokens", self.split_special_tokens)
        tokens: list[str] = self.convert_ids_to_tokens(self._ids(text, split))
        return tokens

    def __call__(self, text: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Ids, attention mask and whatever is asked for, as `PreTrainedTokenizer.__call__`. Raises TextTypeError."""
        texts = (text, *args[:3], *map(kwargs.get, ("text_pair", "text_target", "text_pair_target")))
        for given in [one for one in texts if one is not None] or [None]:
            self._check_text(given)
        return super().__call__(text, *args, **kwargs)

    def _ids(self, text: str, split_special_tokens: bool) -> list[int]:
        if split_special_tokens:
            return self.model.encode_ordinary(text)
        return self.model.encode(text, allowed_special="all")

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self.tokenize(text, **kwargs)

    # transformers goes from text to token strings to ids. The next two methods give it the ids straight away; the rest
    # (pairs, truncation, padding, tensors) is left to transformers.

    def _encode_plus(self, text: Any, text_pair: Any = None, **kwargs: Any) -> Any:
        # transformers 4 has another method for a batch, and to this one a list is the tokens of a single text.
        in_two_methods = hasattr(super(), "_batch_encode_plus")
        if kwargs.pop("return_offsets_mapping", False):
            new = self._places(kwargs)
            new.keeps_overflowing = in_two_methods or not kwargs.get("return_tensors")
            return new.fill(self._encode_plus, text, text_pair=text_pair, places=new, **kwargs)
        places: _Places | None = kwargs.get("places")
        if places is not None:
            if in_two_methods or not places.is_batch(text):  # else transformers comes back with every text of it
                del kwargs["places"]
                text = places.put(text)
                text_pair = None if text_pair is None else places.put(text_pair)
            encoded = super()._encode_plus(text, text_pair=text_pair, **kwargs)
            if not places.keeps_overflowing:
                encoded.pop("overflowing_tokens", None)
                encoded.pop("num_truncated_tokens", None)
            return encoded
        if text_pair is None and not in_two_methods and self._is_plain_batch(text, kwargs):
            return self._encode_texts(text, **kwargs)
        text = self._encode_early(text, kwargs)
        if text_pair is not None:
            text_pair = self._encode_early(text_pair, kwargs)
        return super()._encode_plus(text, text_pair=text_pair, **kwargs)

    def _batch_encode_plus(self, batch_text_or_text_pairs: Any, **kwargs: Any) -> Any:  # transformers 4 only
        batch = batch_text_or_text_pairs
        if kwargs.pop("return_offsets_mapping", False):
            places = self._places(kwargs)
            return places.fill(super()._batch_encode_plus, [places.put_item(item) for item in batch], **kwargs)
        if self._is_plain_batch(batch, kwargs):
            return self._encode_texts(batch, **kwargs)
        if not kwargs.get("is_split_into_words"):
            batch = [
                tuple(self._encode_early(text, kwargs) for text in item)
                if isinstance(item, (list, tuple)) and all(isinstance(text, str) for text in item)
                else item
                if isinstance(item, (list, tuple))
                else (self._encode_early(item, kwargs), None)
                for item in batch
            ]
        else:
            batch = [
                tuple(self._words_early(words, kwargs) for words in item)
                if isinstance(item[0], (list, tuple))
                else (self._words_early(item, kwargs), None)
                for item in batch
            ]
        return super()._batch_encode_plus(batch, **kwargs)

    def _encode_early(self, text: Any, kwargs: Mapping[str, Any]) -> Any:
        """Ids of a text. Any other input, and the empty text, are returned unchanged."""
        if isinstance(text, str) and not kwargs.get("sanitize_control_tokens"):
            return self._ids(text, kwargs.get("split_special_tokens", self.split_special_tokens)) or text
        if not isinstance(text, (str, list, tuple)):
            self._raise_bad_text(text)
        return text

    def _words_early(self, words: Any, kwargs: Mapping[str, Any]) -> Any:
        """Ids of a list of words. Any other input, and words without ids, are returned unchanged."""
        if not all(isinstance(word, str) for word in words):
            return words
        split = kwargs.get("split_special_tokens", self.split_special_tokens)
        return [index for word in words for index in self._ids(word, split)] or words

    def _places(self, kwargs: Mapping[str, Any]) -> _Places:
        if kwargs.get("sanitize_control_tokens"):
            raise TextTypeError("There are no offsets with `sanitize_control_tokens`: leave one of the two out.")
        split = kwargs.get("split_special_tokens")
        split = self.split_special_tokens if split is None else split
        return _Places(self.model, bool(split), bool(kwargs.get("is_split_into_words")))

    def _is_plain_batch(self, batch: Any, kwargs: Mapping[str, Any]) -> bool:
        """Whether `_encode_texts` gives the same result for a batch as transformers would."""
        return (
            isinstance(batch, (list, tuple))
            and bool(batch)
            and all(isinstance(text, str) for text in batch)
            and not any(value for name, value in kwargs.items() if name not in _PLAIN_ARGUMENTS)
            and "token_type_ids" not in self.model_input_names
            and "_own_steps" in vars(type(self))  # another subclass may have overridden any of the steps
            and not self.build_inputs_with_special_tokens([])
        )

    def _encode_texts(
        self,
        texts: Sequence[str],
        *,
        padding_strategy: Any,
        truncation_strategy: Any,
        max_length: int | None = None,
        return_tensors: Any = None,
        split_special_tokens: bool | None = None,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """A batch of texts in one go: transformers, text by text, takes three times as long as the engine."""
        if self.split_special_tokens if split_special_tokens is None else split_special_tokens:
            batch = self.model.encode_ordinary_batch(list(texts))
        else:
            batch = self.model.encode_batch(list(texts), allowed_special="all")
        if max_length and truncation_strategy.value != "do_not_truncate":
            batch = [
                self.truncate_sequences(
                    ids, num_tokens_to_remove=len(ids) - max_length, truncation_strategy=truncation_strategy
                )[0]
                for ids in batch
            ]
        for ids in batch:
            self._eventual_warn_about_too_long_sequence(ids, max_length, verbose)
        options = {name: kwargs.get(name) for name in ("pad_to_multiple_of", "padding_side", "return_attention_mask")}
        padded = self.pad({"input_ids": batch}, padding=padding_strategy.value, max_length=max_length, **options)
        from transformers import BatchEncoding

        return BatchEncoding(padded, tensor_type=return_tensors)

    def _check_text(self, text: Any) -> None:
        """Raise TextTypeError for anything but a text, ids, or a batch, pair or list of words of these."""
        if isinstance(text, (list, tuple)):
            for item in text:
                if not isinstance(item, (str, int)):
                    self._check_text(item)
        elif not isinstance(text, str):
            self._raise_bad_text(text)

    @staticmethod
    def _raise_bad_text(text: Any) -> NoReturn:
        hint = " Decode the bytes first, e.g. `data.decode('utf-8')`." if isinstance(text, (bytes, bytearray)) else ""
        raise TextTypeError(f"Text must be a str, got {type(text).__name__}: {str(text)[:60]!r}.{hint}")

    # Ids to text

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Text of ids; invalid UTF-8 becomes U+FFFD.

        Args:
            token_ids: one id, a sequence of ids, or an array or tensor of them; a batch of sequences gives a list.
            skip_special_tokens: leave out the special ones (`all_special_ids`).

        Raises:
            TokenIdError: an id is negative or not below `len(tokenizer)`, or not an id at all.
        """
        ids = _to_python(token_ids)
        if isinstance(ids, int):
            ids = [ids]
        if not isinstance(ids, Sequence) or isinstance(ids, (str, bytes, bytearray)):
            raise TokenIdError(
                f"Expected a token id or a sequence of them, got {type(ids).__name__}: {str(ids)[:60]!r}."
            )
        if len(ids) and hasattr(ids[0], "__len__"):
            return [
                self.decode(sequence, skip_special_tokens, clean_up_tokenization_spaces, **kwargs) for sequence in ids
            ]
        try:
            if skip_special_tokens and len(ids):
                skipped = set(self.all_special_ids) - {None}  # None: from a name without an id
                if max(ids) >= min(skipped, default=0):
                    ids = [index for index in ids if index not in skipped]
            text = self.model.decode(ids)
        except (KeyError, OverflowError, TypeError):
            self._raise_bad_id(ids)
        if clean_up_tokenization_spaces or (clean_up_tokenization_spaces is None and self.clean_up_tokenization_spaces):
            for spaced in _CLEANED_UP:  # here, since transformers 5.0 and 5.1 have no `clean_up_tokenization`
                text = text.replace(spaced, spaced.strip())
        return text

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Text of tokens: their bytes joined; invalid UTF-8 becomes U+FFFD."""
        return b"".join(map(self._token_bytes, tokens)).decode("utf-8", "replace")

    def _decode(self, token_ids: Any, **kwargs: Any) -> Any:
        return self.decode(token_ids, **kwargs)

    def _token_bytes(self, token: str) -> bytes:
        if token not in self.special_tokens:
            try:
                return token.translate(_CHARACTER_TO_BYTE).encode("latin-1")
            except UnicodeEncodeError:
                pass  # not a token of this vocabulary: it stands for itself
        return token.encode("utf-8", "replace")

    def _raise_bad_id(self, ids: Iterable[Any]) -> NoReturn:
        self.model._raise_bad_id(ids, only_ids=True)
        raise TokenIdError("These ids cannot be decoded.")

    # Chat

    @typed_errors
    def apply_chat_template(
        self,
        conversation: Any,
        tools: Any = None,
        tokenize: bool = False,
        add_generation_prompt: bool = True,
        thinking: bool | None = None,
        preserve_thinking: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Render a conversation as the model's prompt.

        Args:
            conversation: messages with `role` and `content`, or a batch of such lists.
            tools: JSON schemas of the functions that the model may call (or Python functions with type hints and
                Google docstrings). They are sorted by key and declared in TypeScript, in JSON where a schema has no
                such form.
            tokenize: return ids (see `PreTrainedTokenizer.apply_chat_template`) instead of text.
            thinking: let the model think; a bool, or an object whose `type` is "enabled" or "disabled", as in requests.
                mlx-lm and exo also call it `enable_thinking`: either, when false, wins.
            preserve_thinking: keep the reasoning of earlier turns (Kimi-K2.6 and K2.7-Code). This and `thinking` reach
                the template only when they are given: what holds otherwise is the template's own to say.
            return_assistant_tokens_mask: with `tokenize=True`, add `assistant_masks`; see the class.

        Raises:
            ChatTemplateError: there is no chat template in the model directory or built in for this line; or a mask is
                asked for, and it does not mark what the model writes.
            ConversationError: a message is no object, contains itself, or holds what no template can render.
        """
        if self.chat_template is None and kwargs.get("chat_template") is None:
            self._raise_no_template()
        thinking = wanted_thinking(thinking, kwargs)
        given = {"thinking": thinking, "preserve_thinking": preserve_thinking}
        kwargs.update((name, value) for name, value in given.items() if value is not None)
        check_conversation(conversation)
        if tools and "tools_ts_str" not in kwargs:
            tools, kwargs["tools_ts_str"] = declared(tools)
        options = {name: kwargs.pop(name) for name in OUTPUT if name in kwargs}
        render = functools.partial(
            super().apply_chat_template,
            _without_aliases(conversation),
            tools=tools,
            add_generation_prompt=add_generation_prompt and not kwargs.get("continue_final_message"),
            **{"tools_ts_str": None, **kwargs},
        )
        if not options.get("return_assistant_tokens_mask"):
            return render(tokenize=tokenize, **(options if tokenize else {}))
        prompts = self._generated(functools.partial(render, tokenize=False), kwargs.get("chat_template"), tools)
        return self._prompts_out(*prompts, tokenize, options)

    def _raise_no_template(self) -> NoReturn:
        raise ChatTemplateError(
            f"This tokenizer has no chat template: the model directory has no chat_template.jinja, and none is "
            f"built in for {self._line.name or 'it'}. Put the model's own there (it comes from "
            f"{self._line.template}), or pass its text as `chat_template=`."
        )

    def _generated(
        self, render: Callable[..., Any], template: str | None, tools: Any
    ) -> tuple[list[str], bool, list[list[Span]]]:
        """For `_prompts_out`: prompts, whether they are a batch, and where in each is what the model writes.

        A prompt is rendered with marks that nobody can guess, and without, and must be the same but for the marks.
        """
        rendered = render()
        is_batch = isinstance(rendered, list)
        mark = os.urandom(16).hex()
        template = _with_marks(self.get_chat_template(template, tools))
        marked = render(chat_template=template, generation_mark=mark)
        generated = []
        for prompt, text in zip(rendered, marked) if is_batch else [(rendered, marked)]:  # noqa: B905 (equally long)
            without, spans = _between_marks(re.split(f"{mark}([rbe])", text))
            if without != prompt:
                raise ChatTemplateError(
                    "The chat template changes what is inside its `{% generation %}`, or looks at it, so that it "
                    "cannot be told which tokens the assistant writes. Use another template."
                )
            generated.append(spans)
        return (rendered if is_batch else [rendered]), is_batch, generated

    def _prompts_out(
        self,
        prompts: Sequence[str],
        is_batch: bool,
        generated: Sequence[Sequence[Span]] | None,
        tokenize: bool,
        kwargs: Mapping[str, Any],
    ) -> Any:
        """What `apply_chat_template` returns for these prompts, with transformers' arguments for it in `kwargs`.

        `generated` says where in each prompt is what the model writes; where it is None, the segments say it.
        """
        masked = kwargs.get("return_assistant_tokens_mask")
        if masked and (not tokenize or kwargs.get("return_dict") is False):
            raise ConversationError("return_assistant_tokens_mask needs `tokenize=True`, and no `return_dict=False`.")
        if not tokenize:
            return prompts if is_batch else prompts[0]
        options = dict(kwargs.get("tokenizer_kwargs") or {})
        offsets_wanted = options.get("return_offsets_mapping")
        tensors = kwargs.get("return_tensors")
        encoded = self(
            prompts if is_batch else prompts[0],
            padding=kwargs.get("padding", False),
            truncation=kwargs.get("truncation", False),
            max_length=kwargs.get("max_length"),
            add_special_tokens=False,
            return_tensors=tensors,
            **({**options, "return_offsets_mapping": True} if masked else options),
        )
        if masked:
            generated = [*map(_generated_segments, prompts)] if generated is None else generated
            offsets = encoded["offset_mapping"] if offsets_wanted else encoded.data.pop("offset_mapping")
            offsets = _to_python(offsets) if is_batch or tensors else [offsets]
            masks = [_mask(spans, tokens) for spans, tokens in zip(generated, offsets)]  # noqa: B905 (equally long)
            encoded["assistant_masks"] = masks if is_batch or tensors else masks[0]
            return encoded.convert_to_tensors(tensors)
        import inspect  # which takes long to import, and is there beside transformers

        # When nothing is said, it is as with transformers, which returns a BatchEncoding from 5.0 on.
        usual = inspect.signature(super().apply_chat_template).parameters["return_dict"].default
        return encoded if kwargs.get("return_dict", usual) else encoded["input_ids"]

    # Files

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> tuple[str, ...]:
        """Write everything that `from_pretrained` needs, with or without this package, and return the paths.

        Beside what transformers writes these are the Python files, the rank table, and `kimi_line.json`, in which added
        tokens are listed. Links, which a directory of Hugging Face's cache is made of, are replaced, not written to.
        """
        folder = Path(save_directory)
        if folder.is_file():
            raise NotADirectoryError(f"Cannot save a tokenizer in {str(folder)!r}, which is a file. Give a folder.")
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        old = [folder / (prefix + name) for name in (CONFIG_FILE, "special_tokens_map.json", "added_tokens.json")]
        if not self._line.encoder:
            old += [folder / (prefix + TEMPLATE_FILE), *(folder / (prefix + TEMPLATES_FOLDER)).glob("*.jinja")]
        for path in old:
            if path.is_symlink() or path.is_file():
                path.unlink()
        saved: tuple[str, ...] = super().save_pretrained(
            str(folder), legacy_format, filename_prefix=filename_prefix, push_to_hub=push_to_hub, **kwargs
        )
        return saved

    def _save_pretrained(
        self,
        save_directory: str,
        file_names: tuple[str, ...],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
    ) -> tuple[str, ...]:
        """What `save_pretrained` does before it uploads anything: the rank table, and what transformers leaves out."""
        saved = super()._save_pretrained(save_directory, file_names, legacy_format, filename_prefix)
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        config = Path(save_directory, prefix + CONFIG_FILE)
        written = read_object(config) or {}
        contents = {CONFIG_FILE: _json_bytes(self._saved_configuration(written.get("chat_template")))}
        line = {**(self._line.as_json() if self._line.name else {}), **self._saved_tokens()}
        if line:
            contents[LINE_FILE] = _line_bytes(line)
        if Path(save_directory, prefix + "special_tokens_map.json").exists():  # transformers 4: flags of some of them
            contents["special_tokens_map.json"] = _json_bytes(self.special_tokens_map)
        for name, data in {**contents, **self._python()}.items():
            _write(Path(save_directory, prefix + name), data)
            saved = (*saved, str(Path(save_directory, prefix + name)))
        return tuple(path for path in dict.fromkeys(saved) if os.path.exists(path))

    def _saved_configuration(self, templates: Any) -> dict[str, Any]:
        """The `tokenizer_config.json`: what the one it was loaded with says that does not count, and what does."""
        ours = (*HONOURED, "additional_special_tokens", "init_inputs")
        config = {key: value for key, value in self._configuration.items() if key not in ours}
        roles = {role: name for role, name in self.special_tokens_map.items() if role in ROLES}
        table = self.added_tokens_decoder
        state = {str(index): _flags(token) for index, token in sorted(table.items())}
        config.update(
            added_tokens_decoder=state,
            additional_special_tokens=_special_names(table, but=roles.values()),
            auto_map={"AutoTokenizer": ["tokenization_kimi.TikTokenTokenizer", None]},
            clean_up_tokenization_spaces=bool(self.clean_up_tokenization_spaces),
            extra_special_tokens={},
            model_max_length=self.model_max_length,
            kimi_line=self._line.name,
            tokenizer_class="TikTokenTokenizer",
            **roles,
        )
        sides = {side: getattr(self, side) for side in reversed(SIDES)}
        usual = next((side for side, value in sides.items() if value == "right"), None)
        config.update({side: value for side, value in sides.items() if value != "right"})
        if usual:
            config[usual] = _FOR_OTHERS
        if templates is not None:
            config["chat_template"] = templates
        if getattr(self, "_processor_class", None) is not None:
            config["processor_class"] = self._processor_class
        return config

    def _saved_tokens(self) -> dict[str, Any]:
        """What was changed of the tokens of the line, for `kimi_line.json`: `SAVED`, as far as there is any."""
        added = {}
        for index, token in sorted(self.added_tokens_decoder.items()):
            of_line = self._table.get(index) if _is_control(index) else None
            if of_line is None or (token.content, token.special) != (of_line.content, of_line.special):
                added[str(index)] = {key: value for key, value in _flags(token).items() if value or key == "content"}
        roles = {name for role, name in self.special_tokens_map.items() if role in ROLES}
        special = [name for name in self.all_special_tokens if name not in roles]
        usual = {token.content for token in self.added_tokens_decoder.values() if token.special} - roles
        changed = {"saved_tokens": added, "saved_special_tokens": [] if set(special) == usual else special}
        return {key: value for key, value in changed.items() if value}

    def _python(self) -> dict[str, bytes]:
        """The Python files that this class is made of: those of the package, or those that lie beside this one."""
        if self.packaged is not None:
            return {name: self.packaged(name) for name in self.python_files}
        folder = Path(__file__).parent
        found = {name: data for name in self.python_files if (data := _read_small(folder / name)) is not None}
        if missing := [name for name in self.python_files if name not in found]:
            raise ConfigurationError(f"Cannot save {' and '.join(missing)}: not in {str(folder)!r}. Put it back there.")
        return found

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str]:
        """Write the rank table, byte for byte as published. Returns its path."""
        path = Path(save_directory, (f"{filename_prefix}-" if filename_prefix else "") + VOCAB_FILE)
        _write(path, self.model._table.data)
        return (str(path),)


def _added_token(token: ControlToken) -> AddedToken:
    from transformers import AddedToken

    name, special, normalized = token
    return AddedToken(name, lstrip=False, rstrip=False, single_word=False, normalized=normalized, special=special)


def _tokenizer_class() -> type:
    from transformers import PreTrainedTokenizer

    class TikTokenTokenizer(_Tokenizer, PreTrainedTokenizer):
        __doc__ = _Tokenizer.__doc__
        __qualname__ = "TikTokenTokenizer"
        _own_steps = True

    return TikTokenTokenizer


def __getattr__(name: str) -> Any:
    """`TikTokenTokenizer` in the package: made when it is first used, for transformers takes seconds to import."""
    if name != "TikTokenTokenizer" or not _IN_PACKAGE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, _tokenizer_class())


if TYPE_CHECKING:
    TikTokenTokenizer = _Tokenizer
elif not _IN_PACKAGE:
    TikTokenTokenizer = _tokenizer_class()
