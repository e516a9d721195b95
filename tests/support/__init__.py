"""What the tests of every part lean on: databases, doses, figures, factories."""
