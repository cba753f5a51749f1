"""Pages for people: nothing yet but the way in."""

from __future__ import annotations

from starlette.routing import BaseRoute

from gateway.desk import Desk


def routes(desk: Desk) -> list[BaseRoute]:
    return []
