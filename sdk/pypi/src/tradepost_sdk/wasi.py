"""Requests over wasi:http. The headers tradepost-credential, tradepost-rate and tradepost-repeat are for the host and go no
further."""

from __future__ import annotations

from urllib.parse import urlsplit

from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler
from wit_world.imports import wasi_http_types as http
from wit_world.imports.streams import StreamError_Closed

from .host import Response, Unanswered

_METHODS = {
    "GET": http.Method_Get,
    "HEAD": http.Method_Head,
    "POST": http.Method_Post,
    "PUT": http.Method_Put,
    "DELETE": http.Method_Delete,
    "OPTIONS": http.Method_Options,
    "PATCH": http.Method_Patch,
}
# Most bytes that a stream takes at once.
_CHUNK = 4096
_READ = 1 << 20


def send(method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
    """Sends a request and reads the whole answer.

    Raises: `Unanswered`
    """
    parts = urlsplit(url)
    fields = http.Fields.from_list([(name, value.encode()) for name, value in headers.items()])
    request = http.OutgoingRequest(fields)
    request.set_method(_METHODS[method]() if method in _METHODS else http.Method_Other(method))
    request.set_scheme(http.Scheme_Https() if parts.scheme == "https" else http.Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")
    try:
        out = request.body()
        future = outgoing_handler.handle(request, None)
        with out.write() as stream:
            for at in range(0, len(body), _CHUNK):
                stream.blocking_write_and_flush(body[at : at + _CHUNK])
        http.OutgoingBody.finish(out, None)
        with future.subscribe() as pollable:
            pollable.block()
        with future:
            response = _taken(future.get())
        with response:
            return _read(response)
    except Err as error:
        raise Unanswered(_code(error.value)) from error


def _taken(result: object) -> http.IncomingResponse:
    for _ in range(2):
        if isinstance(result, Err):
            raise result
        if isinstance(result, Ok):
            result = result.value
    if not isinstance(result, http.IncomingResponse):
        raise Unanswered("internal-error")
    return result


def _read(response: http.IncomingResponse) -> Response:
    with response.headers() as fields:
        headers = {name.lower(): value.decode("utf-8", "replace") for name, value in fields.entries()}
    chunks = []
    with response.consume() as body, body.stream() as stream:
        while True:
            try:
                chunks.append(stream.blocking_read(_READ))
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    break
                raise Unanswered("http-response-incomplete") from error
    return Response(response.status(), headers, b"".join(chunks))


def _code(value: object) -> str:
    name = type(value).__name__.removeprefix("ErrorCode_")
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name).lstrip("-")
