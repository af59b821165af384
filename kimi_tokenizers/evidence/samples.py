"""Texts to compare tokenizers on: a corpus from disk, streamed, and generated ones that look for trouble.

The same seed gives the same texts on every machine. It knows nothing of tokenizers.
"""

from __future__ import annotations

import errno
import functools
import os
import random
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kimi_tokenizers.errors import KimiTokenizersError

TEXT_BYTES = 256 * 1024
"""About the length of a piece of corpus: whole lines, cut where there are none."""


class CorpusError(KimiTokenizersError, OSError):
    """A file of the corpus cannot be read."""


class Sample(NamedTuple):
    """A text.

    Attributes:
        where: file and offset in bytes, or kind and number of a generated text.
        control: whether control tokens in it are recognised; else they are plain text.
    """

    where: str
    text: str
    control: bool


# Corpus


def corpus_files(paths: Iterable[str | os.PathLike[str]]) -> list[tuple[Path, int]]:
    """The files of a corpus with their sizes in bytes, sorted: folders are walked, but for links to folders.

    In folders, what is not a regular file or looks binary is left out. Raises CorpusError for what cannot be read,
    there or given itself, since not all would be compared; and for a path in which there is no text.
    """
    found: list[tuple[Path, int]] = []
    for given in map(Path, paths):
        before = sum(size for _, size in found)
        try:
            found += _in_folder(given) if given.is_dir() else [_given(given)]
        except (OSError, ValueError) as error:
            if isinstance(error, CorpusError):
                raise
            raise CorpusError(
                f"The corpus {str(given)!r} cannot be read: {error}. Give text files or folders."
            ) from error
        if sum(size for _, size in found) == before:
            raise CorpusError(f"There is no text to compare in the corpus {str(given)!r}. Give text files or folders.")
    return found


def _given(path: Path) -> tuple[Path, int]:
    with path.open("rb"):
        return path, path.stat().st_size


def _in_folder(folder: Path) -> list[tuple[Path, int]]:
    found: list[tuple[Path, int]] = []
    unreadable: list[OSError] = []
    for parent, _, names in os.walk(folder, onerror=unreadable.append):
        for path in (Path(parent, name) for name in names):
            try:
                size = _text_size(path)
            except OSError as error:
                unreadable.append(error)
            else:
                found += [(path, size)] if size is not None else []
    if unreadable:
        shown = "; ".join(f"{str(error.filename)!r}: {error.strerror}" for error in unreadable[:3])
        more = f" and {len(unreadable) - 3} more" if len(unreadable) > 3 else ""
        raise CorpusError(
            f"Not all of the corpus {str(folder)!r} can be read ({shown}{more}), so nothing was compared. Make it "
            "readable, or name the files and folders to compare."
        )
    return sorted(found)


def _text_size(path: Path) -> int | None:
    """Bytes of a text; None for what is none. Raises OSError."""
    try:
        status = path.stat()
    except OSError as error:
        if path.is_symlink() and error.errno in (errno.ENOENT, errno.ELOOP):
            return None  # a link that leads nowhere
        raise
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        return None
    with path.open("rb") as stream:
        return None if b"\0" in stream.read(4096) else status.st_size


def corpus(files: Iterable[tuple[Path, int]], text_bytes: int = TEXT_BYTES) -> Iterator[Sample]:
    """The texts of a corpus, one after the other, never more than a piece of a file in memory.

    Bytes that are not UTF-8 become U+FFFD. Raises CorpusError for a file that cannot be read any more.
    """
    for path, _ in files:
        try:
            with path.open("rb") as stream:
                rest, offset = b"", 0
                while block := stream.read(text_bytes):
                    data = rest + block
                    end = _cut(data, text_bytes)
                    if end:
                        yield Sample(f"{path}:{offset}", data[:end].decode("utf-8", "replace"), True)
                    rest, offset = data[end:], offset + end
                if rest:
                    yield Sample(f"{path}:{offset}", rest.decode("utf-8", "replace"), True)
        except OSError as error:
            raise CorpusError(f"The corpus {str(path)!r} cannot be read: {error}.") from error


def _cut(data: bytes, text_bytes: int) -> int:
    """Where to cut: after the last line break; without any, at a character, once there is a lot; else 0, not yet."""
    end = data.rfind(b"\n") + 1
    if not end and len(data) >= 4 * text_bytes:
        end = len(data)
        while end > len(data) - 4 and data[end - 1] & 0xC0 == 0x80:  # inside a character: cut in front of it
            end -= 1
        end -= data[end - 1] >= 0xC0
    return end


# Generated texts

_SPACES = " \t\n\r\v\f\x1c\x85\xa0\u1680\u2000\u2003\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'LL", "’s", "'ſ", "'", "''s")
_SCRIPTS = tuple(
    words.split()
    for words in (
        "the of and Straße naïve Ünïcode ﬁn ǅ ʰ İstanbul ıI ß ẞ",
        "мир Ёлка друзья ПРИВЕТ і ї",
        "κόσμε ΑΒΓ ᾳ σς",
        "人工智能 世界 你好 𠀀𪛖 々 〇 ㊀ 豈",
        "ひらがな カタカナ ｶﾅ 漢字とかな ー 한국어 ㅎㅏㄴ 각",
        "مرحبا السّلام שלום עֲבְרִית हिन्दी க்ஷ ไทยที่ ກໍ မြန်မာ",
        "😀 👩\u200d👩\u200d👧 🇺🇳 👍🏽 ☃︎ ✈️ e\u0301 a\u0323\u0302 \u0301",
        "foo_bar fooBar FOOBar i18n x²  x+=1; !=  ::  </div> \\n {} [] #! /* */ => 0x1F 1e-9",
        '"key": null, {"a":[1,2.5e3]} http://example.org/a?b=c%20d user@example.org',
    )
)
_DIGITS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９", "²³¹½¾ⅣⅧ①⑳〇", "𝟘𝟙𝟚𝟛")


def generated(count: int, seed: int, control_tokens: Sequence[str]) -> Iterator[Sample]:
    """`count` texts: Unicode blocks, control tokens, whitespace runs, contractions, digits, mixtures, long inputs.

    Control tokens are recognised in every other text. Each kind goes through all it has (every block, every control
    token) before it starts again.
    """
    makers = (_blocks, _control, _whitespace, _contractions, _digits, _mixture, _near_control, _mixture)
    for number in range(count):
        kind = "long" if number % 2000 == 1999 or number == 7 else ""
        maker = _long if kind else makers[number % len(makers)]
        turn = number // len(makers)
        rng = random.Random(f"{seed}:{number}")
        text = maker(rng, turn, control_tokens)
        yield Sample(f"{maker.__name__.strip('_')} {number}, seed {seed}", text, turn % 2 == 0)


# Where characters are: every block but the surrogates, most of what is for private use, and the empty planes. Written
# down, because what a Python knows of Unicode depends on its version.
_RANGES = ((0, 0xD800), (0xE000, 0xE100), (0xF800, 0x20000), (0x20000, 0x33480), (0xE0000, 0xE0200))
# What Unicode 17 made letters, marks and digits: engines that know it split text there in another way. tiktoken 0.14
# and tokenizers 0.23 do not, gigatoken 0.10 does.
_NEW = (
    *((0x88F, 0x88F), (0xC5C, 0xC5C), (0xCDC, 0xCDC), (0x1ACF, 0x1ADD), (0x1AE0, 0x1AEB), (0xA7CE, 0xA7CF)),
    *((0xA7D2, 0xA7D2), (0xA7D4, 0xA7D4), (0xA7F1, 0xA7F1), (0x10940, 0x10959), (0x10EC5, 0x10EC7)),
    *((0x10EFA, 0x10EFB), (0x11B60, 0x11B67), (0x11DB0, 0x11DDB), (0x11DE0, 0x11DE9), (0x16EA0, 0x16EB8)),
    *((0x16EBB, 0x16ED3), (0x16FF2, 0x16FF6), (0x187F8, 0x187FF), (0x18D09, 0x18D1E), (0x18D80, 0x18DF2)),
    *((0x1E6C0, 0x1E6DE), (0x1E6E0, 0x1E6F5), (0x1E6FE, 0x1E6FF), (0x2B73A, 0x2B73F), (0x2CEA2, 0x2CEAD)),
    (0x323B0, 0x33479),
)


@functools.lru_cache(maxsize=1)
def _rows() -> list[list[str]]:
    """Characters in rows of 16, of which every Unicode block is made."""
    new = {code for first, last in _NEW for code in range(first, last + 1)}
    rows = [
        [chr(code) for code in range(start, start + 16) if code not in new]
        for span in _RANGES
        for start in range(*span, 16)
    ]
    return [*filter(None, rows), ["\U000f0000", "\U000ffffd", "\U00100000", "\U0010ffff"]]


def _blocks(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    rows = _rows()
    start = turn * 8 % len(rows)
    pieces = []
    for row in rows[start : start + 8]:
        pieces += [*rng.choices(row, k=rng.randint(2, 6)), rng.choice(("", "", " ", "\n", "a", "1", "'s", "-", "中"))]
    return "".join(pieces)


def _control(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    name = control_tokens[turn % len(control_tokens)]
    around = [_mixture(rng, turn, control_tokens) for _ in range(2)]
    joint = rng.choice(("", "", " ", "\n", name))
    return joint.join(
        (around[0][: rng.randint(0, 30)], name, rng.choice(control_tokens), around[1][: rng.randint(0, 30)])
    )


def _near_control(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    """A control token with something wrong with it: plain text."""
    name = control_tokens[rng.randrange(len(control_tokens))]
    cut = rng.randrange(len(name))
    change = rng.choice((name[:cut], name[cut:], name.upper(), name[:cut] + " " + name[cut:], f"<{name}", f"{name}|>"))
    return rng.choice(("", "a", " ", "<|")) + change + rng.choice(("", "|>", "x", "\n"))


def _whitespace(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    pieces = []
    for _ in range(rng.randint(1, 6)):
        spaces = rng.choice((" ", "\n", "\t", "\r\n", rng.choice(_SPACES))) * rng.choice((1, 2, 3, 7, 16, 40, 300))
        odd = rng.choice(_SPACES) if rng.random() < 0.5 else ""
        pieces += [spaces, odd, rng.choice(("", "a", "é", "1", "!", "中", "'s", "))", "\u0301"))]
    return "".join(pieces)


def _contractions(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    words = [rng.choice(_SCRIPTS[rng.randrange(4)]) + rng.choice(_CONTRACTIONS) for _ in range(rng.randint(1, 6))]
    return rng.choice(("", " ")).join(words) + rng.choice(("", "x", "T", "é", "中", "1"))


def _digits(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    pieces = []
    for _ in range(rng.randint(1, 5)):
        pieces += [*rng.choices(rng.choice(_DIGITS), k=rng.randint(1, 11)), rng.choice((".", ",", " ", "", "x", "-"))]
    return "".join(pieces)


def _mixture(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    joints = (" ", " ", "", "\n", ", ", "  ", "\n\n    ", "-", "\u3000", "。")
    script = rng.choice(_SCRIPTS)
    pieces = []
    for _ in range(rng.randint(1, 12)):
        if rng.random() < 0.3:
            script = rng.choice(_SCRIPTS)
        pieces += [rng.choice(script), rng.choice(joints)]
    return "".join(pieces)


def _long(rng: random.Random, turn: int, control_tokens: Sequence[str]) -> str:
    size = rng.choice((20_000, 60_000, 420_000))  # upstream's own encode cuts texts at 400,000 characters
    unit = rng.choice(("", "a", "ab", "中", "0", "!", "é", "\u0301"))
    if unit:
        return unit * (20_000 // len(unit)) + _mixture(rng, turn, control_tokens)
    pieces: list[str] = []
    length = 0
    while length < size:
        pieces.append(_mixture(rng, turn, control_tokens))
        length += len(pieces[-1])
    return "".join(pieces)
