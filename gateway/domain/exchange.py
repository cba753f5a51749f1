"""What really went over the wire: the exact bytes of every message and of its answer, reported by each transport.

Whoever makes a call opens a recording; the transport underneath reports into it, whatever becomes of the call.  Without
a recording nothing is kept.  Only bodies are reported: tokens and passwords stand in headers, or in a login, which is
made ``unrecorded``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Direction(StrEnum):
    """方向, from where the gateway stands."""

    OUTWARD = "OUTWARD"
    """发出: the gateway told or asked a department's system."""
    INWARD = "INWARD"
    """收到: a department's system told the gateway."""


class MessageKind(StrEnum):
    """报文种类."""

    SUBMIT = "SUBMIT"
    """推送: an application, or its reversal, was pushed."""
    READ = "READ"
    """查询: a department was asked what it holds."""
    INSTRUCT = "INSTRUCT"
    """支付指令: a department was told which account to pay."""
    CALLBACK = "CALLBACK"
    """回调: a department's message in its own format."""
    MUTATION = "MUTATION"
    """回写: a department's write-back in GraphQL."""


class MessageState(StrEnum):
    """报文状态."""

    BEGUN = "BEGUN"
    """已开始: what came of it is not known; after a crash it stays so."""
    ANSWERED = "ANSWERED"
    """已应答: the whole answer is there, whatever it says."""
    FAILED = "FAILED"
    """未应答: no answer, or only a part of one; it may or may not have been taken."""


def _real_time() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Leg:
    """One message and its answer."""

    at: datetime
    """When it was sent."""
    to: str
    """What was called, without the host: ``POST /exchange``, ``TCP``, a table."""
    sent: bytes
    answer: bytes | None = None
    """What came back, as far as it came."""
    whole: bool = False
    """Whether the answer came to its end."""
    code: str | None = None
    """The transport's own code of the answer, e.g. ``200``."""

    def received(self, answer: bytes, code: str | None = None, whole: bool = True) -> None:
        """Reports an answer, or the part of one that came."""
        self.answer, self.code, self.whole = answer, code, whole


@dataclass(slots=True)
class Exchange:
    """Everything that went over the wire during one call: a login that was over makes it three legs."""

    now: Callable[[], datetime] = _real_time
    legs: list[Leg] = field(default_factory=list)

    @property
    def state(self) -> MessageState:
        whole = bool(self.legs) and self.legs[-1].whole
        return MessageState.ANSWERED if whole else MessageState.FAILED


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def recording(exchange: Exchange) -> Iterator[Exchange]:
    """What transports report inside goes into ``exchange``, also from tasks and threads that are started inside."""
    token = _current.set(exchange)
    try:
        yield exchange
    finally:
        _current.reset(token)


@contextmanager
def unrecorded() -> Iterator[None]:
    """What is sent inside is a secret and no message about anybody: a login."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def sending(to: str, sent: bytes) -> Leg:
    """A transport reports a message before it sends it; the answer is reported to the leg it gets."""
    exchange = _current.get()
    leg = Leg(_real_time() if exchange is None else exchange.now(), to, sent)
    if exchange is not None:
        exchange.legs.append(leg)
    return leg
