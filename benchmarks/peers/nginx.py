"""nginx with one process that serves one file: the upper limit for a server of prepared responses."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tools.guardian import free_port

_CONFIGURATION = """
{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; etag on; keepalive_requests 1000000; sendfile on; open_file_cache max=16;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; root {folder}/www; default_type application/json;
    add_header Cache-Control "public, max-age=0, s-maxage=60"; add_header Vary Accept-Encoding;
  }}
}}
"""
# A master started by root runs its worker as a user that cannot read the folder.
_USER = "user root;" if os.geteuid() == 0 else ""


@contextlib.contextmanager
def serving(body: bytes, *, folder: Path) -> Iterator[tuple[str, int]]:
    """Serve the bytes; give their address and the process id of the one worker."""
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("NOT RUN: there is no nginx; install it (Debian: nginx-light)")
    (folder / "www").mkdir(parents=True)
    (folder / "www" / "list").write_bytes(body)
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, user=_USER))
    process = subprocess.Popen([program, "-c", configuration, "-e", folder / "error.log"])
    try:
        address = f"http://127.0.0.1:{port}/list"
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
            assert client.get(address).content == body
        yield address, _only_child(process.pid)
    finally:
        process.terminate()
        process.wait()


def _only_child(process_id: int) -> int:
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    assert len(children) == 1, children
    return int(children[0])
