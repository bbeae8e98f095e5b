"""Serves a simulated platform on this machine."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from dataclasses import dataclass
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, parse_qsl, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Any]


@dataclass
class Headed:
    """A body with headers of its own: `429, Headed({"message": "Later."}, {"retry-after": "7"})`."""

    body: Any
    headers: dict[str, str]


class Platform(Protocol):
    """What is simulated."""

    def answer(self, method: str, path: list[str], query: dict[str, str], headers: Any, body: Json) -> Answer:
        """Status and body of an answer. `path` has four parts at least, empty where the address is shorter. Its `Date` is what `now()` says, where
        there is such a method."""


class Simulator:
    """A running platform; `with Simulator(platform) as simulator:` ends it."""

    def __init__(self, platform: Platform, port: int = 0) -> None:
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                data = self.rfile.read(int(self.headers.get("content-length") or 0))
                url = urlsplit(self.path)
                path = [*url.path.strip("/").split("/"), "", "", ""]
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                try:
                    body = read(str(self.headers.get("content-type")), data.decode())
                    with lock:
                        status, answer = platform.answer(self.command, path, query, self.headers, body)
                except ValueError:
                    status, answer = 400, {"message": "The request cannot be read."}
                answer, more = (answer.body, answer.headers) if isinstance(answer, Headed) else (answer, {})
                text = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"content-type": "application/json", **more}.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any

            def date_time_string(self, timestamp: float | None = None) -> str:
                now = getattr(platform, "now", None)
                return formatdate(parsed(now()).timestamp() if now else timestamp, usegmt=True)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Simulator:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def read(kind: str, text: str) -> Json:
    """A form by its fields, anything else as JSON."""
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    body: Json = json.loads(text) if text else {}
    return body


def main(platform: Callable[[], Platform]) -> None:
    """The simulator as a program; `--port 0` takes a free one."""
    port = int(sys.argv[sys.argv.index("--port") + 1]) if "--port" in sys.argv else 8080
    simulator = Simulator(platform(), port)
    print(f"listening on {simulator.address}", flush=True)
    simulator.server.serve_forever()


def parsed(time: str) -> datetime:
    return datetime.fromisoformat(time.replace("Z", "+00:00"))


def normal(time: datetime) -> str:
    """Times with and without fractions of a second and with any offset compare as texts once they look alike."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
