"""Who takes which message."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairground.kernel.messages import Event, Job, Message
from fairground.platform.module import Handler


@dataclass(frozen=True)
class Route:
    """One consumer of one topic."""

    kind: str
    message_class: type[Message]
    handler: Handler


class Routes:
    """The handlers of every module of this program, filled while it is composed."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Route] = {}
        self._kinds_by_topic: dict[str, list[str]] = {}

    def add(self, consumer: str, *, handlers: Mapping[type[Message], Handler]) -> None:
        """Let a consumer, named as its module, take the messages that it has handlers for.

        Raises:
            ValueError: It takes one topic twice, or a job that another module takes already.
        """
        for message_class, handler in handlers.items():
            topic = message_class.topic
            kind = f"{consumer}:{topic}"
            if kind in self._by_kind:
                raise ValueError(f"'{consumer}' takes '{topic}' twice; a topic has one handler in a module.")
            if issubclass(message_class, Job) and topic in self._kinds_by_topic:
                raise ValueError(f"'{topic}' is a job and has two takers; only an event may have several.")
            self._by_kind[kind] = Route(kind=kind, message_class=message_class, handler=handler)
            self._kinds_by_topic.setdefault(topic, []).append(kind)

    @property
    def kinds(self) -> list[str]:
        return sorted(self._by_kind)

    def of(self, kind: str) -> Route:
        return self._by_kind[kind]

    def subscribers(self, event: Event) -> list[str]:
        """Return the kinds under which an event is delivered; none, when nobody listens."""
        return self._kinds_by_topic.get(event.topic, [])

    def taker(self, job: Job) -> str:
        """Return the kind under which a job is done.

        Raises:
            LookupError: No module has a handler for it.
        """
        try:
            (kind,) = self._kinds_by_topic[job.topic]
        except KeyError:
            raise LookupError(
                f"Nobody does the job '{job.topic}'. Add {type(job).__name__} to the handlers in its wiring.py."
            ) from None
        return kind
