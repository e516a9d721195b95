"""A browser without script: it opens pages, follows links, fills in forms and sends them, and keeps cookies."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from httpx import AsyncClient, Response

_REDIRECTS_MAX = 10


@dataclass
class SeenForm:
    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    """The values that the form sends unchanged."""
    names: set[str] = field(default_factory=set)
    text: str = ""


class _Reading(HTMLParser):
    """Reads links, forms, labels and text out of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.forms: list[SeenForm] = []
        self.text = ""
        self.ids: list[str] = []
        self.unlabelled: list[str] = []
        self._labelled: set[str] = set()
        self._fields: list[str] = []
        self._open: list[str] = []
        self._href: str | None = None
        self._link_text = ""
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        self.ids += [values["id"]] if "id" in values else []
        if tag == "a" and "href" in values:
            self._href, self._link_text = values["href"], ""
        elif tag == "form":
            self.forms.append(SeenForm(action=values.get("action", ""), method=values.get("method", "get")))
        elif tag == "label":
            self._labelled.add(values.get("for", ""))
        elif tag == "button" and "name" in values and self.forms:
            self.forms[-1].names.add(values["name"])
        elif tag in {"input", "select", "textarea", "option"}:
            self._see_field(tag, values)
        if tag in {"input", "img", "meta", "link", "br", "hr"}:
            self._open.pop()

    def _see_field(self, tag: str, values: dict[str, str]) -> None:
        kind, name = values.get("type", "text"), values.get("name", "")
        form = self.forms[-1]
        if tag == "option":
            if "selected" in values or self._select not in form.values:
                form.values[self._select] = [values.get("value", "")]
            return
        if kind != "hidden" and "label" not in self._open and "aria-label" not in values:
            self._fields.append(values.get("id", f"{tag} {name}"))
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            form.values[name] = [""]
        elif kind not in {"radio", "checkbox", "file"}:
            form.values[name] = [values.get("value", "")]
        elif "checked" in values or (kind == "checkbox" and "required" in values):
            # A browser sends no form whose required box is not ticked.
            form.values.setdefault(name, []).append(values.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag == "a" and self._href is not None:
            self.links.append((" ".join(self._link_text.split()), self._href))
            self._href = None
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"style", "script"}:
            return
        self.text += data
        self._link_text += data
        if "form" in self._open:
            self.forms[-1].text += data
        if self._textarea:
            self.forms[-1].values[self._textarea] = [self.forms[-1].values[self._textarea][0] + data]

    def close(self) -> None:
        super().close()
        self.text = " ".join(self.text.split())
        self.unlabelled = [name for name in self._fields if name not in self._labelled]


class Reader:
    """One person with one browser."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self.path = "/"
        self.answer: Response

    async def open(self, path: str) -> "Reader":
        await self._ask("GET", path)
        return self

    async def follow(self, words: str) -> "Reader":
        """Follow the first link that has the words in its name."""
        found = [href for name, href in self.reading.links if words in name]
        assert found, f"{self.path} has no link {words!r}; it has {[name for name, _ in self.reading.links]}"
        return await self.open(found[0])

    async def send(self, words: str, **fields: str | list[str]) -> "Reader":
        """Fill in and send the first form that has the words, on its button for instance."""
        form, values = self._filled_in(words, fields)
        await self._ask(form.method.upper(), form.action or self.path, values=values)
        return self

    async def send_file(self, words: str, file: bytes, **fields: str | list[str]) -> "Reader":
        """Fill in a form that has a field for a file, and send it with one."""
        form, values = self._filled_in(words, fields)
        await self._ask("POST", form.action, values=values, file=file)
        return self

    def _filled_in(self, words: str, fields: dict[str, str | list[str]]) -> tuple[SeenForm, dict[str, list[str]]]:
        found = [form for form in self.reading.forms if words in " ".join(form.text.split())]
        assert found, f"{self.path} has no form with {words!r}; it says: {self.text}"
        form = found[0]
        assert set(fields) <= form.names, f"{self.path} has no fields {set(fields) - form.names}"
        return form, form.values | {
            name: value if isinstance(value, list) else [value] for name, value in fields.items()
        }

    async def post(self, path: str, **fields: str) -> "Reader":
        """Send a request that no form of the page sends, as a script or an attacker does."""
        await self._ask("POST", path, values={name: [value] for name, value in fields.items()})
        return self

    async def request(self, method: str, path: str) -> Response:
        """Send a request from a page of our own, and return the answer; redirects are not followed."""
        return await self._client.request(method, path, headers={"Sec-Fetch-Site": "same-origin"})

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def reading(self) -> _Reading:
        reading = _Reading()
        reading.feed(self.answer.text)
        reading.close()
        return reading

    @property
    def text(self) -> str:
        return self.reading.text

    async def _ask(
        self, method: str, path: str, *, values: dict[str, list[str]] | None = None, file: bytes | None = None
    ) -> None:
        address = urljoin(self.path, path)
        # Browsers say where a request comes from, and the server refuses what another site has sent.
        headers = {"Sec-Fetch-Site": "same-origin"}
        if method == "GET":
            self.answer = await self._client.get(address, headers=headers, params=values)
        else:
            files = None if file is None else {"file": ("chosen", file)}
            self.answer = await self._client.post(address, headers=headers, data=values, files=files)
        for _ in range(_REDIRECTS_MAX):
            self.path = _local(str(self.answer.url))
            if "location" not in self.answer.headers:
                return
            self.answer = await self._client.get(urljoin(self.path, _local(self.answer.headers["location"])))
        raise AssertionError(f"{address} leads round in circles.")


def _local(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
