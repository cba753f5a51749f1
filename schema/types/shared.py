"""Shared data of a deceased, as a department may take it; what sources of shared data hold for a form."""

from __future__ import annotations

import strawberry
from strawberry import relay

from gateway.desk import Desk
from gateway.domain import shared as s
from schema.enums import Freshness, IdKind, Sex
from schema.scalars import AreaCode, Slug, Time
from schema.types.common import Certificate


@strawberry.type(description="登记的停发: a stop a department made by itself on shared data (YY-514).")
class RecordedStop:
    item: Slug = strawberry.field(description="事项代号.")
    recorded_at: Time = strawberry.field(description="登记时间.")
    reference: str | None = strawberry.field(description="部门受理号.")
    effective: str | None = strawberry.field(description="生效时间: YYYY-MM or YYYY; null: at once.")


@strawberry.type(
    description="共享信息: what departments shared of a deceased before, and besides, any case; cut to what the asking "
    "department may take."
)
class SharedRecord:
    id: strawberry.ID = strawberry.field(description="编号.")
    jurisdiction: str = strawberry.field(description="地区代号.")
    area: AreaCode = strawberry.field(description="区域代码.")
    name: str | None = strawberry.field(description="逝者姓名.")
    id_kind: IdKind = strawberry.field(description="证件类型.")
    id_number: str | None = strawberry.field(description="证件号码.")
    sex: Sex = strawberry.field(description="性别.")
    died_at: Time | None = strawberry.field(description="死亡时间.")
    certificates: list[Certificate] = strawberry.field(description="证照.")
    stops: list[RecordedStop] = strawberry.field(description="本部门已登记的停发.")
    revoked_at: Time | None = strawberry.field(
        description="撤销时间: the death was recorded in error; undo what was done on it."
    )
    revocation_reason: str | None = strawberry.field(description="撤销原因.")

    @classmethod
    def of(cls, desk: Desk, record: s.SharedRecord) -> SharedRecord:
        return cls(
            id=strawberry.ID(record.number),
            jurisdiction=record.jurisdiction,
            area=AreaCode(record.area),
            name=record.deceased.name,
            id_kind=record.deceased.id_kind,
            id_number=record.deceased.id_number,
            sex=Sex(record.deceased.sex),
            died_at=Time(record.death.occurred_at) if record.death.occurred_at else None,
            certificates=[Certificate.of(desk.book, found) for found in record.certificates],
            stops=[
                RecordedStop(
                    item=Slug(stop.slug),
                    recorded_at=Time(stop.at),
                    reference=stop.reference,
                    effective=stop.effective,
                )
                for stop in record.stops.values()
            ],
            revoked_at=Time(record.revocation.at) if record.revocation else None,
            revocation_reason=record.revocation.reason if record.revocation else None,
        )


@strawberry.type(description="共享信息的一项.")
class SharedRecordEdge:
    cursor: str = strawberry.field(description="游标: ask again with it later, and nothing is missed.")
    node: SharedRecord = strawberry.field(description="共享信息.")


@strawberry.type(description="共享信息列表, oldest change first.")
class SharedRecordConnection:
    edges: list[SharedRecordEdge] = strawberry.field(description="列表.")
    page_info: relay.PageInfo = strawberry.field(description="分页信息.")

    @strawberry.field(description="共享信息, without the edges.")
    def nodes(self) -> list[SharedRecord]:
        return [edge.node for edge in self.edges]


@strawberry.type(description="预填的一项: a value of the form that a source of shared data holds (YN-302).")
class PrefilledField:
    path: str = strawberry.field(description="字段路径, as in `jurisdiction.form`.")
    value: str = strawberry.field(description="取值.")
    source: Slug = strawberry.field(description="来源.")
    source_name: str = strawberry.field(description="来源名称.")


@strawberry.type(description="来源的状态.")
class PrefillSource:
    source: Slug = strawberry.field(description="来源.")
    name: str = strawberry.field(description="名称.")
    freshness: Freshness = strawberry.field(description="时效: LIVE, or UNAVAILABLE.")


@strawberry.type(
    description="预填: what the platform knows already, so that nobody is asked for it "
    "(YN-302, YN-402, YN-403, WZ-405)."
)
class Prefill:
    fields: list[PrefilledField] = strawberry.field(description="可预填的字段.")
    certificates: list[Certificate] = strawberry.field(description="平台已有的证照.")
    materials: list[str] = strawberry.field(description="免提交的材料代码: a source holds them.")
    sources: list[PrefillSource] = strawberry.field(description="来源.")
