"""The errors that callers can react to.

Those that `tokenization_kimi.py` raises are defined there, because it stands alone; they have the same base.
"""

from __future__ import annotations

from kimi_tokenizers.escaping import escaped

_LONGEST = 10_000  # characters of a message, so that what somebody else's file holds fills no screens nor logs


class KimiTokenizersError(Exception):
    """Base of every error that this package raises on purpose. Its text can be printed, whoever wrote what is in it."""

    def __str__(self) -> str:
        text, half = super().__str__(), _LONGEST // 2
        if len(text) > _LONGEST:  # what to do next is said at the end
            text = f"{text[:half]}… ({len(text) - 2 * half:,} characters more) …{text[-half:]}"
        return escaped(text, keep="\n")


class ModelIdError(KimiTokenizersError, ValueError):
    """A model id that is not of the form `owner/name`."""


class UnknownModelError(KimiTokenizersError, LookupError):
    """A model id that no overlay serves."""


class OverlayError(KimiTokenizersError):
    """A packaged file is missing or damaged."""


class ModelDirError(KimiTokenizersError, OSError):
    """A model directory does not exist, is not a directory, or cannot be read."""


class TokenizerConfigError(KimiTokenizersError, ValueError):
    """A `tokenizer_config.json` that is not a JSON object of the expected shape."""


class VocabularyMismatchError(KimiTokenizersError, ValueError):
    """A model directory says of itself that it has another vocabulary than the overlay."""


class FolderError(KimiTokenizersError, OSError):
    """Something in a directory is a link, somebody else's or of another kind, where that would not be safe."""


class CacheError(KimiTokenizersError, OSError):
    """No directory can be made to put the overlay's files in."""


class ViewError(KimiTokenizersError, OSError):
    """A view cannot be made, updated or removed."""


class ExportError(KimiTokenizersError):
    """A tokenizer.json that is not written: a file is in the way, the place is none, or its ids would be wrong."""


class SyncError(KimiTokenizersError, OSError):
    """A model directory cannot be changed, or something other than a file lies where a tokenizer file belongs."""


class ChangedError(SyncError):
    """What would be given back or replaced is no longer what was left there."""


class JournalError(KimiTokenizersError, ValueError):
    """The record that `sync` keeps with a model directory is damaged, or is not ours."""


class ReportError(KimiTokenizersError, ValueError):
    """A saved status report that cannot be compared."""


class ToolCallError(KimiTokenizersError, ValueError):
    """What a model wrote holds no tool call that can be read."""


class InputError(KimiTokenizersError):
    """A text to be counted that cannot be read, is not UTF-8, or cannot be cut."""


class NodeError(KimiTokenizersError, OSError):
    """A node of a cluster that cannot be reached, or not be examined."""
