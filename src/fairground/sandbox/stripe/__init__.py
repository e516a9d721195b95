"""A small fake of Stripe's wire protocol: the provider of the embedded default, and what the adapter is tested against.

It speaks PaymentIntents, refunds, events, idempotency keys, signed webhooks and a 3-D Secure page, in the shapes of
docs.stripe.com/api, and nothing else. Its state is one SQLite file of its own (standard library, no ORM), shared by
all processes of one installation; a process may be killed at any instant.
"""
