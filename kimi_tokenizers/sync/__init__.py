"""The overlay in place and back: plan, journal, disk, status, watch. The only code that writes to a model directory.

It may import `resolver`, `model_dirs`, `catalogue`, `errors` and the standard library (for `watch`, also watchfiles).
It must never open a weight file, never write anything but the tokenizer files that `names` lists and its own record
beside them, and never know of `view`, `tokenizer` or `commands`.
"""

from kimi_tokenizers.sync.advice import Advice, advice, typed
from kimi_tokenizers.sync.applying import apply, recover
from kimi_tokenizers.sync.explaining import Explanation, FileExplanation, explain
from kimi_tokenizers.sync.immutable import can_be_immutable
from kimi_tokenizers.sync.outcomes import Outcome, restore_model, sync_model
from kimi_tokenizers.sync.planning import Change, Plan, plan
from kimi_tokenizers.sync.reports import (
    REPORT_SCHEMA,
    Difference,
    compare_reports,
    not_comparable,
    not_loading,
    read_report,
    same_machine,
    status_report,
)
from kimi_tokenizers.sync.restoring import Given, restore
from kimi_tokenizers.sync.status import ModelStatus, examine
from kimi_tokenizers.sync.watching import watch

__all__ = [
    "REPORT_SCHEMA",
    "Advice",
    "Change",
    "Difference",
    "Explanation",
    "FileExplanation",
    "Given",
    "ModelStatus",
    "Outcome",
    "Plan",
    "advice",
    "apply",
    "can_be_immutable",
    "compare_reports",
    "examine",
    "explain",
    "not_comparable",
    "not_loading",
    "plan",
    "read_report",
    "recover",
    "restore",
    "restore_model",
    "same_machine",
    "status_report",
    "sync_model",
    "typed",
    "watch",
]
