"""Which layer each tokenizer file comes from, the overlay or the model directory; and a directory of them for exo.

It may import `model_dirs`, `catalogue`, `errors`, the standard library, and filelock where a directory has to be made.
It must never write to a model directory, and for a model that is none of ours it must neither raise nor import
anything heavy: exo asks it for every model.
"""

from kimi_tokenizers.resolver.layering import Layer, front, layers
from kimi_tokenizers.resolver.resolved import describe, provides, resolve

__all__ = ["Layer", "describe", "front", "layers", "provides", "resolve"]
