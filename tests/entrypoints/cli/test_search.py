from tests.entrypoints.cli.conftest import CommandLine
from tests.entrypoints.cli.test_imports import MAP, providers

ROWS = "id,name,price\n" + "".join(f"{number},Trio {number},450\n" for number in range(520))


def test_reindex_covers_all_providers_and_can_be_repeated(installed: CommandLine) -> None:
    assert installed("search", "reindex").out == "looked at 0 providers; search finds them as they are now\n"
    (installed.folder / "MAP.toml").write_text(MAP)
    (installed.folder / "acts.csv").write_text(ROWS)
    assert installed(*providers()).code == 0
    for _ in range(2):
        assert installed("search", "reindex").out == "looked at 520 providers; search finds them as they are now\n"
