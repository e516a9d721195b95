"""Who answers a contract. In one process that is a dictionary."""

from typing import Any, TypeVar, cast

_Contract = TypeVar("_Contract")


class Links:
    """Contracts and those who implement them. A module is built after everything that it asks."""

    def __init__(self) -> None:
        self._implementations: dict[type[Any], object] = {}

    def provide(self, contract: type[_Contract], implementation: _Contract) -> None:
        self._implementations[contract] = implementation

    def of(self, contract: type[_Contract]) -> _Contract:
        """Return the implementation of a contract.

        Raises:
            LookupError: Nobody provides it (yet): the modules are built in the wrong order.
        """
        try:
            return cast("_Contract", self._implementations[contract])
        except KeyError:
            raise LookupError(
                f"Nobody serves the contract '{contract.__name__}'. Build the module that provides it first;"
                " the order stands in entrypoints/compose.py."
            ) from None
