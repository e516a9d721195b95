"""The services of accounts: facades over one object for each subject."""

from fairground.modules.accounts.service.emails import EmailVerification
from fairground.modules.accounts.service.own_accounts import AccountClosing, AccountDetails, EmailChanges
from fairground.modules.accounts.service.passwords import Passwords
from fairground.modules.accounts.service.sessions import Sessions
from fairground.modules.accounts.service.sign_in import SignIn
from fairground.modules.accounts.service.users import Users


class AccountService:
    """Implements `Accounts`: each method is that of the object whose subject it is."""

    def __init__(
        self,
        *,
        users: Users,
        sign_in: SignIn,
        sessions: Sessions,
        passwords: Passwords,
        email_verification: EmailVerification,
    ) -> None:
        self.check_registration = users.check_registration
        self.register = users.register
        self.create_user = users.create_user
        self.create_users_in_bulk = users.create_users_in_bulk
        self.get_user = users.get_user
        self.find_user_by_email = users.find_user_by_email
        self.find_users = users.find_users
        self.list_users = users.list_users
        self.list_staff = users.list_staff
        self.count_users = users.count_users
        self.sign_in = sign_in.sign_in
        self.find_session = sessions.find_session
        self.create_token = sessions.create_token
        self.list_sessions = sessions.list_sessions
        self.revoke_session = sessions.revoke_session
        self.request_password_reset = passwords.request_password_reset
        self.reset_password = passwords.reset_password
        self.set_password = passwords.set_password
        self.change_password = passwords.change_password
        self.send_verification = email_verification.send_verification
        self.verify_email = email_verification.verify_email


class OwnAccountService:
    """Implements `OwnAccounts`."""

    def __init__(self, *, details: AccountDetails, email_changes: EmailChanges, closing: AccountClosing) -> None:
        self.get_own_account = details.get_own_account
        self.change_details = details.change_details
        self.become_provider = details.become_provider
        self.request_email_change = email_changes.request_email_change
        self.cancel_email_change = email_changes.cancel_email_change
        self.confirm_email_change = email_changes.confirm_email_change
        self.close_account = closing.close_account
