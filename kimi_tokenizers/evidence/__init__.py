"""Is it the same tokenizer? Known answers, checks, parity with a reference, verification, and what upstream did.

It may import `tokenizer`, `resolver` and what is below them, and transformers, tiktoken, tokenizers, mlx-lm and
huggingface_hub when one of them is asked. It must never call fine what it did not examine, change anything it examines,
or run downloaded Python in this process; only `upstream` may use the network.
"""

from kimi_tokenizers.evidence.changes import MEANING, Finding, upstream_markdown, worst_change
from kimi_tokenizers.evidence.checks import (
    DEFAULT_LINE,
    CheckError,
    check_decoding,
    check_encoding,
    check_exo_rules,
    check_tokenizer,
    known_answers,
)
from kimi_tokenizers.evidence.copying import private_copy
from kimi_tokenizers.evidence.exo_loading import isolated, load_like_exo, load_line_like_exo, wrap_for_mlx
from kimi_tokenizers.evidence.foreign import check_like_exo
from kimi_tokenizers.evidence.parity import compare
from kimi_tokenizers.evidence.parity_report import Difference, Report
from kimi_tokenizers.evidence.reference import ENGINES, open_reference
from kimi_tokenizers.evidence.samples import corpus_files
from kimi_tokenizers.evidence.upstream import changes_upstream
from kimi_tokenizers.evidence.verification import Verification, verify, versions

__all__ = [
    "DEFAULT_LINE",
    "ENGINES",
    "MEANING",
    "CheckError",
    "Difference",
    "Finding",
    "Report",
    "Verification",
    "changes_upstream",
    "check_decoding",
    "check_encoding",
    "check_exo_rules",
    "check_like_exo",
    "check_tokenizer",
    "compare",
    "corpus_files",
    "isolated",
    "known_answers",
    "load_like_exo",
    "load_line_like_exo",
    "open_reference",
    "private_copy",
    "upstream_markdown",
    "verify",
    "versions",
    "worst_change",
    "wrap_for_mlx",
]
