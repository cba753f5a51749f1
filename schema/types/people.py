"""The people and the death: 逝者, 申请人, 账户."""

from __future__ import annotations

from datetime import date
from typing import Self

import strawberry
from strawberry import relay

from gateway.domain.form import AccountForm, DeathForm, PersonForm
from gateway.policy.book import PolicyBook
from schema.context import Info
from schema.enums import AccountKind, Capacity, Flow, IdKind, Relation, Sex
from schema.scalars import AreaCode, Time
from schema.view import View


def area_name(view: View, code: str | None) -> str | None:
    """Name of an area of the case's jurisdiction; None for one outside it."""
    return next((area.name for area in view.policy.areas if area.code == code), None) if code else None


@strawberry.federation.type(
    keys=["id"],
    description="逝者: the deceased of a case.  What the viewer may not see is null or masked with `*`.",
)
class Deceased(relay.Node):
    number: relay.NodeID[str]
    view: strawberry.Private[View]

    @classmethod
    async def resolve_nodes(cls, *, info: Info, node_ids, required=False):  # type: ignore[no-untyped-def]
        views = await views_of(info, list(node_ids))
        return [cls(number=view.case.number, view=view) if view else None for view in views]

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Deceased | None:
        """Federation: the deceased by global id."""
        return await reference(info, cls, id)

    @strawberry.field(description="姓名; null: unidentified (HZ-104).")
    def name(self) -> str | None:
        return self.view.case.deceased.name

    @strawberry.field(description="身份是否已确认.")
    def identified(self) -> bool:
        return self.view.case.deceased.identified

    @strawberry.field(description="证件类型.")
    def id_kind(self) -> IdKind:
        return self.view.case.deceased.id_kind

    @strawberry.field(description="证件号码, masked or null according to the viewer's rights.")
    def id_number(self) -> str | None:
        return self.view.case.deceased.id_number

    @strawberry.field(description="性别.")
    def sex(self) -> Sex:
        return Sex(self.view.case.deceased.sex)

    @strawberry.field(description="出生日期.")
    def birth_date(self) -> date | None:
        return self.view.case.deceased.birth_date

    @strawberry.field(description="民族.")
    def ethnicity(self) -> str | None:
        return self.view.case.deceased.ethnicity

    @strawberry.field(description="户籍所在地代码.")
    def hukou_area(self) -> AreaCode | None:
        code = self.view.case.deceased.hukou_area
        return AreaCode(code) if code else None

    @strawberry.field(description="户籍所在地名称.")
    def hukou_area_name(self) -> str | None:
        return area_name(self.view, self.view.case.deceased.hukou_area)

    @strawberry.field(description="所属派出所 (YY-304).")
    def police_station(self) -> str | None:
        return self.view.case.deceased.police_station

    @strawberry.field(description="户籍地址.")
    def hukou_address(self) -> str | None:
        return self.view.case.deceased.hukou_address


@strawberry.type(description="亡故信息.")
class Death:
    flow: Flow = strawberry.field(description="死亡情形.")
    occurred_at: Time | None = strawberry.field(description="死亡时间.")
    area: AreaCode | None = strawberry.field(description="死亡地点行政区划代码.")
    area_name: str | None = strawberry.field(description="死亡地点行政区划名称.")
    place: str | None = strawberry.field(description="死亡地点.")
    cause: str | None = strawberry.field(description="死亡原因; null when the viewer may not see it.")
    cause_kind: str | None = strawberry.field(description="非正常死亡原因类别代码.")

    @classmethod
    def of(cls, view: View, death: DeathForm) -> Death:
        return cls(
            flow=Flow(view.case.flow),
            occurred_at=Time(death.occurred_at) if death.occurred_at else None,
            area=AreaCode(death.area) if death.area else None,
            area_name=area_name(view, death.area),
            place=death.place,
            cause=death.cause,
            cause_kind=death.cause_kind,
        )


@strawberry.type(description="申请人: who applied; not necessarily who is paid.")
class Applicant:
    name: str | None = strawberry.field(description="姓名.")
    id_kind: IdKind = strawberry.field(description="证件类型.")
    id_number: str | None = strawberry.field(description="证件号码, masked or null according to the viewer's rights.")
    phone: str | None = strawberry.field(description="联系电话.")
    relation: Relation | None = strawberry.field(description="与逝者关系.")
    relation_name: str | None = strawberry.field(description="与逝者关系名称.")
    address: str | None = strawberry.field(description="联系地址.")
    sex: Sex | None = strawberry.field(description="性别 (YY-306).")
    capacity: Capacity | None = strawberry.field(description="法律身份.")

    @classmethod
    def of(cls, book: PolicyBook, person: PersonForm | None) -> Self | None:
        if person is None:
            return None
        return cls(
            name=person.name,
            id_kind=person.id_kind,
            id_number=person.id_number,
            phone=person.phone,
            relation=Relation(person.relation) if person.relation else None,
            relation_name=book.word("relations", person.relation).name if person.relation else None,
            address=person.address,
            sex=Sex(person.sex) if person.sex else None,
            capacity=Capacity(person.capacity) if person.capacity else None,
        )


@strawberry.type(description="领取人: who is paid, where the jurisdiction names a person of its own for that.")
class Payee(Applicant):
    pass


@strawberry.type(description="收款账户.")
class Account:
    kind: AccountKind | None = strawberry.field(description="账户归属.")
    holder: str | None = strawberry.field(description="户名.")
    number: str | None = strawberry.field(description="账号, masked or null according to the viewer's rights.")
    bank: str | None = strawberry.field(description="开户银行.")
    branch: str | None = strawberry.field(description="支行.")
    fallback_reason: str | None = strawberry.field(description="使用申请人账户的特殊原因.")

    @classmethod
    def of(cls, account: AccountForm | None) -> Account | None:
        if account is None:
            return None
        return cls(
            kind=AccountKind(account.kind) if account.kind else None,
            holder=account.holder,
            number=account.number,
            bank=account.bank,
            branch=account.branch,
            fallback_reason=account.fallback_reason,
        )


async def views_of(info: Info, numbers: list[str]) -> list[View | None]:
    """The viewer's views of these cases, in order."""
    found = await info.context.case_loader.load_many(numbers)
    return [View.of(info.context.desk, case) if case is not None else None for case in found]


async def reference(info: Info, kind: type, global_id: str):  # type: ignore[no-untyped-def]
    """One object by its global id, for federation; None when it is not there or not the viewer's."""
    try:
        parsed = relay.GlobalID.from_id(global_id)
    except relay.GlobalIDValueError:
        return None
    if parsed.type_name != kind.__name__:
        return None
    return (await kind.resolve_nodes(info=info, node_ids=[parsed.node_id]))[0]  # type: ignore[attr-defined]
