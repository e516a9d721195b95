"""The templates of notices and mails: strict, translated, and escaped where they are HTML."""

from gettext import NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from fairground.platform.locale_formatter import DEFAULT_LOCALE, LocaleFormatter

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"


def build_environment(*, locale: str = DEFAULT_LOCALE) -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Until catalogues exist every text is its own translation, and plural forms follow English.
    env.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    formatter = LocaleFormatter(Locale.parse(locale))
    env.filters |= {
        "money": formatter.money,
        "rating": formatter.rating,
        "when": formatter.when,
        "between": formatter.between,
    }
    env.globals["language"] = locale.replace("_", "-")
    return env
