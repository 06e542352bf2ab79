"""A receiver on loopback that answers as it is told to, and writes down what it was sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body as JSON."""
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass
class Receiver:
    """Answers with `status`; `wait` seconds later, if it hangs; `after` in Retry-After."""

    status: int = 204
    wait: float = 0
    after: str | None = None
    heard: list[Heard] = field(default_factory=list)
    url: str = ""

    def start(self) -> None:
        """Listen."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append(Heard({k.lower(): v for k, v in self.headers.items()}, body))
                time.sleep(receiver.wait)
                answer = f"status {receiver.status}".encode()
                self.send_response(receiver.status)
                if receiver.after is not None:
                    self.send_header("Retry-After", receiver.after)
                if receiver.status != 204:
                    self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if receiver.status != 204:
                    self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Not into the tests' output."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def types(self) -> list[str]:
        """The types of what was heard."""
        return [heard.event["type"] for heard in self.heard]
