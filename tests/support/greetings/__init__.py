"""A module of its own, to show that a program takes one that is named to it and asks for nothing else."""
