"""Who saw what, and what was refused: the access record of a case; incidents; reasons to unmask."""

from __future__ import annotations

import strawberry
from strawberry import relay

from gateway.access.rights import RevealReason as Known
from gateway.domain.events.access import Denied, Seen
from gateway.policy.book import PolicyBook
from gateway.store import incidents as i
from gateway.store.accesses import Kept
from schema.enums import Code
from schema.personal import PersonalData
from schema.scalars import Slug, Time


@strawberry.type(description="查看事由: what personal data may be unmasked for.")
class RevealReason:
    code: str = strawberry.field(description="事由代码.")
    name: str = strawberry.field(description="名称.")
    name_en: str = strawberry.field(description="Name in English.")
    note: bool = strawberry.field(description="是否须另附说明.")

    @classmethod
    def of(cls, known: Known) -> RevealReason:
        return cls(code=known.code, name=known.name, name_en=known.name_en, note=known.note)


@strawberry.type(description="访问记录 (PD-15): somebody was shown something of the case, one entry of a hash chain.")
class Access:
    book: strawberry.Private[PolicyBook]
    kept: strawberry.Private[Kept]

    @strawberry.field(description="序号.")
    def sequence(self) -> int:
        return self.kept.seq

    @strawberry.field(description="时间: the first of `times`.")
    def at(self) -> Time:
        return Time(self.kept.at)

    @strawberry.field(description="角色代码.")
    def role(self) -> str:
        return self.kept.actor.role

    @strawberry.field(description="角色名称.")
    def role_name(self) -> str:
        return self.book.word("roles", self.kept.actor.role).name

    @strawberry.field(description="部门代号.")
    def department(self) -> Slug | None:
        return Slug(self.kept.actor.department) if self.kept.actor.department else None

    @strawberry.field(description="姓名, as the issuer of the token gives it; null: somebody of the family.")
    def name(self) -> str | None:
        return self.kept.actor.name if self.kept.actor.role != FAMILY else None

    @strawberry.field(description="操作: root fields of the operation, or the printed document.")
    def operation(self) -> str:
        return self.kept.event.operation

    @strawberry.field(description="个人信息种类: kinds that were asked for; each was shown as the role sees it.")
    def fields(self) -> list[PersonalData]:
        event = self.kept.event
        return [PersonalData[name.upper()] for name in event.fields] if isinstance(event, Seen) else []

    @strawberry.field(description="事由: the standing reason of the role, or the code for which masks were lifted.")
    def reason(self) -> str | None:
        return self.kept.event.reason if isinstance(self.kept.event, Seen) else None

    @strawberry.field(description="拒绝代码; null: it was shown.")
    def refused(self) -> Code | None:
        return Code(self.kept.event.code) if isinstance(self.kept.event, Denied) else None

    @strawberry.field(description="来源地址; with `#`: a keyed hash, equal for equal addresses.")
    def origin(self) -> str | None:
        return self.kept.event.origin

    @strawberry.field(description="次数: equal ones within one writing of the record.")
    def times(self) -> int:
        return self.kept.event.times

    @strawberry.field(description="链式摘要: hash of this entry over the one before it.")
    def hash(self) -> str:
        return self.kept.hash


FAMILY = "family"


@strawberry.type(description="访问记录的一项.")
class AccessEdge:
    cursor: str = strawberry.field(description="游标.")
    node: Access = strawberry.field(description="访问记录.")


@strawberry.type(description="访问记录, oldest first.")
class AccessConnection:
    edges: list[AccessEdge] = strawberry.field(description="列表.")
    page_info: relay.PageInfo = strawberry.field(description="分页信息.")
    total_count: int = strawberry.field(description="总数.")

    @strawberry.field(description="访问记录, without the edges.")
    def nodes(self) -> list[Access]:
        return [edge.node for edge in self.edges]


@strawberry.type(description="事件: an unexpected error, by the id its caller was told; nothing of a person.")
class Incident:
    source: strawberry.Private[i.Incident]

    @strawberry.field(description="事件编号.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(self.source.id)

    @strawberry.field(description="时间.")
    def at(self) -> Time:
        return Time(self.source.at)

    @strawberry.field(description="操作: root fields of the operation.")
    def operation(self) -> str:
        return self.source.operation

    @strawberry.field(description="错误种类.")
    def kind(self) -> str:
        return self.source.kind

    @strawberry.field(description="出错位置: file, line and function of the last calls, without values.")
    def frames(self) -> list[str]:
        return self.source.frames.split(" > ")
