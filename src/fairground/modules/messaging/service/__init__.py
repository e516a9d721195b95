"""The contract `Messages`, as a facade over the objects that do the work."""

from fairground.modules.messaging.service.past_threads import PastThreads
from fairground.modules.messaging.service.queries import MessageQueries
from fairground.modules.messaging.service.sender import MessageSender


class MessageService:
    """The contract `Messages`."""

    def __init__(self, *, sender: MessageSender, queries: MessageQueries, past: PastThreads) -> None:
        self.send_message = sender.send_message
        self.mark_read = sender.mark_read
        self.get_thread = queries.get_thread
        self.list_conversations = queries.list_conversations
        self.count_unread = queries.count_unread
        self.find_message = queries.find_message
        self.count_messages = queries.count_messages
        self.record_past_threads = past.record_past_threads
