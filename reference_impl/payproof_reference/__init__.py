"""The reference billing service: shows what passing Payproof looks like."""
