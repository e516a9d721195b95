"""The mails of accounts, in words."""

from datetime import timedelta
from email.message import EmailMessage
from html import escape

from fairground.contracts.accounts import User
from fairground.platform.mail.message import compose_message


def verification(user: User, *, link: str, lasts: timedelta) -> EmailMessage:
    return _letter(
        user,
        subject="Please confirm your e-mail address",
        before=f"Somebody, most likely you, opened an account with this address. Confirm it within {_in_words(lasts)}:",
        link=link,
        after="If it was not you, do nothing: nobody can use your address without this link.",
    )


def reset(user: User, *, link: str, lasts: timedelta) -> EmailMessage:
    return _letter(
        user,
        subject="Set a new password",
        before=f"Somebody asked for a new password for your account. Set it within {_in_words(lasts)}:",
        link=link,
        after="If it was not you, do nothing: your password stays as it is.",
    )


def _letter(user: User, *, subject: str, before: str, link: str, after: str) -> EmailMessage:
    text = f"Hello {user.name},\n\n{before}\n\n{link}\n\n{after}\n"
    html = "".join(
        f"<p>{part}</p>"
        for part in (
            f"Hello {escape(user.name)},",
            escape(before),
            f'<a href="{escape(link)}">{escape(link)}</a>',
            escape(after),
        )
    )
    return compose_message(to=user.email, subject=subject, text=text, html=html)


def _in_words(duration: timedelta) -> str:
    hours, minutes = duration // timedelta(hours=1), duration // timedelta(minutes=1)
    if hours >= 48:  # noqa: PLR2004 - "2 days" is easier than "48 hours"
        return f"{hours // 24} days"
    return f"{hours} hours" if hours > 1 else f"{minutes} minutes"
