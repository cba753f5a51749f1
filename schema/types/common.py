"""Types many nouns use: reasons, errors, certificates, pages."""

from __future__ import annotations

from collections.abc import Callable

import strawberry

from gateway.domain import messages as m
from gateway.domain.case import IssuedCertificate
from gateway.policy.book import PolicyBook
from schema.enums import Code, Language
from schema.scalars import RequirementId, Slug, Time


@strawberry.type(description="名称与取值: one named value.")
class NamedValue:
    name: str = strawberry.field(description="名称.")
    value: str = strawberry.field(description="取值.")


@strawberry.type(description="原因: a stable code, its text in Chinese or English, and the rules it rests on.")
class Reason:
    source: strawberry.Private[m.Reason]

    @strawberry.field(description="原因代码.")
    def code(self) -> Code:
        return self.source.code

    @strawberry.field(description="说明文字.")
    def message(self, language: Language = Language.ZH) -> str:
        return self.source.zh() if language is Language.ZH else self.source.en()

    @strawberry.field(description="依据的规则编号.")
    def requirement_ids(self) -> list[RequirementId]:
        return [RequirementId(row) for row in self.source.ids]


@strawberry.type(description="输入错误: what is wrong with an input, where, why, and by which rule.")
class UserError:
    source: strawberry.Private[m.Problem]

    @strawberry.field(description="错误代码.")
    def code(self) -> Code:
        return self.source.reason.code

    @strawberry.field(description="说明文字.")
    def message(self, language: Language = Language.ZH) -> str:
        return self.source.reason.zh() if language is Language.ZH else self.source.reason.en()

    @strawberry.field(
        description='出错的字段: path below `input`, e.g. ["deceased", "idNumber"]; null = the whole input.'
    )
    def path(self) -> list[str] | None:
        return self.source.path.split(".") if self.source.path else None

    @strawberry.field(description="依据的规则编号.")
    def requirement_ids(self) -> list[RequirementId]:
        return [RequirementId(row) for row in self.source.reason.ids]

    @strawberry.field(description="相关事实: values that fill the text, by name; never personal data.")
    def facts(self) -> list[NamedValue]:
        return [NamedValue(name=name, value=value) for name, value in self.source.reason.facts.items()]


@strawberry.type(description="部门: a department that handles items.")
class Department:
    code: Slug = strawberry.field(description="部门代号.")
    name: str = strawberry.field(description="部门名称.")
    name_en: str = strawberry.field(description="Name in English.")
    connected: bool = strawberry.field(
        description="是否已对接: whether its own system is connected; otherwise results are entered in the platform."
    )

    @classmethod
    def of(cls, book: PolicyBook, connected: frozenset[str], code: str) -> Department:
        word = book.word("departments", code)
        return cls(code=Slug(code), name=word.name, name_en=word.name_en, connected=code in connected)


@strawberry.type(description="电子证照: an electronic certificate shared on the platform.")
class Certificate:
    type: str = strawberry.field(description="证照类型代码, e.g. CREMATION; listed in `jurisdiction.certificateTypes`.")
    type_name: str = strawberry.field(description="证照名称.")
    number: str = strawberry.field(
        description="证照编号, masked as ID numbers are: that of the national death certificate is the ID number."
    )
    issuer: str | None = strawberry.field(description="出具机构.")
    issued_at: Time = strawberry.field(description="出具时间.")
    recorded_at: Time = strawberry.field(description="入库时间.")
    item: Slug | None = strawberry.field(description="由哪个事项出具.")
    sealing: strawberry.Private[Callable[[], str] | None] = None

    @strawberry.field(
        description="电子签章 (HZ-1001): the platform's seal on this certificate, a compact JWS for `checkSeal`. "
        "Null: no case's certificate, or its number is masked."
    )
    def seal(self) -> str | None:
        return self.sealing() if self.sealing else None

    @classmethod
    def of(cls, book: PolicyBook, found: IssuedCertificate, sealing: Callable[[], str] | None = None) -> Certificate:
        return cls(
            type=found.type,
            type_name=book.word("certificates", found.type).name,
            number=found.number,
            issuer=found.issuer,
            issued_at=Time(found.issued_at),
            recorded_at=Time(found.recorded_at),
            item=Slug(found.item) if found.item else None,
            sealing=sealing,
        )


def errors(*problems: m.Problem) -> list[UserError]:
    return [UserError(source=problem) for problem in problems]
