"""Full-text search: an index over the words of a column, and the queries of it, in each dialect.

The column holds tokens separated by spaces, made of letters, digits and underscores only. Both databases take them as
they are. The rules of each for words, languages and accents are not used, so both find the same rows (ADR-0011).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Dialect, Integer, Text, TypeDecorator, text
from sqlalchemy.types import TypeEngine

Condition = Sequence[Sequence[Sequence[str]]]
"""Tokens in conjunctive form: all of the outer groups, any of their members, all tokens of a member. A token that ends
with `*` matches every token with that beginning."""


class TextQuery(NamedTuple):
    """Finds the rows that match a condition, without those that match another."""

    condition: Condition
    unless: Condition | None = None


class RowNumber(TypeDecorator[int]):
    """A primary key that the database counts up itself; on SQLite only an INTEGER is the rowid."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "postgresql" else Integer())


@dataclass(frozen=True)
class WordIndex:
    """The index of a table over its column `words`; its primary key `number` is a RowNumber."""

    table: str

    @property
    def name(self) -> str:
        return f"{self.table}_words"

    @property
    def lexemes(self) -> str:
        """The expression that PostgreSQL indexes."""
        return f"array_to_tsvector(string_to_array({self.table}.words, ' '))"

    def ensure(self, connection: Connection) -> None:
        """Create the index unless it exists. Run it after every change of the schema, which may drop it."""
        if connection.dialect.name == "sqlite":
            self._ensure_virtual_table(connection)
        else:
            connection.execute(text(self._gin()))

    def drop(self, connection: Connection) -> None:
        for statement in self._drops() if connection.dialect.name == "sqlite" else [f"DROP INDEX {self.name}"]:
            connection.execute(text(statement))

    def _gin(self) -> str:
        # A short list of pending entries makes writes faster, and takes a millisecond to read.
        return (
            f"CREATE INDEX IF NOT EXISTS {self.name} ON {self.table} USING gin (({self.lexemes}))"
            " WITH (gin_pending_list_limit = 256)"
        )

    def _ensure_virtual_table(self, connection: Connection) -> None:
        present = set(connection.scalars(text("SELECT name FROM sqlite_master")))
        missing = [statement for name, statement in self._virtual_table().items() if name not in present]
        for statement in missing:
            connection.execute(text(statement))
        if missing:
            # Rows that were written while a trigger was missing are indexed now.
            connection.execute(text(f"INSERT INTO {self.name} ({self.name}) VALUES ('rebuild')"))  # noqa: S608 - our own names

    def _virtual_table(self) -> dict[str, str]:
        """Return the statement for each part. The table stores no text of its own, so triggers pass on every change."""
        name = self.name
        forget = f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', OLD.number, OLD.words);"  # noqa: S608 - our own names
        learn = f"INSERT INTO {name} (rowid, words) VALUES (NEW.number, NEW.words);"  # noqa: S608 - our own names
        changes = {"INSERT": learn, "DELETE": forget, "UPDATE OF words": f"{forget} {learn}"}
        return {
            # The tokenizer `ascii` changes nothing beyond ASCII; `detail=none` keeps only the rows of a token.
            name: f"CREATE VIRTUAL TABLE {name} USING fts5(words, content='{self.table}', content_rowid='number',"
            " tokenize=\"ascii tokenchars '_'\", detail=none, columnsize=0)",
            **{
                self._trigger(change): f"CREATE TRIGGER {self._trigger(change)} AFTER {change} ON {self.table}"
                f" BEGIN {statements} END"
                for change, statements in changes.items()
            },
        }

    def _trigger(self, change: str) -> str:
        return f"{self.table}_{change.partition(' ')[0].lower()}"

    def _drops(self) -> list[str]:
        triggers = [name for name in self._virtual_table() if name != self.name]
        return [*(f"DROP TRIGGER {name}" for name in triggers), f"DROP TABLE {self.name}"]


class TextQueryType(TypeDecorator[TextQuery]):
    """The type of a text query as a parameter: a tsquery, or a MATCH expression of FTS5."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: TextQuery | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        write, but_not = (_as_tsquery, "& !") if dialect.name == "postgresql" else (_as_match, "NOT ")
        matching = write(value.condition)
        return matching if value.unless is None else f"({matching}) {but_not}({write(value.unless)})"


def _as_tsquery(condition: Condition) -> str:
    return _written(condition, quote="'", beginning=":*", both=" & ", either=" | ")


def _as_match(condition: Condition) -> str:
    return _written(condition, quote='"', beginning="*", both=" AND ", either=" OR ")


def _written(condition: Condition, *, quote: str, beginning: str, both: str, either: str) -> str:
    def token(text: str) -> str:
        return f"{quote}{text[:-1]}{quote}{beginning}" if text.endswith("*") else f"{quote}{text}{quote}"

    def together(parts: Sequence[str], joint: str) -> str:
        return parts[0] if len(parts) == 1 else f"({joint.join(parts)})"

    return together(
        [
            together([together([token(text) for text in all_of], both) for all_of in any_of], either)
            for any_of in condition
        ],
        both,
    )
