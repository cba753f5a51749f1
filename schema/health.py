"""What the repair sweep found last, for administrators."""

from __future__ import annotations

import strawberry

from gateway.domain.findings import FindingCode, Standing, meaning
from gateway.services import health
from schema.context import Info
from schema.enums import Language, published
from schema.scalars import Time

published("FindingCode")(FindingCode)
published("FindingStanding")(Standing)


@strawberry.type(description="检查发现: how many of one code stand in one way.")
class FindingCount:
    code: FindingCode = strawberry.field(description="发现代码.")
    standing: Standing = strawberry.field(description="处置情况.")
    count: int = strawberry.field(description="数量.")
    since: Time = strawberry.field(description="最早发现时间.")

    @strawberry.field(description="代码的含义.")
    def meaning(self, language: Language = Language.ZH) -> str:
        return meaning(self.code)[0 if language is Language.ZH else 1]


@strawberry.type(description="体检: what the repair sweep found, and when it last came to the end of all cases.")
class Health:
    began_at: Time | None = strawberry.field(description="本轮开始时间.")
    finished_at: Time | None = strawberry.field(description="上一轮完成时间; null: not once yet.")
    findings: list[FindingCount] = strawberry.field(description="发现, healed ones of the last 30 days included.")


@strawberry.type
class HealthQueries:
    @strawberry.field(description="体检: findings of the repair sweep by code, without anything of a person.")
    async def health(self, info: Info) -> Health:
        desk = info.context.desk
        found = await desk.look(info.context.known_viewer(), health.health)
        return Health(
            began_at=Time(found.began_at) if found.began_at else None,
            finished_at=Time(found.finished_at) if found.finished_at else None,
            findings=[
                FindingCount(
                    code=one.code,
                    standing=one.standing,
                    count=one.count,
                    since=Time(one.since),
                )
                for one in found.findings
            ],
        )
