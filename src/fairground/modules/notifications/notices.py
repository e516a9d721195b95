"""What users are told, in words."""

from typing import Any
from uuid import UUID

from jinja2 import Environment

from fairground.modules.notifications.domain import Audience, Notice


class NoticeWriter:
    """Writes notices from `templates/notices/<topic>/<audience>.txt`, which set title, text, action and link."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def write(
        self,
        topic: str,
        *,
        audience: Audience,
        user_id: UUID,
        subject_id: UUID,
        occasion: str = "",
        changes_calendar: bool = False,
        **facts: Any,
    ) -> Notice:
        words = vars(self._env.get_template(f"notices/{topic}/{audience}.txt").make_module(facts))
        return Notice(
            user_id=user_id,
            topic=topic,
            subject_id=subject_id,
            occasion=occasion,
            changes_calendar=changes_calendar,
            **{name: str(words[name]).strip() for name in ("title", "text", "action", "link")},
        )
