"""Files shared by every line of Kimi K2: the rank table, the tokenizer, the tool declarations."""
