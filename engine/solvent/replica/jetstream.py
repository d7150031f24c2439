"""A log on NATS JetStream: the one file that knows this broker. `fence` decides what is sent and believed; this file talks.

Owns the connection, the thread that serves it, and the stream's settings. Never decides who the writer is, never repeats a
message under another id, never looks into one.

Invariants: a message is stored when its stream says so: on most of its replicas. Every wait ends: after patience_ms without an
answer LogUnavailable is raised with the broker's last word. Between two tries there is a pause, which grows to a second.

Cost: a thread and a connection for a log. A message costs its way to the servers and the answer's way back.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from solvent.api.exchange import Exchange
from solvent.replica.fence import Answer, Look, Message, Pause, Publish, Refused, Request, Steps, Stored
from solvent.replica.log import Pending
from solvent.replica.standby import opened
from solvent.schema.codes import InputError, JournalDamaged, LogUnavailable
from solvent.store.opening import Wish
from solvent.store.recovery import Kinds
from solvent.terms.order_words import int_within

try:
    import nats.errors
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext, api
    from nats.js.errors import APIError
except ImportError as error:
    raise ImportError("a log on NATS needs its client: pip install solvent[nats]") from error

__all__ = ["JetStream"]

_T = TypeVar("_T")
_WRONG_LAST_SEQUENCE, _NO_MESSAGE, _OTHER_SETTINGS, _NO_CLUSTER = 10071, 10037, 10058, 10074
_HEADER_BYTES = 1024  # of a message, which the server counts with it and the client does not
_TRY_S, _HEARTBEAT_S = 2, 1
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1)  # between two tries, then always the last


def _raise(error: BaseException) -> Any:
    raise error


class JetStream:
    """A log on a NATS stream, for solvent.open and Follower.

    servers: their addresses, as in "nats://10.0.0.1:4222". stream: its name; one that does not exist is made, with a file on
    as many servers as replicas says. patience_ms: how long a broker may be silent before LogUnavailable is raised. A cluster
    that lost a server needs about six seconds. connect: further arguments of nats.connect, such as credentials.

    Raises InputError if the stream exists with other settings, LogUnavailable if no server answers.
    """

    def __init__(
        self, servers: str | list[str], stream: str, *, replicas: int = 1, patience_ms: int = 30_000, **connect: Any
    ):  # fmt: skip
        self.stream = stream
        self._subject = f"solvent.{stream}"
        self._patience_s = int_within(patience_ms, "patience_ms", 1, 2**31) / 1000
        self._try_s = min(_TRY_S, self._patience_s)
        self._servers = [servers] if isinstance(servers, str) else list(servers)
        self._said = "no server answers"
        self._tail: _Tail | None = None
        self._silent_since_s: float | None = None
        self._skipped_after = -1
        self._nc = Client()
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=f"solvent {stream}", daemon=True)
        self._thread.start()
        try:
            self._call(self._connect, connect)
            self._call(self._make_stream, replicas)
        except BaseException:
            self.close()
            raise

    # --- the log

    @property
    def name(self) -> str:
        """Returns what messages call it."""
        return f"stream {self.stream}"

    @property
    def message_bytes_max(self) -> int:
        """Returns how large a message may be."""
        return self._nc.max_payload - _HEADER_BYTES

    def start(self, steps: Steps) -> Pending[int]:
        """Talks for a writer until it knows the place of its message (see solvent.replica.fence)."""
        return self._begin(self._drive, steps)

    def open_exchange(self, wish: Wish, kinds: Kinds) -> Exchange:
        """Opens the log for solvent.open."""
        return opened(self, wish, kinds)

    def read(self, after: int, wait_ms: int) -> list[Message]:
        """Returns the messages after a place, in order. Waits at most wait_ms for the first, and returns [] if none came."""
        return self._call(self._read, after, wait_ms / 1000)

    def last(self) -> int:
        """Returns the place of the last message that is stored, 0 in an empty log."""
        return int(self._call(self._info).state.last_seq)

    def leader(self) -> str:
        """Returns the name of the server that orders the messages now; "" where there is only one, or none at the moment."""
        cluster = self._call(self._info).cluster
        return (cluster.leader if cluster is not None else None) or ""

    def close(self) -> None:
        """Ends connection and thread. The log keeps all that it acknowledged."""
        if not self._loop.is_closed():
            with suppress(nats.errors.Error, OSError):  # the connection may be broken already
                self._call(self._nc.close)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> "JetStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- on the thread of the connection

    def _begin(self, what: Callable[..., Coroutine[Any, Any, _T]], *terms: Any) -> Pending[_T]:
        """Runs a coroutine on the other thread. It is made there: Ctrl-C here leaves none behind that nobody awaits."""
        answer: Pending[_T] = Pending()

        async def carry() -> None:
            try:
                found = await what(*terms)
                answer.give(lambda: found)
            except BaseException as error:
                answer.give(partial(_raise, error))

        def begin() -> None:
            task = self._loop.create_task(carry())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        if self._loop.is_closed():
            raise LogUnavailable(f"{self.name} was closed")
        self._loop.call_soon_threadsafe(begin)
        return answer

    def _call(self, what: Callable[..., Coroutine[Any, Any, _T]], *terms: Any) -> _T:
        return self._begin(what, *terms).result()

    def _unavailable(self) -> LogUnavailable:
        return LogUnavailable(f"stream {self.stream} at {', '.join(self._servers)}: {self._said}")

    async def _patiently(self, attempt: Callable[[], Awaitable[_T | None]]) -> _T:
        """Awaits attempts until one gives an answer, with pauses between them, as long as patience allows."""
        deadline, tries = self._loop.time() + self._patience_s, 0
        while True:
            try:
                found = await attempt()
                if found is not None:
                    return found
            except (nats.errors.Error, OSError) as error:
                self._said = str(error) or type(error).__name__
            if self._loop.time() > deadline or self._nc.is_closed:
                raise self._unavailable()
            await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
            tries += 1

    async def _connect(self, terms: dict[str, Any]) -> None:
        async def note(error: Exception) -> None:
            self._said = str(error) or type(error).__name__

        asked: dict[str, Any] = {
            "connect_timeout": self._try_s,
            "reconnect_time_wait": _PAUSES_S[0],
            "max_reconnect_attempts": -1,
        }
        try:
            await asyncio.wait_for(self._nc.connect(self._servers, error_cb=note, **asked, **terms), self._patience_s)
        except (nats.errors.Error, OSError):
            raise self._unavailable() from None
        self._js = self._nc.jetstream(timeout=self._try_s)

    async def _make_stream(self, replicas: int) -> None:
        """Makes the stream, or finds it as it would be made."""
        settings = api.StreamConfig(
            name=self.stream, subjects=[self._subject], num_replicas=replicas, storage=api.StorageType.FILE,
            retention=api.RetentionPolicy.LIMITS, discard=api.DiscardPolicy.NEW, deny_delete=True, deny_purge=True,
            allow_direct=False,
        )  # fmt: skip

        async def attempt() -> bool:
            try:
                await self._js.add_stream(settings)
            except APIError as error:
                if error.err_code in (_OTHER_SETTINGS, _NO_CLUSTER):
                    raise InputError(f"stream {self.stream}, {replicas} replicas: {error.description}") from None
                raise
            return True

        await self._patiently(attempt)

    # --- writing

    async def _drive(self, steps: Steps) -> int:
        """Runs a writer's steps, after those that were started before."""
        async with self._writing:
            await self._unsubscribe()  # who writes does not hear itself
            deadline, answer = self._loop.time() + self._patience_s, None
            try:
                request = next(steps)
                while True:
                    answer = await self._answer(request)
                    if isinstance(request, Pause) and (self._loop.time() > deadline or self._nc.is_closed):
                        raise self._unavailable()
                    request = steps.send(answer)
            except StopIteration as done:
                return int(done.value)

    async def _answer(self, request: Request) -> Answer:
        """Answers one request; None where nobody can say."""
        try:
            if isinstance(request, Publish):
                return await self._publish(request)
            if isinstance(request, Look):
                return await self._id_at(request.place)
            await asyncio.sleep(_PAUSES_S[min(request.round, len(_PAUSES_S) - 1)])
        except (nats.errors.Error, OSError) as error:
            self._said = str(error) or type(error).__name__
        return None

    async def _publish(self, message: Publish) -> Answer:
        if not self._nc.is_connected:  # else the client keeps each try, to send all of them at once
            return None
        if len(message.data) > self.message_bytes_max:  # else the server hangs up, for good
            raise InputError(f"a message to {self.stream} has at most {self.message_bytes_max} bytes, not {len(message.data)}")
        headers = {"Nats-Msg-Id": message.id, "Nats-Expected-Stream": self.stream}
        if message.after is not None:
            headers["Nats-Expected-Last-Sequence"] = str(message.after)
        try:
            return Stored((await self._js.publish(self._subject, message.data, timeout=self._try_s, headers=headers)).seq)
        except APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                return Refused()
            raise

    async def _id_at(self, place: int) -> str | None:
        """Returns the id of the message at a place, None if there is none yet."""
        try:
            found = await self._js.get_msg(self.stream, seq=place)
        except APIError as error:
            if error.err_code == _NO_MESSAGE:
                return None
            raise
        return str((found.headers or {}).get("Nats-Msg-Id", "a message without an id"))

    # --- reading

    async def _info(self) -> api.StreamInfo:
        return await self._patiently(lambda: self._js.stream_info(self.stream))

    async def _read(self, after: int, wait_s: float) -> list[Message]:
        deadline, tries = self._loop.time() + wait_s, 0
        while True:
            now = self._loop.time()
            if self._tail is None or not self._tail.follows(after, now):
                self._require(after)
                if not await self._subscribe(after):
                    if self._loop.time() >= deadline:
                        return []
                    await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
                    tries += 1
            elif found := await self._tail.taken():
                return found
            elif now >= deadline:
                return []
            else:
                await self._tail.wait(min(deadline - now, _HEARTBEAT_S))

    def _require(self, after: int) -> None:
        """Raises JournalDamaged where the stream has left out the same message twice: once may be a lost connection."""
        skipped = self._tail.skipped if self._tail is not None and self._tail.begun_after == after else 0
        if skipped and self._skipped_after == after:
            raise JournalDamaged(f"{self.name}, message {after + 1}", 0, f"it is gone; message {skipped} comes after {after}")
        self._skipped_after = after if skipped else -1

    async def _subscribe(self, after: int) -> bool:
        """Asks the stream to send what comes after a place. Returns False if it does not answer; patience ends that."""
        try:
            await self._unsubscribe()
            if not self._nc.is_connected:  # what is asked now would wait for the connection
                raise nats.errors.ConnectionReconnectingError
            tail = _Tail(self._nc, self._loop, after)
            await tail.begin(self._js, self.stream)
        except (nats.errors.Error, OSError) as error:
            self._said = str(error) or type(error).__name__
            since_s, now_s = self._silent_since_s or self._loop.time(), self._loop.time()
            if now_s <= since_s + self._patience_s and not self._nc.is_closed:
                self._silent_since_s = since_s
                return False
            self._silent_since_s = None  # the next call is patient again
            raise self._unavailable() from None
        self._tail, self._silent_since_s = tail, None
        return True

    async def _unsubscribe(self) -> None:
        if self._tail is not None:
            left, self._tail = self._tail, None
            await left.end()


class _Tail:
    """Messages after a place as they come: a consumer at the stream, and the queue that it fills.

    The server sends no more than is taken: its requests for flow control are answered when their turn comes.
    """

    def __init__(self, nc: Client, loop: asyncio.AbstractEventLoop, after: int):
        self._nc, self._loop = nc, loop
        self.begun_after = self._after = after
        self.skipped = 0  # the first message that came, if it is not the one that was asked for
        self._queue: deque[Msg] = deque()
        self._came = asyncio.Event()
        self._heard_s = loop.time()

    async def begin(self, js: JetStreamContext, stream: str) -> None:
        inbox = self._nc.new_inbox()
        self._subscription = await self._nc.subscribe(inbox, cb=self._take_in)
        terms = api.ConsumerConfig(
            deliver_subject=inbox, deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self._after + 1,
            ack_policy=api.AckPolicy.NONE, flow_control=True, idle_heartbeat=_HEARTBEAT_S, mem_storage=True, num_replicas=1,
            inactive_threshold=10 * _HEARTBEAT_S,
        )  # fmt: skip
        try:
            await js.add_consumer(stream, terms)
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        """Stops listening; the server drops a consumer that nobody hears."""
        if not self._nc.is_closed:
            await self._subscription.unsubscribe()

    async def _take_in(self, message: Msg) -> None:
        self._heard_s = self._loop.time()
        headers = message.headers or {}
        if message.reply or "Nats-Consumer-Stalled" in headers:  # else it is a heartbeat
            self._queue.append(message)
            self._came.set()

    def follows(self, after: int, now_s: float) -> bool:
        """True if the next message to be taken is the one after a place, and the consumer lives."""
        return self._after == after and self._nc.is_connected and now_s < self._heard_s + 3 * _HEARTBEAT_S

    async def wait(self, at_most_s: float) -> None:
        """Waits until something has come."""
        self._came.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), at_most_s)

    async def taken(self) -> list[Message]:
        """Takes what has come, up to a gap: then the tail follows no place any more."""
        found: list[Message] = []
        while self._queue:
            message = self._queue.popleft()
            headers = message.headers or {}
            if "Status" in headers:  # a request for flow control
                with suppress(nats.errors.Error, OSError):
                    await self._nc.publish(headers.get("Nats-Consumer-Stalled") or message.reply)
                continue
            place = message.metadata.sequence.stream
            if place != self._after + 1:
                self.skipped = place if self._after == self.begun_after else 0
                self._after = -1
                break
            self._after = place
            found.append(Message(place, headers.get("Nats-Msg-Id", ""), message.data))
        return found
