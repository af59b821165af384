"""Views: a directory beside the models, with a folder of links for every model and the overlay's files in front.

A stock exo that is told of it with `EXO_MODELS_READ_ONLY_DIRS` finds a working tokenizer there and the model's own
weights.

It may import `resolver`, `model_dirs`, `catalogue`, `errors`, and the standard library.
It must never write to a model directory, never copy or open a weight file, and know nothing of `sync`, `tokenizer` or
`commands`.
"""

from kimi_tokenizers.view.folders import Change, ViewedModel
from kimi_tokenizers.view.making import ViewReport, environment_lines, make, remove

__all__ = ["Change", "ViewReport", "ViewedModel", "environment_lines", "make", "remove"]
