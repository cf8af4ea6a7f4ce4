"""Knows texts and nothing of billing: card numbers, strict JSON, keyed digests and references."""
