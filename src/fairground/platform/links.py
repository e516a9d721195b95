"""The table from contract to implementation."""

from typing import Any, TypeVar, cast

_Contract = TypeVar("_Contract")


class Links:
    """Contracts and their implementations. A module is built after those that it calls."""

    def __init__(self) -> None:
        self._implementations: dict[type[Any], object] = {}

    def provide(self, contract: type[_Contract], implementation: _Contract) -> None:
        self._implementations[contract] = implementation

    def of(self, contract: type[_Contract]) -> _Contract:
        """Return the implementation of a contract.

        Raises:
            LookupError: No module has provided it yet: the modules are built in the wrong order.
        """
        try:
            return cast("_Contract", self._implementations[contract])
        except KeyError:
            raise LookupError(
                f"No module provides the contract '{contract.__name__}' yet. Build the module that does first;"
                " MODULES in entrypoints/settings.py is the order."
            ) from None
