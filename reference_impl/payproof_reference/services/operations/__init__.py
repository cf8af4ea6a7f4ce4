"""Does at Stripe what callers ask for, once each, whatever fails in between.

`intake` writes an operation before Stripe hears of it, `attempts` calls Stripe, `transitions` says what follows, and
`answers` writes what Stripe answered. `worker` carries out later what a request had to leave pending, in the order that
`queue` keeps. `sessions` opens pages of Stripe's, which are never repeated.
"""
