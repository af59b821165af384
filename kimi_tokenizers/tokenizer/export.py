"""`export_fast`: a line's vocabulary as a `tokenizer.json`, for engines that read nothing else; checked by tiktoken.

It must never hand out a file that has not given tiktoken's ids, nor replace a file without being told to.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_tokenizers import catalogue
from kimi_tokenizers.catalogue import N_RANKS
from kimi_tokenizers.errors import ExportError
from kimi_tokenizers.model_dirs import CHAT_TEMPLATE
from kimi_tokenizers.tokenizer.conversion import fast_tokenizer
from kimi_tokenizers.tokenizer.known_answers import every_known_answer
from kimi_tokenizers.tokenizer.loader import load

if TYPE_CHECKING:
    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer

FILE = "tokenizer.json"
_STEP = 7919  # a prime: the tokens come in an order in which no two neighbours belong together

_LIMITS = (
    "Long runs of whitespace: with millions of characters the `tokenizers` library takes minutes, or fails. (tiktoken "
    "alone fails, too; kimi-tokenizers does not.)",
    "Lone surrogates: the `tokenizers` library refuses a text with one, where tiktoken reads U+FFFD.",
    "Upstream's own `encode` cuts texts after 400,000 characters and runs after 25,000, and changes ids there. "
    "This file cuts nothing: its ids are tiktoken's, and exo's.",
    "Control tokens as plain text: `encode_special_tokens` takes the special ones for text, but not those that only "
    "have names (tool calls, thinking).",
)
_OF_SEGMENTS = (
    "Prompts of this line are segments, in which a control token that a user wrote is text. A tokenizer.json has no "
    "segments: in a text every control token is one. Render and encode prompts with kimi-tokenizers."
)


@dataclass(frozen=True)
class Exported:
    """What was written, or would be.

    Attributes:
        files: the tokenizer.json, and the chat template beside it if the line has one.
        compared: how many texts gave tiktoken's ids; 0 where nothing was written.
        limits: what the format cannot express.
    """

    files: tuple[Path, ...]
    compared: int
    limits: tuple[str, ...]


def export_fast(
    model_id: str,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Exported:
    """Write a `tokenizer.json` with exactly the ids of a Kimi model, and its chat template beside it.

    Args:
        model_id: `owner/name`, as for `load`.
        path: the file, or an existing folder to put `tokenizer.json` in.
        overwrite: replace files that are there with other content.
        dry_run: only say what would be written.
        progress: called with what is done next; all of it takes some seconds.

    Raises:
        ModelIdError, UnknownModelError: no overlay serves the id.
        ExportError: a file is in the way or cannot be written, or what was made does not give tiktoken's ids.
    """
    target = Path(path, FILE) if os.path.isdir(path) else Path(path)
    progress("loading the rank table")
    tokenizer = load(model_id)
    template = tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else None
    beside = target.with_name(CHAT_TEMPLATE)
    contents = {} if template is None else {beside: template.encode()}
    if not overwrite:
        _check_ways(target, contents)
    encoder = catalogue.get(model_id).encoder
    limits = (*_LIMITS, _OF_SEGMENTS) if encoder else _LIMITS
    if dry_run:
        return Exported((target, *contents), 0, limits)
    progress("computing merges")
    data = fast_tokenizer(tokenizer).to_str().encode()
    progress("comparing with tiktoken")
    compared = _compare(data, tokenizer)
    progress("writing")
    for file, content in {target: data, **contents}.items():
        _write(file, content)
    return Exported((target, *contents), compared, limits)


def _check_ways(target: Path, contents: dict[Path, bytes]) -> None:
    """Raise ExportError where a file is in the way. A chat template that is the same is not."""
    for file in (target, *contents):
        try:
            if os.path.lexists(file) and (file not in contents or file.read_bytes() != contents[file]):
                raise ExportError(
                    f"{str(file)!r} is there already. Nothing was written: give another place, or overwrite it "
                    "(`--force`, in Python `overwrite=True`)."
                )
        except OSError as error:
            raise ExportError(f"Cannot read {str(file)!r}: {error.strerror}. Give another place.") from error


def _compare(data: bytes, tokenizer: TikTokenTokenizer) -> int:
    """How many texts were compared. Raises ExportError for one whose ids are not tiktoken's."""
    from tokenizers import Tokenizer

    fast = Tokenizer.from_str(data.decode())
    if fast.get_vocab(with_added_tokens=True) != tokenizer.get_vocab():
        raise ExportError("The tokenizer.json has another vocabulary than tiktoken. Nothing was written: report this.")
    compared = 0
    for text in _texts(tokenizer):
        if fast.encode(text, add_special_tokens=False).ids != tokenizer.encode(text):
            raise ExportError(
                f"The tokenizer.json gives other ids than tiktoken for {text[:60]!r}. Nothing was written: "
                "update `tokenizers` and tiktoken (they follow different versions of Unicode), or report this."
            )
        compared += 1
    return compared


def _texts(tokenizer: TikTokenTokenizer) -> Iterator[str]:
    """Texts to compare: the known answers, every control token, and every token of the rank table in odd company."""
    for answer in every_known_answer():
        if not any("\ud800" <= character <= "\udfff" for character in answer.text):
            yield answer.text
    yield "".join(f"a{name} {name}" for name in tokenizer.special_tokens)
    order = [index * _STEP % N_RANKS for index in range(N_RANKS)]
    for start in range(0, N_RANKS, 4096):
        yield tokenizer.model.decode(order[start : start + 4096])


def _write(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all. Raises ExportError."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            with open(temporary, "xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExportError(f"Cannot write {str(file)!r}: {reason}. Give a place in a folder that is there.") from error
