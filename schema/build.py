"""Puts the schema together."""

from __future__ import annotations

from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.federation import Schema
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from gateway.access.rights import forbid
from gateway.domain.messages import Code, refuse
from schema.context import Info
from schema.costs import PAGE, declare
from schema.guard import Gate, guard
from schema.inputs import MoveSandboxClockInput
from schema.measure import Limits
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


@strawberry.type(description="沙箱时钟的答复.")
class MoveSandboxClockPayload:
    now: Time = strawberry.field(description="系统时间.")


@strawberry.type(description="变更.")
class Mutation(Filing, Changing, Results, Sharing, Operating, Looking):
    @strawberry.mutation(description="移动沙箱时钟: only in development; deadlines are computed at the new time.")
    async def move_sandbox_clock(self, info: Info, input: MoveSandboxClockInput) -> MoveSandboxClockPayload:
        desk = info.context.desk
        if not desk.sandbox:
            raise forbid(desk.rights, info.context.known_viewer(), "moveSandboxClock")
        desk.clock.move_to(input.to)
        return MoveSandboxClockPayload(now=Time(desk.clock.now()))


class QuietSchema(Schema):
    """Errors are told, masked and logged at the HTTP edge; the library's own log quotes variables."""

    gate: Gate
    """Reads every document before it runs."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Every field says what it costs."""
        fields = super().get_fields(type_definition)
        declare(type_definition, fields)
        return fields

    def _get_custom_context_kwargs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Wrong variables are not answered with what might have been meant."""
        found = super()._get_custom_context_kwargs(*args, **kwargs)
        return {**found, "hide_suggestions": not self.gate.open_schema}

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        pass

    def entities_resolver(self, info: strawberry.Info, representations: list[FederationAny]) -> list[FederationAny]:
        """The library takes any representation for one of ours."""
        right = all(isinstance(one, dict) and one.get("__typename") in NODES for one in representations)
        if not right or len(representations) > PAGE:
            words = {"label": "representations", "path": "representations", "detail": f"应为{'、'.join(NODES)}"}
            words |= {"detail_en": f"at most {PAGE} of {', '.join(NODES)}"}
            words["detail"] += f"，至多{PAGE}个"
            raise refuse(Code.FIELD_INVALID, "representations", **words)
        return super().entities_resolver(info, representations)


@cache
def build(limits: Limits = Limits(), open_schema: bool = True) -> QuietSchema:  # noqa: B008
    """The one schema.  ``open_schema``: whether everybody may ask about the schema itself."""
    made = QuietSchema(
        query=Query,
        mutation=Mutation,
        types=[Case, DepartmentItem, Payout, Deceased],
        federation_version="2.9",
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    made.gate = Gate(made._schema, limits, open_schema)
    made.extensions = (guard(made.gate),)
    return made


def sdl() -> str:
    """The published schema as text; committed as ``schema/schema.graphql`` and reviewed like code."""
    return build().as_str() + "\n"
