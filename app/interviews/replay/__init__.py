"""The replay of an ended interview: what was typed, sent, judged and said, on one timeline."""
