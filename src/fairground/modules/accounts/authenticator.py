"""Authenticates requests by the cookie of a browser or by a bearer token."""

from starlette.requests import HTTPConnection

from fairground.contracts.accounts import Accounts, SessionKind
from fairground.platform.http.identity import Caller
from fairground.platform.http.security import SessionCookie


class SessionAuthenticator:
    """Implements `platform.http.identity.Authenticator`."""

    def __init__(self, accounts: Accounts, *, cookie: SessionCookie) -> None:
        self._accounts = accounts
        self._cookie = cookie

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        authorization = connection.headers.get("authorization")
        if authorization is not None:
            # A bad token must not fall back to the user of the browser's cookie.
            scheme, _, token = authorization.partition(" ")
            return await self._find(token.strip(), SessionKind.TOKEN) if scheme.lower() == "bearer" else None
        secret = self._cookie.read(connection)
        return None if secret is None else await self._find(secret, SessionKind.BROWSER)

    async def _find(self, secret: str, kind: SessionKind) -> Caller | None:
        found = await self._accounts.find_session(secret=secret)
        if found is None:
            return None
        session, user = found
        # Browsers send cookies by themselves, but not tokens, so neither kind may pass for the other.
        if session.kind is not kind:
            return None
        return Caller(
            user_id=user.id,
            name=user.name,
            role=user.role.value,
            session_id=session.id,
            is_token=kind is SessionKind.TOKEN,
        )
