"""What commands share that ask a running server over HTTP."""

from collections.abc import Callable, Iterator
from typing import Annotated

import httpx
import typer

from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.environment import load_settings
from fairground.ops.cache.client import RequestResult

TIMEOUT_SECONDS = 30
Address = Annotated[str, typer.Option("--url", help="URL of the server; from the settings if omitted.", metavar="URL")]


def show_warmed(url: str, warm: Callable[[httpx.Client], Iterator[RequestResult]]) -> None:
    """Print each answer as it comes; exit with 1 when one was a failure."""
    address = url or load_settings().address
    failures = count = 0
    # A CDN is warmed with the server that sends on to it.
    with httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS, follow_redirects=True) as client:
        try:
            for warmed in warm(client):
                typer.echo(f"{warmed.status}  {warmed.cache_status:<6} {warmed.milliseconds:8.1f} ms  {warmed.path}")
                count, failures = count + 1, failures + (not warmed.is_success)
        except httpx.HTTPError as error:
            raise unreachable(address, error) from None
    typer.echo(f"{count} responses, {failures} failed.")
    if failures:
        raise typer.Exit(1)


def unreachable(address: str, error: httpx.HTTPError) -> Mistake:
    return Mistake(f"No server answers at {address} ({error}). Start it, or use --url for another one.")
