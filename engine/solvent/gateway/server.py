"""The sockets: HTTP requests and WebSocket frames in and out, on one thread that owns the exchange.

The only file of the gateway that does I/O and reads a clock. Owns connections and their bounds: a body or a frame too long, a
reader too slow, a connection too many ends alone. Never knows what a message means: dialects do. A call from another thread
is handed over and waited for. Cost: a frame for many subscribers is built once.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from ssl import SSLContext
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from aiohttp import WSMsgType, web

from solvent.gateway.desk import Desk
from solvent.gateway.protocol import Answer, Deed, Dialect, Faults, Request
from solvent.schema.codes import InputError

__all__ = ["BODY_MAX", "Server"]

BODY_MAX = 1 << 20
UNSENT_MAX = 4 << 20
"""The most bytes that wait for a slow reader before it is cut off."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CONNECTIONS_MAX = 20_000
_TICK_S = 0.25
_IDLE_S, _LEAVE_S = 75.0, 1.0
_T = TypeVar("_T")
_JSON = {"Content-Type": "application/json"}


def clock_ns() -> int:
    """Returns the time of the world."""
    return time.time_ns()


def frame_of(message: bytes) -> bytes:
    """Returns the WebSocket frame of a text, as a server sends it: whole, and not masked."""
    size = len(message)
    if size < 126:
        return bytes((0x81, size)) + message
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + message
    return b"\x81\x7f" + size.to_bytes(8, "big") + message


@lru_cache(1_000)
def _hostname(host: str) -> str | None:
    """Returns the name in a Host header; None for one that is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class Wire:
    """Sends to one socket, bounded: a reader that leaves too much unread is cut off."""

    def __init__(self, server: "Server", transport: asyncio.Transport):
        self._server, self._transport = server, transport
        self.client: Callable[[], str] = str

    def send(self, channel: str, message: bytes) -> None:
        """Sends a message, as the faults let it."""
        faults = self._server.faults
        deed = faults.push(self.client(), channel, message) if faults is not None else None
        if deed is None:
            self.write(message)
        elif deed.hang_up:
            self.hang_up()
        else:
            told = message if deed.body is None else deed.body
            for _ in range(deed.copies):
                if deed.wait_ns:
                    asyncio.get_running_loop().call_later(deed.wait_ns / 1e9, self.write, told)
                else:
                    self.write(told)

    def hang_up(self) -> None:
        """Ends the connection without a word."""
        self._transport.abort()

    def write(self, message: bytes) -> None:
        """Writes a frame."""
        if self._transport.is_closing():
            return
        self._transport.write(self._server.frame(message))
        if self._transport.get_write_buffer_size() > UNSENT_MAX:
            self._transport.abort()


class Server:
    """Serves a desk in a thread of its own until it is closed.

    dialect: by whom requests and sockets are understood. control: answers requests below /control, None for none. port: 0
    takes a free one.
    """

    def __init__(self, desk: Desk, dialect: Dialect, host: str, port: int, tls: SSLContext | None = None):
        self.desk, self.dialect = desk, dialect
        self.control: Callable[[Request], Answer] | None = None
        self.faults: Faults | None = None
        self.loopback = True
        self.host, self.port = host, port
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="solvent-gateway", daemon=True)
        self._ready: Future[int] = Future()
        self._stopping: asyncio.Event = asyncio.Event()
        self._framed: tuple[bytes, bytes] = b"", b""
        self._wires: set[Wire] = set()

    # --- the thread

    def start(self) -> None:
        """Starts the thread and returns once the port is open. Raises OSError if it cannot be."""
        self._thread.start()
        self.port = self._ready.result()

    def close(self) -> None:
        """Closes all sockets and ends the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def call(self, do: Callable[[], _T]) -> _T:
        """Does something in the thread that owns the exchange, and returns its result.

        Subscribers are told what happened."""
        if threading.current_thread() is self._thread:
            return do()
        if not self._thread.is_alive():
            raise InputError("the gateway is closed; make another one")
        done: Future[_T] = Future()

        def run() -> None:
            try:
                done.set_result(do())
            except BaseException as error:  # whatever it is, it belongs to the caller
                done.set_exception(error)
            self.tell()

        self._loop.call_soon_threadsafe(run)
        return done.result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                raise
        finally:
            self._forget()
            self._loop.close()

    def _forget(self) -> None:
        """Ends what a request that its client left behind still waits for."""
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _serve(self) -> None:
        runner = web.ServerRunner(
            web.Server(self._handle, keepalive_timeout=_IDLE_S, access_log=None), shutdown_timeout=_LEAVE_S
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port, ssl_context=self._tls, backlog=4096)
            await site.start()
            self._ready.set_result(runner.addresses[0][1])
            ticking = asyncio.ensure_future(self._tick())
            await self._stopping.wait()
            ticking.cancel()
        finally:
            await runner.cleanup()

    async def _tick(self) -> None:
        """Lets time pass while nobody asks."""
        while self.desk.clock is not None:
            await asyncio.sleep(_TICK_S)
            self.desk.tick()
            self.tell()

    def tell(self) -> None:
        """Tells the subscribers what has happened since."""
        notices = self.desk.settle()
        if notices:
            self.dialect.tell(notices)

    def hang_up(self) -> None:
        """Closes all sockets, as a venue does that restarts. In the thread of the loop only."""
        for wire in list(self._wires):
            wire.hang_up()

    def frame(self, message: bytes) -> bytes:
        """Returns the frame of a message; the last one is remembered for the next subscriber."""
        if self._framed[0] is not message:
            self._framed = message, frame_of(message)
        return self._framed[1]

    # --- requests

    async def _handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        target = raw.raw_path
        path, _, query = target.partition("?")
        request = Request(raw.method, unquote(path), query, target, raw.headers, b"")
        if not self._allowed(raw.headers.get("Host", ""), raw.headers.get("Origin")):
            return self._response(Answer(403, b'{"code":"403","msg":"Host or Origin is not allowed here","data":[]}'))
        if raw.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(raw, request)
        if raw.method == "POST":
            try:
                request.body = await self._body(raw)
            except ValueError:
                return self._response(Answer(413, b'{"code":"50002","msg":"The body is too long","data":[]}'))
        request.client = self.dialect.identify(request)
        return await self._answer(raw, request)

    def _allowed(self, host: str, origin: str | None) -> bool:
        """Tells whether a request may come in, so that no website can move a local venue.

        A browser says where its page is from: only a page from here may ask. A name that is not this machine's is a page that
        had its own name lead here.
        """
        if origin is not None and origin.partition("://")[2] != host:
            return False
        return not self.loopback or _hostname(host) in LOOPBACK

    @staticmethod
    async def _body(raw: web.BaseRequest) -> bytes:
        """Returns the body. Raises ValueError for one that is too long, and reads no further."""
        if (raw.content_length or 0) > BODY_MAX:
            raise ValueError
        data = bytearray()
        async for chunk in raw.content.iter_any():
            data += chunk
            if len(data) > BODY_MAX:
                raise ValueError
        return bytes(data)

    async def _answer(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        if self.control is not None and request.path.startswith("/control/"):
            return self._told(self.control(request))
        deed = self.faults.before(request.client, request) if self.faults is not None else None
        if deed is not None and (answer := await self._suffer(raw, deed)) is not None:
            return answer
        found = self.dialect.answer(request)
        response = self._told(found)
        deed = self.faults.after(request.client, request, found) if self.faults is not None else None
        if deed is not None and (answer := await self._suffer(raw, deed)) is not None:
            return answer
        return response

    def _told(self, answer: Answer) -> web.Response:
        """Returns an answer, and lets what happened be told right after it."""
        if self.desk.pending():
            self._loop.call_soon(self.tell)
        return self._response(answer)

    @staticmethod
    def _response(answer: Answer) -> web.Response:
        return web.Response(body=answer.body, status=answer.status, headers=_JSON)

    async def _suffer(self, raw: web.BaseRequest, deed: Deed) -> web.Response | None:
        """Does what a fault wants with an answer; None lets it go on."""
        if deed.wait_ns:
            await asyncio.sleep(deed.wait_ns / 1e9)
        if deed.hang_up:
            if raw.transport is not None:
                raw.transport.abort()
            return web.Response()
        if deed.body is not None or deed.status:
            return self._response(Answer(deed.status or 200, deed.body or b""))
        return None

    # --- sockets

    async def _socket(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        if len(self._wires) >= CONNECTIONS_MAX or raw.transport is None:
            return self._response(Answer(503, b'{"code":"50001","msg":"Too many connections","data":[]}'))
        wire = Wire(self, raw.transport)
        session = self.dialect.session(request.path, wire.send)
        if session is None:
            return self._response(Answer(404, b'{"code":"404","msg":"Not Found","data":[]}'))
        wire.client = lambda: session.client
        socket = web.WebSocketResponse(max_msg_size=BODY_MAX, compress=False, autoping=True, heartbeat=None)
        await socket.prepare(raw)
        self._wires.add(wire)
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT:
                    break
                session.receive(message.data)
                self.tell()
        finally:
            self._wires.discard(wire)
            session.close()
        return socket
