"""The Jinja2 environment of the pages: strict, escaping, translated, with the components as `ui.<name>`."""

from gettext import NullTranslations
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fairground.platform.locale_formatter import DEFAULT_LOCALE
from fairground.verticals.loader import Verticals
from fairground.web.assets import Assets
from fairground.web.browsers import browser_name
from fairground.web.formats import Formats, date_in, initials, tone, utc
from fairground.web.srcsets import LARGE, offer_square, offer_whole

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"


def build_environment(assets: Assets, *, verticals: Verticals, locale: str = DEFAULT_LOCALE) -> Environment:
    """Return the environment that renders every page of one locale."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # The templates of a running server do not change; looking at the files on each render would cost a stat.
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Until catalogues exist every text is its own translation, and plural forms follow English.
    env.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    _add_formats(env, Formats(Locale.parse(locale)))
    names = {category.slug: category.name for pack in verticals for category in pack.categories}
    env.filters["category_name"] = lambda slug: names.get(slug, slug)
    env.filters["extract"] = lambda key, table: table[key]
    env.globals["verticals"] = verticals.packs
    env.globals["asset"] = assets.url
    env.globals |= {"offer_square": offer_square, "offer_whole": offer_whole, "LARGE": LARGE}
    env.globals["page_style"] = assets.style
    env.globals["language"] = locale.replace("_", "-")
    env.globals["ui"] = _components(env)
    return env


def _add_formats(env: Environment, formats: Formats) -> None:
    named = (name for name in dir(formats) if not name.startswith("_"))
    env.filters |= {name: getattr(formats, name) for name in named}
    env.filters |= {"browser_name": browser_name, "tone": tone, "initials": initials, "utc": utc, "date_in": date_in}


def _components(env: Environment) -> SimpleNamespace:
    """Gather the macros of `templates/ui/` once, so that no page has to import them."""
    components = SimpleNamespace()
    # Macros call each other as `ui.<name>`, so the namespace must exist before they are compiled.
    env.globals["ui"] = components
    for path in sorted((TEMPLATES_FOLDER / "ui").glob("*.html")):
        macros = vars(env.get_template(f"ui/{path.name}").module)
        vars(components).update({name: value for name, value in macros.items() if not name.startswith("_")})
    return components
