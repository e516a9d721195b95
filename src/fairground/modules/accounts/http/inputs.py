"""Fields that several inputs of accounts have."""

from typing import Annotated

from pydantic import StringConstraints

# A blank at the end of a password belongs to it.
Password = Annotated[str, StringConstraints(strip_whitespace=False)]
