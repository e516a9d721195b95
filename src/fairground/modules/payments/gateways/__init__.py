"""The card processor: what payments needs of one, and the one adapter, which speaks Stripe's HTTP API."""
