"""Puts the schema together."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.federation import Schema
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from gateway.access.rights import forbid
from gateway.domain.messages import Code, refuse
from schema.context import Info
from schema.guard import RightsGuard, limits
from schema.inputs import MoveSandboxClockInput
from schema.mutations.changes import Changing
from schema.mutations.filing import Filing
from schema.mutations.looking import Looking
from schema.mutations.operating import Operating
from schema.mutations.results import Results
from schema.mutations.sharing import Sharing
from schema.queries import NODES, Query
from schema.scalars import SCALARS, Time
from schema.types.case import Case
from schema.types.item import DepartmentItem
from schema.types.payout import Payout
from schema.types.people import Deceased

CACHED_DOCUMENTS = 500
ENTITIES_AT_ONCE = 100


@strawberry.type(description="沙箱时钟的答复.")
class MoveSandboxClockPayload:
    now: Time = strawberry.field(description="系统时间.")


@strawberry.type(description="变更.")
class Mutation(Filing, Changing, Results, Sharing, Operating, Looking):
    @strawberry.mutation(description="移动沙箱时钟: only in development; deadlines are computed at the new time.")
    async def move_sandbox_clock(self, info: Info, input: MoveSandboxClockInput) -> MoveSandboxClockPayload:
        desk = info.context.desk
        if not desk.sandbox:
            raise forbid(desk.rights, "moveSandboxClock")
        desk.clock.move_to(input.to)
        return MoveSandboxClockPayload(now=Time(desk.clock.now()))


class QuietSchema(Schema):
    """Errors are told, masked and logged at the HTTP edge; the library's own log quotes variables."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        pass

    def entities_resolver(self, info: strawberry.Info, representations: list[FederationAny]) -> list[FederationAny]:
        """The library takes any representation for one of ours."""
        right = all(isinstance(one, dict) and one.get("__typename") in NODES for one in representations)
        if not right or len(representations) > ENTITIES_AT_ONCE:
            words = {"label": "representations", "path": "representations", "detail": f"应为{'、'.join(NODES)}"}
            words |= {"detail_en": f"at most {ENTITIES_AT_ONCE} of {', '.join(NODES)}"}
            words["detail"] += f"，至多{ENTITIES_AT_ONCE}个"
            raise refuse(Code.FIELD_INVALID, "representations", **words)
        return super().entities_resolver(info, representations)


@cache
def build(max_depth: int = 12, max_aliases: int = 30, max_tokens: int = 4000, max_cost: int = 100_000) -> Schema:
    """The one schema.  Rules are made here, once: a rule made per request would defeat the validation cache."""
    rule = limits(max_depth, max_aliases, max_cost)
    return QuietSchema(
        query=Query,
        mutation=Mutation,
        types=[Case, DepartmentItem, Payout, Deceased],
        federation_version="2.9",
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=False),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=max_tokens),
            lambda: AddValidationRules([rule]),
            lambda: ParserCache(maxsize=CACHED_DOCUMENTS),
            lambda: ValidationCache(maxsize=CACHED_DOCUMENTS),
            RightsGuard,
        ],
    )


def sdl() -> str:
    """The published schema as text; committed as ``schema/schema.graphql`` and reviewed like code."""
    return build().as_str() + "\n"
