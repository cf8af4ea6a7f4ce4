"""Payproof's harness: acts on a billing system as Stripe, an attacker and a failing network do, and judges it."""

__version__ = "0.1.0"

__all__ = ["__version__"]
