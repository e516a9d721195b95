from pathlib import Path

import pytest

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.media import Pictures
from fairground.contracts.messaging import Messages
from fairground.contracts.payments import Payments
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import MODULES, Settings, SettingsError
from fairground.kernel.messages import Event, Job, Message, Queue
from fairground.platform.http.app import list_routes
from fairground.platform.jobs.dead_letters import DeleteFinished


def a_program(folder: Path, **settings: object) -> Program:
    return compose(Settings.model_validate({"data_dir": folder, **settings}), is_secondary=True)


def test_compose_creates_no_file(tmp_path: Path) -> None:
    a_program(tmp_path / "none").build_app()
    assert not list(tmp_path.iterdir())


def test_every_contract_is_answered(tmp_path: Path) -> None:
    links = a_program(tmp_path).links
    for contract in (Accounts, Pictures, Providers, Payments, Bookings, Reviews, Messages):
        assert links.of(contract) is not None


def test_every_module_has_a_history_of_its_own(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    names = [history.name for history in program.histories]
    assert names == [module.name for module in program.modules if module.history is not None]
    assert {module.rpartition(".")[2] for module in MODULES} - {"providers"} < set(names)
    assert len(set(names)) == len(names)


def test_a_job_has_one_taker_and_an_event_that_is_taken_exists(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    taken: dict[type[Message], list[str]] = {}
    for module in program.modules:
        for message in module.handlers:
            taken.setdefault(message, []).append(module.name)
    assert all(len(names) == 1 for message, names in taken.items() if issubclass(message, Job))
    assert all(issubclass(message, Job | Event) for message in taken)
    scheduled = [type(schedule.job) for module in program.modules for schedule in module.schedules]
    assert set(scheduled) <= set(taken)


def test_emails_and_payments_wait_in_their_own_queues(tmp_path: Path) -> None:
    modules = a_program(tmp_path).modules
    queues = {
        f"{module.name}:{message.__name__}": module.queue or message.queue
        for module in modules
        for message in module.handlers
    }
    money = {"booking:PaymentAuthorised", "booking:PaymentCaptured", "booking:ReleasePayment", "booking:RefundPayment"}
    money |= {kind for kind in queues if kind.startswith("payments:")}
    mail = {"accounts:MailVerification", "accounts:MailReset", "accounts:MailNewEmail", "accounts:MailEmailNotice"}
    mail |= {"providers:MailInvitation"}
    mail |= {kind for kind in queues if kind.startswith("notifications:")}
    assert {kind for kind, queue in queues.items() if queue == Queue.MONEY} == money
    assert {kind for kind, queue in queues.items() if queue == Queue.MAIL} == mail


def test_message_with_an_unknown_queue_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeleteFinished, "queue", "chat")
    with pytest.raises(SettingsError, match=r"jobs\.delete_finished\.v1' names the queue 'chat'; there are default"):
        a_program(tmp_path)


def test_no_path_is_served_twice(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    served = [
        (path.rstrip("/"), method) for path, methods in list_routes(program.api, program.pages) for method in methods
    ]
    assert len(served) == len(set(served))


@pytest.mark.parametrize(("allow", "is_there"), [("sandbox-money", False), ("sandbox-money,mail-page", True)])
def test_kept_mail_is_shown_to_others_only_when_that_is_allowed(tmp_path: Path, allow: str, *, is_there: bool) -> None:
    program = a_program(tmp_path, public_url="https://fair.example", allow=allow)
    assert ("/mail" in {path for path, _ in list_routes([], program.pages)}) is is_there


def test_real_money_needs_both_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_PAYMENTS_STRIPE_WEBHOOK_SECRET", "whsec_1")
    with pytest.raises(SettingsError, match="belong together"):
        a_program(tmp_path)
