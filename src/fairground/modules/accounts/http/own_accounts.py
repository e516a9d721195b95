"""What users do with their own account over HTTP: details, another address, becoming a provider, and closing it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from fairground.contracts.accounts import OwnAccount, OwnAccounts, User
from fairground.kernel.inputs import Input, text_field
from fairground.modules.accounts.domain import NAME_MAX_LENGTH, PHONE_MAX_LENGTH
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.security import SessionCookie

# A blank at the end of a password belongs to it.
Password = Annotated[str, StringConstraints(strip_whitespace=False)]


class DetailsIn(Input):
    """The fields to change; null removes the telephone number."""

    name: str | None = text_field(None, most=NAME_MAX_LENGTH)
    phone: str | None = text_field(None, most=PHONE_MAX_LENGTH, description="Private: no other user sees it.")


class NewEmailIn(Input):
    email: str = Field(max_length=320)
    current_password: Password


class CloseIn(Input):
    current_password: Password


class ConfirmEmailIn(Input):
    token: str


def add_own_account(me: APIRouter, own: OwnAccounts, cookie: SessionCookie) -> None:
    @me.get("/me")
    async def get_me(caller: SignedIn) -> OwnAccount:
        """Get your account."""
        return await own.get_own_account(user_id=caller.user_id)

    @me.patch("/me")
    async def change_details(body: DetailsIn, caller: SignedIn) -> OwnAccount:
        """Update your name or phone number."""
        changes = body.model_dump(exclude_unset=True)
        return await own.change_details(user_id=caller.user_id, changes=changes)

    @me.post("/me/become-provider")
    async def become_provider(caller: SignedIn) -> OwnAccount:
        """Become a provider. You can still book as a customer."""
        return await own.become_provider(user_id=caller.user_id)

    @me.post("/me/close", status_code=HTTPStatus.NO_CONTENT)
    async def close_account(body: CloseIn, caller: SignedIn, response: Response) -> None:
        """Close your account. Signs you out everywhere and erases your personal data."""
        await own.close_account(user_id=caller.user_id, session_id=caller.session_id, password=body.current_password)
        cookie.clear(response)


def add_email_change(me: APIRouter, auth: APIRouter, own: OwnAccounts) -> None:
    @me.post("/me/email", status_code=HTTPStatus.ACCEPTED)
    async def request_email_change(body: NewEmailIn, caller: SignedIn) -> OwnAccount:
        """Change your email address. Sends a confirmation link to the new address."""
        return await own.request_email_change(
            user_id=caller.user_id, session_id=caller.session_id, email=body.email, password=body.current_password
        )

    @me.delete("/me/email")
    async def cancel_email_change(caller: SignedIn) -> OwnAccount:
        """Cancel a change of email address that isn't confirmed yet."""
        return await own.cancel_email_change(user_id=caller.user_id)

    @auth.post("/auth/change-email")
    async def confirm_email_change(body: ConfirmEmailIn) -> User:
        """Confirm a new email address with the token from the email."""
        return await own.confirm_email_change(token=body.token)
