from fairground.modules.payments.domain import REPLAY_KEY_FOR
from fairground.modules.payments.service.operations import ExecuteOpenOperations
from tests.support.retries import shortest_retry_time


def test_open_operation_is_retried_for_longer_than_its_key_is_valid() -> None:
    assert shortest_retry_time(ExecuteOpenOperations) > REPLAY_KEY_FOR
