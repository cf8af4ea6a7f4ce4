"""Keeps the audit log: a record in the transaction of each effect, in a chain of keyed digests.

`log` appends and checks, `chain` is the arithmetic of it, `reading` shows a tenant its own records, and `retention`
removes rows whose time is over, those of the log last.
"""
