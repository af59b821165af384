"""The optional engine: gigatoken for long texts and batches, behind the same `.model`, with the same ids.

tiktoken stays in charge. It does everything that is short, and everything else until so much text has been encoded
that building a second engine pays. Before its first use the second engine has to give the known answers; where it does
not, or fails, tiktoken goes on alone and a warning says so.
"""

from __future__ import annotations

import functools
import os
import unicodedata
import warnings
from collections.abc import Collection, Sequence, Sized
from collections.abc import Set as AbstractSet
from importlib.util import find_spec
from typing import Any, Literal

from kimi_tokenizers import catalogue
from kimi_tokenizers.overlays.common.tokenization_kimi import KimiEncoding, Prompt, _has_long_run, _threads

VARIABLE = "KIMI_TOKENIZERS_ENGINE"

# Texts below this are as fast with tiktoken. Above it, the second engine saves some 0.08 s per million characters and
# takes 0.35 s to build, during which no other thread runs: it is built when as much could have been saved already.
_LONG = 16_384  # characters
_PAYS = 4_000_000  # characters of long texts
# gigatoken remembers the words that it has seen, without a limit: some 8 bytes a character where hardly any word comes
# twice. So after so many characters it is built anew.
_KEEPS = 40_000_000  # characters
_UNICODE = 16  # the older of the versions that the engines follow
_BLOCK = 16_384  # characters that are looked at together; what numpy makes of so many stays in the processor's cache


def accelerated(model: KimiEncoding) -> KimiEncoding:
    """The same encoding with the second engine behind it, if gigatoken is installed and $KIMI_TOKENIZERS_ENGINE allows.

    Set KIMI_TOKENIZERS_ENGINE=tiktoken to do without it.
    """
    if os.environ.get(VARIABLE, "") not in ("", "gigatoken") or find_spec("gigatoken") is None:
        return model
    fast = FastEncoding.__new__(FastEncoding)
    fast.__dict__.update(model.__dict__)  # the engine that is built already serves both
    return fast


class FastEncoding(KimiEncoding):
    """A `KimiEncoding` that hands long texts to gigatoken once that pays."""

    # Class attributes, so that an instance made from another's __dict__ has them.
    _seen = 0  # characters of long texts so far
    _used = 0  # characters that went through the engines as they are now
    _broken = False
    _engines: dict[bool, Any] | None = None  # whether it recognises control tokens -> engine

    def encode(
        self,
        text: str,
        *,
        allowed_special: Literal["all"] | AbstractSet[str] = frozenset(),
        disallowed_special: Literal["all"] | Collection[str] = "all",
    ) -> list[int]:
        """As `KimiEncoding.encode`."""
        control = _all_or_none(allowed_special, disallowed_special) if len(text) >= _LONG else None
        if control is not None and not isinstance(text, Prompt):  # its segments come here one by one
            ids = self._encode_fast([text], control)
            if ids is not None:
                return ids[0]
        return super().encode(text, allowed_special=allowed_special, disallowed_special=disallowed_special)

    def encode_ordinary(self, text: str) -> list[int]:
        """As `KimiEncoding.encode_ordinary`."""
        if len(text) >= _LONG and (ids := self._encode_fast([text], False)) is not None:
            return ids[0]
        return super().encode_ordinary(text)

    def encode_ordinary_batch(self, text: list[str], *, num_threads: int = 8) -> list[list[int]]:
        """As `tiktoken.Encoding.encode_ordinary_batch`."""
        text = list(text)
        ids = self._encode_fast(text, False) if sum(map(len, text)) >= _LONG else None
        return super().encode_ordinary_batch(text, num_threads=num_threads) if ids is None else ids

    def encode_batch(
        self,
        text: list[str],
        *,
        num_threads: int = 8,
        allowed_special: Literal["all"] | AbstractSet[str] = frozenset(),
        disallowed_special: Literal["all"] | Collection[str] = "all",
    ) -> list[list[int]]:
        """As `tiktoken.Encoding.encode_batch`."""
        text = list(text)
        control = _all_or_none(allowed_special, disallowed_special)
        ids = None
        if control is not None and sum(map(len, text)) >= _LONG and not any(isinstance(part, Prompt) for part in text):
            ids = self._encode_fast(text, control)
        if ids is None:
            ids = super().encode_batch(
                text,
                num_threads=num_threads,
                allowed_special=allowed_special,
                disallowed_special=disallowed_special,
            )
        return ids

    def _encode_fast(self, texts: Sequence[str], control: bool) -> list[list[int]] | None:
        """Ids by the second engine; None where that is not for it."""
        if self._broken or self._nested or any(_has_long_run(text) for text in texts):
            return None
        size = sum(map(len, texts))
        seen = self._seen + size  # once, as other threads count too
        if seen < _PAYS:
            self._seen = seen
            return None
        if not all(map(_is_old, texts)):
            return None
        self._seen = seen
        try:
            engine = self._engine(control)
            self._used += size
            if self._used > _KEEPS:
                self._engines, self._used = None, 0
            if len(texts) == 1:
                # Of ints that are there already a list is made twice as fast, and let go, as of new ones.
                return [self._ints.take(engine.encode(texts[0])).tolist()]
            parallel = None if _threads() > 1 else False
            return engine.encode_batch_list(list(texts), parallel=parallel)  # type: ignore[no-any-return]
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # whatever another engine may raise (a panic is no Exception): no reason to fail
            self._give_up(f"failed ({type(error).__name__}: {error})")
            return None

    def _engine(self, control: bool) -> Any:
        """The second engine, built and put to the proof on first use."""
        engines = self._engines
        if engines is None:
            engines = self._engines = {}
        if control not in engines:
            import gigatoken

            from kimi_tokenizers.tokenizer.known_answers import every_known_answer

            special = dict(self._special_tokens) if control else {}
            with catalogue.overlays()["kimi-k2.6"].files["tiktoken.model"].path() as path:
                engine = gigatoken.Tokenizer.from_tiktoken(path, pretokenizer="kimi", special_tokens=special)
            for _, _, text, _ in every_known_answer():
                expected = super().encode(text, allowed_special="all") if control else super().encode_ordinary(text)
                if engine.encode(text).tolist() != expected:
                    raise ValueError(f"it encodes {text!r} differently")
            engines[control] = engine
        return engines[control]

    @functools.cached_property
    def _ints(self) -> Any:
        """Every id as an `int`, in an array of objects."""
        import numpy as np

        return np.fromiter(range(self.max_token_value + 1), object, self.max_token_value + 1)

    def _give_up(self, reason: str) -> None:
        self._broken = True
        self._engines = None
        warnings.warn(
            f"gigatoken {reason}; tiktoken encodes instead, with the same ids. Update gigatoken, or set "
            f"{VARIABLE}=tiktoken to be rid of this warning.",
            RuntimeWarning,
            stacklevel=5,
        )


def _is_old(text: str) -> bool:
    """Whether every character of `text` has been in Unicode since before both engines.

    They follow different versions of Unicode (gigatoken 0.10: 17, tiktoken 0.14: 16), and what is a letter to one is
    nothing to the other where a character is newer. Those that Python knows are the same to both, as long as Python
    itself follows no newer Unicode than 16 (so up to 3.14); tests/tokenizer/test_engine.py compares every one. With a
    newer Python only ASCII counts as old, and tiktoken encodes the rest. Lone surrogates, which tiktoken replaces, are
    never old.
    """
    blocks = (text[start : start + _BLOCK] for start in range(0, len(text), _BLOCK))
    return all(block.isascii() or (_python_is_old() and _is_old_block(block)) for block in blocks)


def _python_is_old() -> bool:
    return int(unicodedata.unidata_version.partition(".")[0]) <= _UNICODE


def _is_old_block(text: str) -> bool:
    import numpy as np

    return bool(_old().take(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)).all())


@functools.lru_cache(maxsize=1)
def _old() -> Any:
    import numpy as np

    categories = map(unicodedata.category, map(chr, range(0x110000)))
    return np.fromiter((category not in ("Cn", "Cs") for category in categories), bool, 0x110000)


def _all_or_none(
    allowed: Literal["all"] | AbstractSet[str], disallowed: Literal["all"] | Collection[str]
) -> bool | None:
    """Whether all control tokens are recognised (True) or none (False); None where some are, or some are an error."""
    if isinstance(allowed, str):
        every = allowed == "all" and (not disallowed or disallowed == "all")
        return True if every else None
    none = isinstance(allowed, (frozenset, set)) and isinstance(disallowed, Sized) and not allowed and not disallowed
    return False if none else None
