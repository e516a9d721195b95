"""The card processor: the interface that payments needs, and its adapter, which speaks Stripe's HTTP API."""
