"""Passwords are hashed at argon2's lowest cost, which saves a tenth of a test that signs people in."""

import argon2

from fairground.modules.accounts import module


def cheap_algorithm() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_passwords_cheaply() -> None:
    """Let every program that is composed in this process hash so; the processes of the tests keep the real cost."""
    setattr(module, "default_algorithm", cheap_algorithm)  # noqa: B010 - a plain assignment to a function of another module is refused by mypy
