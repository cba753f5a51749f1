"""What surrounds a case: papers, funeral, relatives, verified identities, automatic stops, rating, revocation."""

from __future__ import annotations

from functools import partial

import strawberry

from gateway.domain import case as c
from gateway.domain.case import JoinRequest as Join
from gateway.domain.materials import AttachedMaterial
from gateway.services.reading import material_name
from schema.enums import MaterialStatus, Relation, VerificationOutcome
from schema.scalars import Slug, Time
from schema.types.catalogue import ItemDefinition
from schema.view import View


@strawberry.type(description="身份核验 (YN-402): what a source of shared data said of a person of the form.")
class Verification:
    person: str = strawberry.field(description="何人: deceased or applicant.")
    source: Slug = strawberry.field(description="来源.")
    source_name: str = strawberry.field(description="来源名称.")
    outcome: VerificationOutcome = strawberry.field(description="结果.")
    at: Time = strawberry.field(description="时间.")

    @classmethod
    def of(cls, view: View, found: c.Verification) -> Verification:
        return cls(
            person=found.person,
            source=Slug(found.source),
            source_name=view.book.word("departments", found.source).name,
            outcome=VerificationOutcome(found.outcome),
            at=Time(found.at),
        )


@strawberry.type(description="好差评 (YN-901).")
class Rating:
    level: str = strawberry.field(description="等级代码.")
    level_name: str = strawberry.field(description="等级名称.")
    comment: str = strawberry.field(description="评价内容.")
    at: Time = strawberry.field(description="时间.")

    @classmethod
    def of(cls, view: View, found: c.Rating) -> Rating:
        levels = view.policy.rating.levels if view.policy.rating else []
        name = next((level.name for level in levels if level.code == found.level), found.level)
        return cls(level=found.level, level_name=name, comment=found.comment, at=Time(found.at))


@strawberry.type(description="撤销: the death was recorded in error.")
class Revocation:
    reason: str = strawberry.field(description="原因.")
    at: Time = strawberry.field(description="时间.")


@strawberry.type(
    description="自动停发 (YY-514): a stop a department makes by itself on shared data; no application is involved."
)
class AutomaticStop:
    definition: ItemDefinition = strawberry.field(description="事项.")
    recorded_at: Time | None = strawberry.field(description="登记时间; null: the department has not recorded it yet.")
    reference: str | None = strawberry.field(description="部门受理号.")

    @classmethod
    def all(cls, view: View) -> list[AutomaticStop]:
        stops = [item for item in view.policy.items if item.handler == "PULL"]
        found = {item.slug: view.case.items.get(item.slug) for item in stops}
        return [
            cls(
                definition=ItemDefinition(
                    source=item, policy=view.policy, book=view.book, connected=view.desk.connected
                ),
                recorded_at=Time(there.finished_at) if (there := found[item.slug]) and there.finished_at else None,
                reference=there.reference if there else None,
            )
            for item in stops
        ]


@strawberry.type(
    description="材料: a paper that was handed in; without a file of ours, sha256 and what follows is null."
)
class Material:
    type: str = strawberry.field(description="材料代码, or the kind of a certificate.")
    type_name: str = strawberry.field(description="材料名称.")
    name: str | None = strawberry.field(default=None, description="文件名, as it was told with the form.")
    file: str | None = strawberry.field(default=None, description="文件摘要, of a file that lies elsewhere.")
    sha256: str | None = strawberry.field(default=None, description="文件的SHA-256.")
    size: int | None = strawberry.field(default=None, description="文件大小（字节）.")
    content_type: str | None = strawberry.field(default=None, description="文件类型, told by its content.")
    status: MaterialStatus | None = strawberry.field(default=None, description="病毒扫描情况.")
    added_at: Time | None = strawberry.field(default=None, description="提交时间.")
    url: str | None = strawberry.field(
        default=None, description="下载地址, to be fetched with the token; null: not yours to open, or not to be had."
    )

    @classmethod
    def all(cls, view: View) -> list[Material]:
        told = view.case.form.materials if view.case.form else ()
        named = partial(material_name, view.book, view.policy)
        return [*(cls._file(one, named(one.kind)) for one in view.case.materials.values())] + [
            cls(type=paper.type, type_name=named(paper.type), name=paper.name, file=paper.file)
            for paper in told
            if paper.upload is None
        ]

    @classmethod
    def _file(cls, found: AttachedMaterial, name: str) -> Material:
        served = found.upload and found.status in (MaterialStatus.CLEAN, MaterialStatus.NOT_SCANNED)
        return cls(
            type=found.kind,
            type_name=name,
            sha256=found.sha256 or None,
            size=found.size,
            content_type=found.content_type,
            status=found.status,
            added_at=Time(found.at),
            url=f"/materials/{found.id}" if served else None,
        )


@strawberry.type(description="治丧信息 (HZ-821, HZ-906): what family and staff need to know of the funeral.")
class FuneralInformation:
    funeral_home: str | None = strawberry.field(description="殡仪馆.")
    booked_at: str | None = strawberry.field(description="预约时间, as the funeral home gave it.")
    vehicle: str | None = strawberry.field(description="接运车辆.")
    pickup_address: str | None = strawberry.field(description="遗体接运地址.")
    ashes_placement: str | None = strawberry.field(description="骨灰安放方式.")
    ashes_place: str | None = strawberry.field(description="骨灰安放地点.")
    position: str | None = strawberry.field(
        description="定位 (HZ-823): a geo URI (RFC 5870) that opens navigation, e.g. geo:30.8672,120.0933."
    )


@strawberry.type(description="加入申请 (PD-07): a second relative asks to join the case.")
class JoinRequest:
    id: strawberry.ID = strawberry.field(description="申请编号.")
    name: str = strawberry.field(description="姓名.")
    relation: Relation | None = strawberry.field(description="与逝者关系.")
    phone: str | None = strawberry.field(description="联系电话.")
    asked_at: Time = strawberry.field(description="申请时间.")
    accepted: bool | None = strawberry.field(description="是否同意; null: not answered yet.")

    @classmethod
    def of(cls, join: Join) -> JoinRequest:
        return cls(
            id=strawberry.ID(join.id),
            name=join.name,
            relation=Relation(join.relation) if join.relation else None,
            phone=join.phone,
            asked_at=Time(join.at),
            accepted=join.accepted,
        )
