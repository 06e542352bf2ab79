"""What stands outside and counts: a mail server and a receiver of requests, both of which also fail now and then."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

MESSAGE = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(rb"^Number (\d+)", re.MULTILINE)


@dataclass
class Heard:
    """By number, the keys under which something arrived, as often as it did."""

    keys: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    put_off: int = 0  # how often it was told to come again

    @property
    def copies(self) -> int:
        """What arrived more than once under one key: the other side knows it by that."""
        return sum(len(keys) - len(set(keys)) for keys in self.keys.values())

    def wrong(self, runs: int) -> list[str]:
        """What is missing, or came under more than one key."""
        lost = [n for n in range(runs) if n not in self.keys]
        doubled = [n for n, keys in self.keys.items() if len(set(keys)) > 1]
        foreign = [n for n in self.keys if n >= runs]
        names = {"lost": lost, "doubled": doubled, "from nowhere": foreign}
        return [f"{len(found)} {name}: {found[:5]}" for name, found in names.items() if found]


class Post:
    """A mail server on loopback. A part of the letters is told to come again later, as greylisting does."""

    def __init__(self, seed: int, part: float) -> None:
        self.heard = Heard()
        self._chance, self._part = random.Random(seed), part
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port())
        self.port: int = self._controller.port

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Count a letter, or put it off."""
        if self._chance.random() < self._part:
            self.heard.put_off += 1
            return "451 4.7.1 Come again later"
        key, number = MESSAGE.search(envelope.content), NUMBER.search(envelope.content)
        self.heard.keys[int(number[1]) if number else -1].append(key[1].decode() if key else "")
        return "250 OK"

    def start(self) -> None:
        """Take letters."""
        self._controller.start()

    def close(self) -> None:
        """Take no more."""
        self._controller.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, _request: Any, _address: Any) -> None:
        """Whoever asked was killed; not into the output."""


class Receiver:
    """Another system on loopback, which says 503 to a part of what it is asked."""

    def __init__(self, seed: int, part: float) -> None:
        self.heard = heard = Heard()
        chance, guard = random.Random(seed), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with guard:
                    status = 503 if chance.random() < part else 200
                    if status == 503:
                        heard.put_off += 1
                    else:
                        heard.keys[int(json.loads(body)["number"])].append(self.headers["Idempotency-Key"])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not into the output."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def start(self) -> None:
        """Take requests."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
