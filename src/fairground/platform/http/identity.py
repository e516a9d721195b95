"""Who is calling. Accounts proves it; routes and pages only say whom they let in."""

from typing import Annotated, Final, Protocol
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, ConfigDict
from starlette.requests import HTTPConnection
from starlette.types import Scope

from fairground.kernel.errors import Forbidden, Unauthenticated

STAFF_ROLE: Final = "admin"


class StaffOnly(Forbidden):
    code = "identity.staff_only"
    hint = "Sign in with an account of the role admin; `fairground users create --role admin` makes one."


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

    @property
    def is_staff(self) -> bool:
        return self.role == STAFF_ROLE


class Authenticator(Protocol):
    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        """Return who sent the request, or None when it carries no proof, or none that is good (any more)."""
        ...


async def find_caller(connection: HTTPConnection) -> Caller | None:
    """Return the caller, asking the authenticator once a request."""
    if not hasattr(connection.state, "caller"):
        authenticator: Authenticator = connection.app.state.authenticator
        connection.state.caller = await authenticator.authenticate(connection)
    caller: Caller | None = connection.state.caller
    return caller


def has_learnt_caller(scope: Scope) -> bool:
    """Return whether this request's answer may depend on the caller: some code has asked who it is."""
    return "caller" in scope.get("state", {})


async def get_caller(caller: Annotated[Caller | None, Depends(find_caller)]) -> Caller:
    if caller is None:
        raise SignInNeeded("This needs a signed-in account.")
    return caller


async def get_staff(caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
    if not caller.is_staff:
        raise StaffOnly("This is for the staff of this marketplace.")
    return caller


Visitor = Annotated[Caller | None, Depends(find_caller)]
SignedIn = Annotated[Caller, Depends(get_caller)]
Staff = Annotated[Caller, Depends(get_staff)]
