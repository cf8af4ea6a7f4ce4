"""The planted faults: each replaces a part of the service; expected.toml says what must catch it."""
