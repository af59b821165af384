"""Kimi-K3's own files: its tokenizer class and chat encoder run out of a model directory, beside the common ones."""
