"""Payments: authorise, capture, void and refund money through a card processor, and never lose track of it."""
