"""The vocabulary as a `tokenizers.Tokenizer`, which is what a `tokenizer.json` holds, made from the rank table.

`teach_transformers` makes transformers' `convert_slow_tokenizer` use it: its general converter knows neither the
pattern nor the ids of control tokens, and would make a tokenizer with other ids.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kimi_tokenizers.catalogue import spell

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from kimi_tokenizers.overlays.common.tokenization_kimi import TikTokenTokenizer

_CONVERTERS = "transformers.convert_slow_tokenizer"
_CLASS = "TikTokenTokenizer"


def fast_tokenizer(tokenizer: TikTokenTokenizer) -> Tokenizer:
    """The same vocabulary, control tokens and all, for Hugging Face's `tokenizers`. Takes some seconds."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

    ranks: Mapping[bytes, int] = tokenizer.model._mergeable_ranks
    spelled = dict(zip(ranks, spell(ranks)))  # noqa: B905 (equally long)
    vocabulary = {text: ranks[token] for token, text in spelled.items()}
    pairs = [(spelled[left], spelled[right]) for left, right in merges(ranks)]
    fast = Tokenizer(models.BPE(vocabulary, pairs, ignore_merges=True))
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(tokenizer.pat_str), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    fast.decoder = decoders.ByteLevel()
    special = set(tokenizer.all_special_tokens)
    fast.add_tokens(  # they get the ids after the ranks, in this order
        [
            AddedToken(name, normalized=False, special=name in special)
            for name, _ in sorted(tokenizer.special_tokens.items(), key=lambda item: item[1])
        ]
    )
    return fast


def merges(ranks: Mapping[bytes, int]) -> list[tuple[bytes, bytes]]:
    """Every pair of tokens that makes a token, in the order in which they are joined.

    tiktoken joins the two neighbours that make the token of the lowest rank, whichever two they are. So a token has a
    pair for each way to cut it in two, and they come one after the other.
    """
    pairs: list[tuple[bytes, bytes]] = []
    for token in ranks:  # in the order of the ranks
        ways = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        ways = [(left, right) for left, right in ways if left in ranks and right in ranks]
        pairs += sorted(ways, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    return pairs


class _Converter:
    """What transformers' table of converters holds for the class `TikTokenTokenizer`."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def converted(self) -> Tokenizer:
        if hasattr(self._tokenizer.model, "token_ids"):
            return fast_tokenizer(self._tokenizer)
        general = sys.modules[_CONVERTERS].TikTokenConverter  # another's class of this name
        converter = general(
            vocab_file=self._tokenizer.vocab_file,
            extra_special_tokens=getattr(self._tokenizer, "additional_special_tokens", None),
        )
        result: Tokenizer = converter.converted()
        return result


def teach_transformers() -> None:
    """Make `transformers.convert_slow_tokenizer` convert our tokenizers, now or when it is imported.

    To import it takes 30 ms, for a table that hardly any process needs.
    """
    module = sys.modules.get(_CONVERTERS)
    if module is not None:
        _teach(module)
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _teach(module: ModuleType) -> None:
    module.SLOW_TO_FAST_CONVERTERS.setdefault(_CLASS, _Converter)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds that one module as Python does, and teaches it when it has been executed. Then it takes itself away."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != _CONVERTERS:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            original = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                original(module)
                _teach(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
