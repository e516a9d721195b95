"""What Cache-Control says of answers that our own cache does not keep."""

from typing import Final

# For an address that changes with what it leads to, or leads to the same always: nobody ever has to ask again.
FOREVER: Final = "public, max-age=31536000, immutable"
