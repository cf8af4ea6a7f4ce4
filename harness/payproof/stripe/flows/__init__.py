"""Plays payment flows at Stripe, by calls to its API alone: the double and Stripe's test mode are exchangeable."""

from payproof.stripe.flows.acts import ACTS, play
from payproof.stripe.flows.player import Player, StripeAccount, StripeObject

__all__ = ["ACTS", "Player", "StripeAccount", "StripeObject", "play"]
