import httpx
import pytest

from fairground.contracts.accounts import Role
from fairground.modules.accounts.service.emails import MailReset, MailVerification
from fairground.platform.http.security import COOKIE_NAME
from fairground.platform.module import Module
from tests.modules.accounts.conftest import SiteAt
from tests.modules.accounts.site import Site
from tests.modules.accounts.stand_ins import PASSWORD
from tests.support.outbox import RecordingOutbox

API = "/api/v1"


async def do_jobs(module: Module, outbox: RecordingOutbox) -> None:
    jobs, outbox.jobs = outbox.jobs, []
    for job in jobs:
        await module.handlers[type(job)](job)


def registration(**changes: str) -> dict[str, str]:
    return {"email": "ada@example.org", "password": PASSWORD, "name": "Ada", "role": "customer"} | changes


CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}


async def register(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await client.post(f"{API}/auth/register", json=registration(**changes))


async def login(client: httpx.AsyncClient, *, mode: str = "cookie", **changes: str) -> httpx.Response:
    return await client.post(f"{API}/auth/login", params={"mode": mode}, json=CREDENTIALS | changes)


async def bearer(client: httpx.AsyncClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await login(client, mode='token')).json()['token']}"}


async def test_registering_answers_the_user_without_any_secret(site: Site, outbox: RecordingOutbox) -> None:
    async with site.browser() as client:
        response = await register(client)

    assert response.status_code == 201
    user = response.json()
    assert user["email"] == "ada@example.org"
    assert user["email_verified"] is False
    assert set(user) == {"id", "email", "name", "role", "email_verified", "created_at", "status"}
    assert response.headers["cache-control"] == "private, no-store"
    assert [type(job) for job in outbox.jobs] == [MailVerification]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": "admin"}, "request.invalid"),
        ({"surname": "Lovelace"}, "request.invalid"),
        ({"email": "ada"}, "accounts.email_unfit"),
        ({"email": "ada@example.org\x00"}, "accounts.email_unfit"),
        ({"name": "A\nda"}, "accounts.name_unfit"),
        ({"name": "\x00"}, "accounts.name_unfit"),
        ({"password": "short"}, "accounts.password_unfit"),
        ({"password": "Password123"}, "accounts.password_unfit"),
    ],
)
async def test_invalid_registration_is_422_with_its_reason(site: Site, changes: dict[str, str], code: str) -> None:
    async with site.browser() as client:
        response = await register(client, **changes)

    assert (response.status_code, response.json()["code"]) == (422, code)


async def test_a_taken_address_is_409(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        response = await register(client, email="ADA@example.org")

    assert (response.status_code, response.json()["code"]) == (409, "accounts.email_taken")


async def test_the_cookie_is_kept_from_scripts_other_hosts_and_plain_connections(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        header = (await login(client)).headers["set-cookie"]

    attributes = {part.strip().lower() for part in header.split(";")[1:]}
    assert header.startswith(f"{COOKIE_NAME}=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)


async def test_a_browser_is_signed_in_until_it_signs_out(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        assert (await client.get(f"{API}/me")).status_code == 401
        assert (await login(client)).json()["email"] == "ada@example.org"
        assert (await client.get(f"{API}/me")).json()["name"] == "Ada"
        secret = client.cookies[COOKIE_NAME]

        response = await client.post(f"{API}/auth/logout")
        assert response.status_code == 204
        assert COOKIE_NAME not in client.cookies
        reused = await client.get(f"{API}/me", headers={"Cookie": f"{COOKIE_NAME}={secret}"})

    assert reused.status_code == 401


async def test_signing_in_again_ends_the_session_that_the_browser_had(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        await login(client)
        planted = client.cookies[COOKIE_NAME]
        await login(client)
        assert client.cookies[COOKIE_NAME] != planted
        sessions = (await client.get(f"{API}/me/sessions")).json()["data"]
        reused = await client.get(f"{API}/me", headers={"Cookie": f"{COOKIE_NAME}={planted}"})

    assert reused.status_code == 401
    assert [session["is_current"] for session in sessions] == [True]


async def test_a_program_gets_a_token_and_no_cookie(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        response = await login(client, mode="token")
        assert set(response.json()) == {"token"}
        assert "set-cookie" not in response.headers
        answer = await client.get(f"{API}/me", headers={"Authorization": f"Bearer {response.json()['token']}"})

    assert answer.json()["email"] == "ada@example.org"


async def test_wrong_password_and_unknown_address_get_the_same_answer(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        wrong = await login(client, password="wrong password")
        unknown = await login(client, email="unknown@example.org")
        impossible = await login(client, email="unknown\x00")

    assert wrong.status_code == 401
    assert wrong.json() == unknown.json() == impossible.json()


async def test_sign_in_over_a_plain_connection_says_why_it_is_refused(site_at: SiteAt) -> None:
    site = site_at("http://192.0.2.10:8000")
    async with site.browser() as client:
        await register(client)
        refused = await login(client)
        accepted = await login(client, mode="token")

    assert (refused.status_code, refused.json()["code"]) == (403, "identity.cookie_refused")
    assert "mode=token" in refused.json()["hint"]
    assert "set-cookie" not in refused.headers
    assert accepted.status_code == 200


async def test_on_loopback_a_browser_signs_in_without_encryption(site_at: SiteAt) -> None:
    site = site_at("http://127.0.0.1:8000")
    async with site.browser() as client:
        await register(client)
        assert COOKIE_NAME in (await login(client)).headers["set-cookie"]


async def test_the_sixth_wrong_password_is_429_and_says_when_again(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        statuses = [(await login(client, password=f"wrong password {n}")).status_code for n in range(5)]
        refused = await login(client)

    assert statuses == [401] * 5
    assert (refused.status_code, refused.json()["code"]) == (429, "accounts.too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= 15 * 60


async def test_the_mailed_link_verifies_the_address_once(site: Site, outbox: RecordingOutbox) -> None:
    async with site.browser() as client:
        await register(client)
        await do_jobs(site.module, outbox)
        path, token = site.mail.last_link()
        first = await client.post(f"{API}/auth/verify-email", json={"token": token})
        second = await client.post(f"{API}/auth/verify-email", json={"token": token})

    assert path == "/verify-email"
    assert first.json()["email_verified"] is True
    assert (second.status_code, second.json()["code"]) == (422, "accounts.link_unusable")


async def test_the_verification_mail_is_sent_again_on_request(site: Site, outbox: RecordingOutbox) -> None:
    async with site.browser() as client:
        await register(client)
        outbox.jobs.clear()
        await login(client)
        response = await client.post(f"{API}/auth/verify-email/send")
        await do_jobs(site.module, outbox)

    assert response.status_code == 202
    assert len(site.mail.messages()) == 1


async def test_a_reset_is_asked_for_alike_whether_or_not_there_is_an_account(
    site: Site, outbox: RecordingOutbox
) -> None:
    async with site.browser() as client:
        await register(client)
        outbox.jobs.clear()
        known = await client.post(f"{API}/auth/password-reset", json={"email": "ada@example.org"})
        unknown = await client.post(f"{API}/auth/password-reset", json={"email": "unknown@example.org"})
        impossible = await client.post(f"{API}/auth/password-reset", json={"email": "\x00"})

    assert known.status_code == unknown.status_code == impossible.status_code == 202
    assert known.json() == unknown.json() == impossible.json()
    assert [type(job) for job in outbox.jobs] == [MailReset]


async def test_a_reset_sets_the_password_and_ends_every_session(site: Site, outbox: RecordingOutbox) -> None:
    async with site.browser() as client:
        await register(client)
        await login(client)
        token_header = await bearer(client)
        outbox.jobs.clear()
        await client.post(f"{API}/auth/password-reset", json={"email": "ada@example.org"})
        await do_jobs(site.module, outbox)
        path, token = site.mail.last_link()
        body = {"token": token, "password": " another password "}
        confirmed = await client.post(f"{API}/auth/password-reset/confirm", json=body)
        again = await client.post(f"{API}/auth/password-reset/confirm", json=body)
        by_cookie = await client.get(f"{API}/me")
        by_token = await client.get(f"{API}/me", headers=token_header)
        old = await login(client)
        trimmed = await login(client, password="another password")
        new = await login(client, password=" another password ")

    assert path == "/reset-password"
    assert (confirmed.status_code, again.status_code) == (200, 422)
    assert (by_cookie.status_code, by_token.status_code) == (401, 401)
    assert (old.status_code, trimmed.status_code, new.status_code) == (401, 401, 200)


async def test_changing_the_password_keeps_this_browser_and_ends_the_others(site: Site) -> None:
    body = {"current_password": PASSWORD, "new_password": "another password"}
    async with site.browser() as client, site.browser() as other:
        await register(client)
        await login(client)
        await login(other)
        old = client.cookies[COOKIE_NAME]
        response = await client.post(f"{API}/me/password", json=body)
        assert response.status_code == 200
        assert client.cookies[COOKIE_NAME] != old
        assert (await client.get(f"{API}/me")).status_code == 200
        assert (await other.get(f"{API}/me")).status_code == 401


async def test_a_program_that_changes_the_password_gets_a_new_token(site: Site) -> None:
    body = {"current_password": PASSWORD, "new_password": "another password"}
    async with site.browser() as client:
        await register(client)
        headers = await bearer(client)
        response = await client.post(f"{API}/me/password", json=body, headers=headers)
        assert "set-cookie" not in response.headers
        new = {"Authorization": f"Bearer {response.json()['token']}"}
        statuses = [(await client.get(f"{API}/me", headers=each)).status_code for each in (headers, new)]

    assert statuses == [401, 200]


async def test_tokens_are_made_listed_and_revoked(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        await login(client)
        made = await client.post(f"{API}/me/tokens", json={"name": "Calendar sync"})
        token, session = made.json()["token"], made.json()["session"]
        listed = (await client.get(f"{API}/me/tokens")).json()["data"]
        everything = (await client.get(f"{API}/me/sessions")).json()["data"]
        headers = {"Authorization": f"Bearer {token}"}
        before = await client.get(f"{API}/me", headers=headers)
        revoked = await client.delete(f"{API}/me/sessions/{session['id']}")
        after = await client.get(f"{API}/me", headers=headers)

    assert made.status_code == 201
    assert [(item["name"], item["kind"]) for item in listed] == [("Calendar sync", "token")]
    assert [item["kind"] for item in everything] == ["token", "browser"]
    assert token not in str(listed) + str(everything)
    assert (before.status_code, revoked.status_code, after.status_code) == (200, 204, 401)


async def test_sessions_and_tokens_are_listed_in_pages(site: Site) -> None:
    async with site.browser() as client:
        await register(client)
        await login(client)
        for number in range(4):
            await client.post(f"{API}/me/tokens", json={"name": f"Program {number}"})
        first, second, third = [
            (await client.get(f"{API}/me/sessions", params={"limit": 2, "page": page})).json() for page in (1, 2, 3)
        ]
        tokens = (await client.get(f"{API}/me/tokens", params={"limit": 3, "page": 2})).json()
        refused = await client.get(f"{API}/me/sessions", params={"limit": 101})

    names = [item["name"] for answer in (first, second) for item in answer["data"]]
    assert names == ["Program 3", "Program 2", "Program 1", "Program 0"]
    assert [item["kind"] for item in third["data"]] == ["browser"]
    assert {first["total"], second["total"], third["total"]} == {5}
    assert ([item["name"] for item in tokens["data"]], tokens["total"]) == (["Program 0"], 4)
    assert refused.status_code == 422


async def test_session_of_another_user_is_not_found(site: Site) -> None:
    async with site.browser() as client, site.browser() as other:
        await register(client)
        await login(client)
        (mine,) = (await client.get(f"{API}/me/sessions")).json()["data"]
        await register(other, email="eve@example.org")
        await login(other, email="eve@example.org")
        response = await other.delete(f"{API}/me/sessions/{mine['id']}")
        still = await client.get(f"{API}/me")

    assert (response.status_code, response.json()["code"]) == (404, "accounts.session_not_found")
    assert still.status_code == 200


async def test_an_idempotency_key_is_not_honoured_where_secrets_are_answered(site: Site) -> None:
    headers = {"Idempotency-Key": "the-same"}
    async with site.browser() as client:
        await register(client)
        await login(client)
        tokens = [
            (await client.post(f"{API}/me/tokens", json={"name": "n"}, headers=headers)).json()["token"]
            for _ in range(2)
        ]
        logins = [
            await client.post(f"{API}/auth/login?mode=token", json=CREDENTIALS, headers=headers) for _ in range(2)
        ]

    assert len({*tokens, *(response.json()["token"] for response in logins)}) == 4


async def test_an_address_has_a_limit_on_registrations(site_at: SiteAt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_ACCOUNTS_REGISTRATIONS_PER_CLIENT", "2")
    site = site_at("https://fair.example")
    async with site.browser() as client:
        statuses = [(await register(client, email=f"user{n}@example.org")).status_code for n in range(3)]

    assert statuses == [201, 201, 429]
    assert await site.accounts.count_users() == 2


async def test_nothing_of_accounts_is_changed_by_a_get(site: Site) -> None:
    async with site.browser() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]

    with_get = {path for path, item in paths.items() if "get" in item}
    assert {path for path in with_get if "/auth/" in path} == set()
    assert {path for path in with_get if "/me" in path} == {f"{API}/me", f"{API}/me/sessions", f"{API}/me/tokens"}


async def test_an_admin_made_by_an_operator_signs_in(site: Site) -> None:
    await site.accounts.create_user(email="ada@example.org", password=PASSWORD, name="Ada", role=Role.ADMIN)
    async with site.browser() as client:
        assert (await login(client)).json()["role"] == "admin"
