"""Takes in the events that Stripe delivers, once each, and ends in the same state in whatever order they come.

A delivery passes `webhooks` (verify, parse), `recorder` (queue), `transactions` (commit), `inbox` (once) and `effects`
(apply), and reaches the rows and their ordering in `services.state`. Each calls the next; nothing calls back.
"""
