"""What tests of every part use: databases, doses, figures, factories."""
