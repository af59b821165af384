"""How many tokens files and streams of any size have, in constant memory.

A text is read in blocks and cut where the pattern cuts anyway, whatever comes before and after; the parts, of as many
files as it takes, are counted together by the engine's threads, while this one reads on. Nothing heavy is imported
before it is known that all files are there.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tokenizers.errors import InputError
from kimi_tokenizers.tokenizer.encodings import encoding

if TYPE_CHECKING:
    from concurrent.futures import Future

    from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding

BLOCK = 256 * 1024
"""Bytes that are read at once."""

LONGEST = 16_000_000
"""Characters that a part may have."""

_BATCH = 4_000_000  # characters that are counted together

# As in `tokenization_kimi`: what `\s` of the pattern matches.
_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LETTER = "A-Za-zΑ-ΡΣ-Ωα-ωА-яא-תぁ-ゖァ-ヺ一-龥가-힣"

# Where a text can be cut. No alternative of the pattern goes on
# - from anything but whitespace to a space: only whitespace does, and what begins with a space;
# - from a line break to anything but whitespace: `\s*[\r\n]+` takes all whitespace up to the last line break;
# - from a letter to one of these marks: after letters, only letters, marks (\p{M}) and contractions can follow;
# - from a letter to a digit, or the other way round.
# None looks back, and the one that looks ahead, `\s+(?!\S)`, is not asked where there is a line break. No control token
# has such a place in its name.
_MARKS = ',.;:!?()"={}，。、；：！？「」（）'
CUT = re.compile(
    rf"[^{_SPACE}](?=[ \t\u3000])|[\r\n](?=[^{_SPACE}])|[{_LETTER}](?=[\r\n0-9{_MARKS}])|[0-9](?=[{_LETTER}])"
)


@dataclass
class Count:
    """Size of one text.

    Attributes:
        path: the file's, "-" for standard input.
        tokens: number of token ids.
        characters: number of Unicode characters.
        bytes: number of bytes in UTF-8.
    """

    path: str
    tokens: int = 0
    characters: int = 0
    bytes: int = 0


def check_files(files: Iterable[str]) -> int | None:
    """How many bytes the files have; None where that is not known before they are read.

    They are not opened: what is read only once, like a pipe, must be left whole.

    Raises:
        InputError: one is missing, a folder, or cannot be read; or there is no standard input.
    """
    sizes: list[int] = []
    for file in files:
        if file == "-" and sys.stdin is None:
            raise InputError("There is no standard input to count. Give the path of a text file.")
        try:
            status = os.fstat(sys.stdin.fileno()) if file == "-" else os.stat(file)
        except (OSError, ValueError) as error:
            if file == "-":  # replaced by something that is no file
                continue
            raise _unreadable(file, error) from error
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{file!r} is a folder. Give the paths of the text files in it.")
        if file != "-" and not os.access(file, os.R_OK):
            raise InputError(f"Cannot read {file!r}: Permission denied. Make it readable, or give another file.")
        if stat.S_ISREG(status.st_mode):
            sizes.append(status.st_size)
    return sum(sizes) if len(sizes) == len([*files]) else None


def count_files(
    files: Sequence[str],
    model_id: str,
    *,
    control_tokens: bool = True,
    progress: Callable[[str, int], None] = lambda file, done: None,
) -> Iterator[Count]:
    """Count the tokens of each file, in this order; "-" is standard input.

    Args:
        control_tokens: whether control tokens in the text count as one token each, as exo treats them.
        progress: called with the name of the file that is read, and how many bytes of all files have been read.

    Raises:
        InputError: a file cannot be read, is not UTF-8, or has no place to cut it in `LONGEST` characters.
        UnknownModelError: no overlay serves the id.
    """
    check_files(files)
    model = encoding(model_id)
    with _Batches(model, control_tokens) as batches:
        read = 0
        for file in files:
            if file == "-" or not os.path.isfile(file):
                yield from batches.rest()  # nobody knows for how long it is going to be read
            counted = Count(file)
            progress(file, read)
            try:
                for text in texts_of(_blocks(file, counted), file):
                    counted.characters += len(text)
                    if batches.add(counted, text):
                        yield from batches.next()
                        progress(file, read + counted.bytes)
            except InputError:
                yield from batches.rest()
                raise
            read += counted.bytes
            batches.complete.append(counted)
        yield from batches.rest()


class _Batches:
    """Parts of texts that are counted together: two batches at once, while the next is gathered.

    An engine that has threads of its own leaves a core idle while Python looks for control tokens.

    Attributes:
        complete: the texts of which all parts have been added since the last batch was handed over.
    """

    def __init__(self, model: KimiEncoding, control_tokens: bool) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._model, self._control_tokens = model, control_tokens
        self._pool = ThreadPoolExecutor(2)
        self._running: deque[tuple[Future[list[int]], list[Count], list[Count]]] = deque()
        self._counts: list[Count] = []
        self._texts: list[str] = []
        self._size = 0  # in characters
        self.complete: list[Count] = []

    def __enter__(self) -> _Batches:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, counted: Count, text: str) -> bool:
        """Take in a part of a text; returns whether it is time for `next`."""
        self._counts.append(counted)
        self._texts.append(text)
        self._size += len(text)
        return self._size >= _BATCH

    def next(self, at_most: int = 2) -> Iterator[Count]:
        """Hand over what was added, and wait until no more batches are running; gives texts of which all is counted."""
        numbers = self._pool.submit(self._model.count_batch, self._texts, control_tokens=self._control_tokens)
        self._running.append((numbers, self._counts, self.complete))
        self._counts, self._texts, self._size, self.complete = [], [], 0, []
        while len(self._running) > at_most:
            numbers, counts, complete = self._running.popleft()
            for counted, number in zip(counts, numbers.result()):  # noqa: B905 (equally many)
                counted.tokens += number
            yield from complete

    def rest(self) -> Iterator[Count]:
        """Hand over what was added, and wait for all of it."""
        return self.next(at_most=0)


def texts_of(blocks: Iterable[bytes], name: str, longest: int = LONGEST) -> Iterator[str]:
    """The text of a file, in parts whose ids are, one after the other, those of the whole.

    Raises:
        InputError: it is not UTF-8, or has no place to cut it in so many characters.
    """
    held = ""
    for chunk in _decoded(blocks, name):
        text = held + chunk
        cut = _last_cut(text, max(len(held) - 1, 0))
        if cut:
            yield text[:cut]
        held = text[cut:]
        if len(held) > longest:
            raise InputError(
                f"{name!r} has {longest:,} characters in a row that cannot be cut without changing ids, such as one "
                "word or one run of spaces. Break it into lines."
            )
    if held:
        yield held


def _last_cut(text: str, start: int) -> int:
    """Where the last part that is complete ends, if that is after `start`; else 0."""
    end = len(text)
    for width in (200, 20_000, end):
        cut = 0
        for match in CUT.finditer(text, max(start, end - width)):
            cut = match.end()
        if cut:
            return cut
    return 0


def _decoded(blocks: Iterable[bytes], name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = before = 0  # bytes that were read, and how many of them are not decoded together with the next block
    try:
        for block in blocks:
            yield decoder.decode(block)
            read += len(block)
            before = read - len(decoder.getstate()[0])
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name!r} is not UTF-8 text: byte {before + error.start:,} is 0x{error.object[error.start]:02x}. "
            "Convert it first, e.g. with `iconv -f LATIN1 -t UTF-8`."
        ) from error


def _blocks(file: str, counted: Count) -> Iterator[bytes]:
    """The content of a file; `counted.bytes` says how much of it was read."""
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as stream:
            while block := stream.read(BLOCK):
                counted.bytes += len(block)
                yield block
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: str, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or error
    return InputError(f"Cannot read {file!r}: {reason}. Give the path of a text file, or - for standard input.")
