import pytest
from starlette.requests import Request

from fairground.contracts.accounts import SessionKind, User
from fairground.modules.accounts.http import SessionAuthenticator
from fairground.modules.accounts.service import AccountService
from fairground.platform.http.security import COOKIE_NAME, SessionCookie
from tests.modules.accounts.conftest import SignIn


@pytest.fixture
def authenticator(service: AccountService) -> SessionAuthenticator:
    return SessionAuthenticator(service, cookie=SessionCookie(public_url="https://fair.example"))


def request(**headers: str) -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


async def test_cookie_authenticates_its_user(authenticator: SessionAuthenticator, sign_in: SignIn, ada: User) -> None:
    opened = await sign_in()
    caller = await authenticator.authenticate(request(cookie=f"a=b; {COOKIE_NAME}={opened.secret}"))

    assert caller is not None
    assert (caller.user_id, caller.session_id, caller.role) == (ada.id, opened.session.id, "customer")
    assert caller.is_token is False


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_bearer_token_authenticates_its_user(
    authenticator: SessionAuthenticator, service: AccountService, ada: User, scheme: str
) -> None:
    opened = await service.create_token(user_id=ada.id, name="Calendar")
    caller = await authenticator.authenticate(request(authorization=f"{scheme} {opened.secret}"))

    assert caller is not None
    assert (caller.user_id, caller.is_token) == (ada.id, True)


@pytest.mark.usefixtures("ada")
async def test_secret_of_a_cookie_is_no_bearer_token_and_vice_versa(
    authenticator: SessionAuthenticator, sign_in: SignIn
) -> None:
    browser, token = await sign_in(), await sign_in(kind=SessionKind.TOKEN)

    assert await authenticator.authenticate(request(authorization=f"Bearer {browser.secret}")) is None
    assert await authenticator.authenticate(request(cookie=f"{COOKIE_NAME}={token.secret}")) is None


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YWRhOnB3", "Bearer \xff"])
async def test_request_with_a_bad_token_does_not_fall_back_to_its_cookie(
    authenticator: SessionAuthenticator, sign_in: SignIn, authorization: str
) -> None:
    opened = await sign_in()
    sent = request(authorization=authorization, cookie=f"{COOKIE_NAME}={opened.secret}")

    assert await authenticator.authenticate(sent) is None


async def test_request_without_cookie_or_token_has_no_caller(authenticator: SessionAuthenticator) -> None:
    assert await authenticator.authenticate(request()) is None
    assert await authenticator.authenticate(request(cookie=f"{COOKIE_NAME}=")) is None
