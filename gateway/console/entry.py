"""The QR code that leads straight into the application, for a poster, a leaflet, a window (HZ-202, HZ-1005).

Which ways in have one is policy; the address behind it is the deployment's own portal.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from urllib.parse import quote

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.routes import HEADERS
from gateway.domain.messages import Code, refuse
from gateway.policy.book import PolicyBook
from gateway.policy.model import Channel, Jurisdiction
from gateway.web import told

ERROR_LEVEL = "m"
"""15 % of the code may be dirty or torn off."""


def routes(book: PolicyBook, portal_url: str, today: Callable[[], date]) -> list[BaseRoute]:
    """``/entry/{jurisdiction}/{channel}``: the code as SVG.  404 where there is none, or no portal is set."""

    async def entry(request: Request) -> Response:
        policy = book.in_force(request.path_params["jurisdiction"], today())
        channel = channel_with_code(policy, request.path_params["channel"]) if policy is not None else None
        if policy is None or channel is None or not portal_url:
            words = {"detail": "没有该入口的二维码", "detail_en": "there is no QR code for this way in"}
            raise refuse(Code.NOT_SERVED, None, **words)
        code = svg(address(portal_url, policy, channel), f"{policy.name} {channel.name}")
        return Response(code, media_type="image/svg+xml", headers=HEADERS)

    return [Route("/entry/{jurisdiction}/{channel}", told(entry, {Code.NOT_SERVED: 404}))]


def channel_with_code(policy: Jurisdiction, code: str) -> Channel | None:
    return next((channel for channel in policy.channels if channel.code == code and channel.qr is not None), None)


def address(portal_url: str, policy: Jurisdiction, channel: Channel) -> str:
    """The page of the portal where the application of this place begins; nothing personal stands in it."""
    words = {"jurisdiction": policy.code, "channel": channel.code}
    for name, value in words.items():
        portal_url = portal_url.replace("{" + name + "}", quote(value, safe=""))
    return portal_url


def svg(text: str, title: str) -> bytes:
    """One QR code, four modules of white around it, with its address in words for those who cannot scan."""
    out = io.BytesIO()
    segno.make_qr(text, error=ERROR_LEVEL).save(
        out, kind="svg", scale=8, border=4, title=title, desc=text, light="#fff"
    )
    return out.getvalue()
