"""Which messages about an item went to a department's system and came from it: never what stood in them."""

from __future__ import annotations

import strawberry

from gateway.store import messages as m
from schema.enums import Direction, MessageKind, MessageState
from schema.scalars import Time


@strawberry.type(description="往来报文: a message with its answer.  Its bytes are kept sealed; the hash proves them.")
class Message:
    source: strawberry.Private[m.Message]

    @strawberry.field(description="报文编号, for `shenhou message`.")
    def id(self) -> str:
        return self.source.id

    @strawberry.field(description="序号: a call that took several messages has several parts, from 0.")
    def part(self) -> int:
        return self.source.part

    @strawberry.field(description="时间: when it was begun, or came in.")
    def at(self) -> Time:
        return Time(self.source.at)

    @strawberry.field(description="答复时间; null: what came of it is not known.")
    def finished_at(self) -> Time | None:
        return Time(self.source.finished_at) if self.source.finished_at else None

    @strawberry.field(description="方向.")
    def direction(self) -> Direction:
        return self.source.direction

    @strawberry.field(description="对方系统的代码: a department, or the hub it is reached through.")
    def system(self) -> str:
        return self.source.system

    @strawberry.field(description="种类.")
    def kind(self) -> MessageKind:
        return self.source.kind

    @strawberry.field(description="状态.")
    def state(self) -> MessageState:
        return self.source.state

    @strawberry.field(description="应答代码: the department's own, or the transport's.")
    def code(self) -> str | None:
        return self.source.code

    @strawberry.field(description="报文大小（字节）.")
    def size(self) -> int | None:
        return self.source.request_size

    @strawberry.field(description="报文的SHA-256.")
    def sha256(self) -> str | None:
        return self.source.request_sha256

    @strawberry.field(description="应答大小（字节）.")
    def answer_size(self) -> int | None:
        return self.source.answer_size

    @strawberry.field(description="应答的SHA-256.")
    def answer_sha256(self) -> str | None:
        return self.source.answer_sha256
