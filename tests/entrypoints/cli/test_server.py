from tests.entrypoints.cli.conftest import CommandLine


def test_routes_lists_pages_and_the_api_with_their_methods(cli: CommandLine) -> None:
    shown = cli("routes").out.splitlines()
    assert "POST       /api/v1/bookings" in shown
    assert "GET        /" in shown


def test_settings_lists_every_variable_with_its_default_and_bounds(cli: CommandLine) -> None:
    shown = cli("settings").out
    assert "FAIRGROUND_HTTP_PORT\n    Port to listen on; 0 picks a free one. Default: 8000; 0 to 65535.\n" in shown
    assert "FAIRGROUND_BOOKING_HOLD_SECONDS\n" in shown
