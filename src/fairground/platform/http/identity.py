"""The caller of a request: the account, which `accounts` authenticates, and the address that limits count by."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated, Final, Protocol
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, ConfigDict
from starlette.requests import HTTPConnection
from starlette.types import Scope

from fairground.kernel.errors import Forbidden, Unauthenticated

STAFF_ROLES: Final = frozenset({"staff", "admin"})


class StaffOnly(Forbidden):
    code = "identity.staff_only"
    hint = "Sign in with a staff account. `fairground users create --role staff` creates one."


class SignInNeeded(Unauthenticated):
    code = "identity.sign_in_needed"


class Caller(BaseModel):
    model_config = ConfigDict(frozen=True)

    user_id: UUID
    name: str
    role: str
    session_id: UUID
    is_token: bool
    """True for a bearer token, False for a browser's cookie."""
    email_verified: bool = True

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES


class Authenticator(Protocol):
    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        """Return the caller; None if the request has no credentials, or none that are valid (any more)."""
        ...


async def find_caller(connection: HTTPConnection) -> Caller | None:
    """Return the caller. The authenticator is called once for each request."""
    if not hasattr(connection.state, "caller"):
        authenticator: Authenticator = connection.app.state.authenticator
        connection.state.caller = await authenticator.authenticate(connection)
    caller: Caller | None = connection.state.caller
    return caller


def has_looked_up_caller(scope: Scope) -> bool:
    """Return whether the response may depend on the caller, because some code has looked it up."""
    return "caller" in scope.get("state", {})


async def get_caller(caller: Annotated[Caller | None, Depends(find_caller)]) -> Caller:
    if caller is None:
        raise SignInNeeded("Authentication required.")
    return caller


async def get_staff(caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
    if not caller.is_staff:
        raise StaffOnly("This is for staff only.")
    return caller


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address of a peer, an IPv4-mapped IPv6 address as IPv4; None for something else."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def client_of(host: str) -> str:
    """Return an IPv4 address as it is, and the /64 of an IPv6 address, because a household has a whole /64."""
    address = address_of(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return host if address is None else str(address)


def client_key(connection: HTTPConnection) -> str:
    """Return the key by which limits count the peer of a request.

    Headers such as X-Forwarded-For are not read here: the server replaces the peer's address by them only when the
    peer is a proxy that the operator has named.
    """
    return client_of(connection.client.host if connection.client else "unknown")


Visitor = Annotated[Caller | None, Depends(find_caller)]
SignedIn = Annotated[Caller, Depends(get_caller)]
Staff = Annotated[Caller, Depends(get_staff)]
ClientKey = Annotated[str, Depends(client_key)]
