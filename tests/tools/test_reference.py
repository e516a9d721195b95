import pytest
from pydantic_settings import BaseSettings

from fairground.entrypoints.environment import list_settings, render_example, settings_classes
from fairground.kernel.errors import DomainError
from fairground.kernel.messages import Message
from tools import reference


@pytest.fixture(autouse=True, scope="module")
def _everything_is_loaded() -> None:
    reference.import_everything()


@pytest.mark.parametrize("page", sorted(reference.PAGES))
def test_the_reference_is_what_the_code_says(page: str) -> None:
    written = (reference.FOLDER / page).read_text(encoding="utf-8")
    assert written == reference.PAGES[page](), f"docs/reference/{page} is not current. Run: make reference"


def test_every_problem_code_stands_for_one_thing() -> None:
    codes = [kind.code for kind in reference.list_errors()]
    assert len(codes) == len(set(codes))
    assert {"booking.slot_taken", "payment.failed", "accounts.wrong_credentials"} <= set(codes)
    assert all(issubclass(kind, DomainError) for kind in reference.list_errors())


def test_every_topic_is_used_once_and_carries_a_version() -> None:
    topics = [kind.topic for kind in reference.list_messages(Message)]
    assert len(topics) == len(set(topics))
    assert all(topic.rpartition(".v")[2].isdigit() for topic in topics)


def test_example_of_the_environment_is_what_the_code_says() -> None:
    written = reference.EXAMPLE.read_text(encoding="utf-8")
    assert written == render_example(), ".env.example is not current. Run: make reference"


def test_every_class_of_settings_is_in_the_reference_with_a_description_and_bounds() -> None:
    ours = {kind for kind in BaseSettings.__subclasses__() if kind.__module__.startswith("fairground.")}
    assert ours == set(settings_classes())
    for entry in list_settings():
        assert entry.name.startswith("FAIRGROUND_")
        assert entry.description.endswith("."), entry.name
        if entry.default.replace(".", "", 1).isdigit():
            assert entry.bounds, entry.name
