"""Pages for people: ``/support`` for a family on the phone, ``/sandbox`` for frontend teams.

Static files only: the pages speak GraphQL with the token their user gives them, so they see what that user may see.
Nothing personal ever stands in an address, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.documents import STYLE

FOLDER = Path(__file__).with_name("static")
DOCUMENTS = tuple(FOLDER / f"{name}.graphql" for name in ("rights", "find", "case", "reveal", "incident"))
"""What the support page asks; it runs also where only registered documents do."""
HEADERS = {
    # A document opened from a page keeps the page's policy: its one style is allowed here as well.
    "Content-Security-Policy": f"default-src 'self'; style-src 'self' {STYLE}; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
}


class _Static(StaticFiles):
    """Static files with the pages' headers."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers.update(HEADERS)
        return answer


def routes(sandbox: bool = True) -> list[BaseRoute]:
    """The pages' routes.  ``sandbox``: whether the workbench is one of them."""

    async def page(request: Request) -> Response:
        name = request.url.path.strip("/")
        return FileResponse(FOLDER / f"{name}.html", headers=HEADERS)

    async def home(_: Request) -> Response:
        return RedirectResponse("/support", headers=HEADERS)

    return [
        Route("/", home),
        Route("/support", page),
        *([Route("/sandbox", page)] if sandbox else []),
        Mount("/static", _Static(directory=FOLDER)),
    ]
