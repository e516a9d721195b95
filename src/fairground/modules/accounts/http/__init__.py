"""Accounts over HTTP: the JSON routes, and the caller of each request by its cookie or bearer token."""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from fairground.contracts.accounts import (
    Accounts,
    OpenedSession,
    OwnAccounts,
    Role,
    Session,
    SessionKind,
    User,
)
from fairground.contracts.audit import AuditRecordPage, AuditSubjectInvalid, AuditTrail
from fairground.contracts.dto import DTO
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid, Input
from fairground.modules.accounts.http.own_accounts import Password, add_email_change, add_own_account
from fairground.platform.http.identity import Caller, ClientKey, SignedIn, Staff, Visitor
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router
from fairground.platform.http.security import SessionCookie

PageNumber = Annotated[int, Query(ge=1, le=1_000)]
PageLimit = Annotated[int, Query(ge=1, le=100)]


class RegisterIn(Input):
    email: str
    password: Password
    name: str
    role: Literal["customer", "provider"]


class LoginIn(Input):
    email: str
    password: Password


class TokenIn(Input):
    name: str


class PasswordIn(Input):
    current_password: Password
    new_password: Password


class ResetIn(Input):
    email: str


class ConfirmResetIn(Input):
    token: str
    password: Password


class VerifyIn(Input):
    token: str


class BearerToken(DTO):
    token: str
    """Send it as `Authorization: Bearer <token>`. It cannot be read again."""


class IssuedToken(BearerToken):
    session: Session


class SessionOut(Session):
    is_current: bool


class SessionList(BaseModel):
    data: list[SessionOut]
    total: int


class Accepted(BaseModel):
    detail: str


def routes(accounts: Accounts, own: OwnAccounts, *, cookie: SessionCookie) -> list[APIRouter]:
    """Return the routes. None honours Idempotency-Key: what they answer must not be stored."""
    routers = [api_router(tags=[tag], honours_idempotency_key=False) for tag in ("auth", "me")]
    auth, me = routers
    _add_registration(auth, accounts)
    _add_sign_in(auth, accounts, cookie)
    _add_mailed_links(auth, accounts)
    add_own_account(me, own, cookie)
    add_email_change(me, auth, own)
    _add_sessions(me, accounts)
    _add_password(me, accounts, cookie)
    return routers


def _add_registration(auth: APIRouter, accounts: Accounts) -> None:
    @auth.post("/auth/register", status_code=HTTPStatus.CREATED)
    async def register(body: RegisterIn, client: ClientKey) -> User:
        """Create an account. Sends an email to confirm the address."""
        return await accounts.register(
            email=body.email, password=body.password, name=body.name, role=Role(body.role), client=client
        )


def _add_sign_in(auth: APIRouter, accounts: Accounts, cookie: SessionCookie) -> None:
    @auth.post("/auth/login")
    async def login(
        body: LoginIn,
        request: Request,
        response: Response,
        client: ClientKey,
        mode: Annotated[Literal["cookie", "token"], Query(description="Where the proof goes.")] = "cookie",
    ) -> User | BearerToken:
        """Sign in. Sets a session cookie, or returns a bearer token with `mode=token`."""
        as_token = mode == "token"
        if not as_token:
            cookie.refuse_where_unsafe()
        opened = await accounts.sign_in(
            email=body.email,
            password=body.password,
            kind=SessionKind.TOKEN if as_token else SessionKind.BROWSER,
            name=request.headers.get("user-agent", ""),
            client=client,
            replaces=None if as_token else cookie.read(request),
        )
        return _hand_over(opened, response, cookie)

    @auth.post("/auth/logout", status_code=HTTPStatus.NO_CONTENT)
    async def logout(caller: Visitor, response: Response) -> None:
        """Sign out."""
        cookie.clear(response)
        if caller is not None:
            await accounts.revoke_session(user_id=caller.user_id, session_id=caller.session_id)


def _hand_over(opened: OpenedSession, response: Response, cookie: SessionCookie) -> User | BearerToken:
    if opened.session.kind is SessionKind.TOKEN:
        return BearerToken(token=opened.secret)
    cookie.set(response, secret=opened.secret)
    return opened.user


def _add_mailed_links(auth: APIRouter, accounts: Accounts) -> None:
    @auth.post("/auth/password-reset", status_code=HTTPStatus.ACCEPTED)
    async def request_password_reset(body: ResetIn, client: ClientKey) -> Accepted:
        """Email a link to reset the password, if the address has an account."""
        await accounts.request_password_reset(email=body.email, client=client)
        return Accepted(detail="If there is an account with this address, we've sent an email.")

    @auth.post("/auth/password-reset/confirm")
    async def reset_password(body: ConfirmResetIn) -> User:
        """Reset the password with the token from the email. Signs the account out everywhere."""
        return await accounts.reset_password(token=body.token, password=body.password)

    @auth.post("/auth/verify-email")
    async def verify_email(body: VerifyIn) -> User:
        """Confirm an email address with the token from the email."""
        return await accounts.verify_email(token=body.token)

    @auth.post("/auth/verify-email/send", status_code=HTTPStatus.ACCEPTED)
    async def send_verification(caller: SignedIn) -> Accepted:
        """Send another confirmation email."""
        await accounts.send_verification(user_id=caller.user_id)
        return Accepted(detail="If the address isn't confirmed yet, we've sent an email.")


def _add_sessions(me: APIRouter, accounts: Accounts) -> None:
    @me.get("/me/sessions")
    async def list_sessions(caller: SignedIn, page: PageNumber = 1, limit: PageLimit = 100) -> SessionList:
        """List your signed-in browsers and API tokens, newest first."""
        sessions = await accounts.list_sessions(user_id=caller.user_id)
        return _list(sessions, current=caller.session_id, page=page, limit=limit)

    @me.delete("/me/sessions/{session_id}", status_code=HTTPStatus.NO_CONTENT)
    async def revoke_session(session_id: UUID, caller: SignedIn) -> None:
        """Sign out a browser, or delete an API token."""
        await accounts.revoke_session(user_id=caller.user_id, session_id=session_id)

    @me.get("/me/tokens")
    async def list_tokens(caller: SignedIn, page: PageNumber = 1, limit: PageLimit = 100) -> SessionList:
        """List your API tokens, newest first."""
        sessions = await accounts.list_sessions(user_id=caller.user_id)
        tokens = [item for item in sessions if item.kind is SessionKind.TOKEN]
        return _list(tokens, current=caller.session_id, page=page, limit=limit)

    @me.post("/me/tokens", status_code=HTTPStatus.CREATED)
    async def create_token(body: TokenIn, caller: SignedIn) -> IssuedToken:
        """Create an API token. The maximum is 100 per account."""
        opened = await accounts.create_token(user_id=caller.user_id, name=body.name)
        return IssuedToken(token=opened.secret, session=opened.session)


def _list(sessions: list[Session], *, current: UUID, page: int, limit: int) -> SessionList:
    shown = sessions[(page - 1) * limit : page * limit]
    data = [SessionOut(**dict(item), is_current=item.id == current) for item in shown]
    return SessionList(data=data, total=len(sessions))


def _add_password(me: APIRouter, accounts: Accounts, cookie: SessionCookie) -> None:
    @me.post("/me/password")
    async def change_password(body: PasswordIn, caller: SignedIn, response: Response) -> User | BearerToken:
        """Change your password. Signs you out everywhere else; this session is renewed as at sign-in."""
        opened = await accounts.change_password(
            user_id=caller.user_id,
            session_id=caller.session_id,
            current=body.current_password,
            new=body.new_password,
        )
        return _hand_over(opened, response, cookie)


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
            email_verified=user.email_verified,
        )


class AuditQuery(BaseModel):
    action: str | None = Field(default=None, max_length=80, description="Such as `providers.suspend`.")
    subject_kind: str | None = Field(default=None, max_length=40, description="Such as `provider`, with `subject_id`.")
    subject_id: UUID | None = None
    actor_id: UUID | None = Field(default=None, description="The account that acted.")
    limit: int = Field(default=50, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


def audit_routes(trail: AuditTrail) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/audit")
    @refuses(AuditSubjectInvalid, CursorInvalid)
    async def list_audit_records(caller: Staff, query: Annotated[AuditQuery, Query()]) -> AuditRecordPage:
        """List what staff and commands have changed by hand, the latest first."""
        return await trail.list_records(staff_id=caller.user_id, **query.model_dump())

    return router
