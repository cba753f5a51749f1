"""Files hang on a case: who may attach what, who may open it, and what everybody else is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from gateway.domain.form import MaterialForm
from gateway.domain.materials import MaterialStatus
from gateway.domain.messages import Refused
from gateway.policy.book import PolicyBook
from gateway.services import materials, repair
from gateway.store import tables as t
from gateway.store import uploads
from gateway.store.cases import Actor
from gateway.store.session import Database
from gateway.store.uploads import PART, Content
from gateway.worker.scanning import Scanning
from tests.builders import DUTY, World, book, hz_form
from tests.uploading import CLAIMS, FILES, PDF, Stand, code
from tests.uxin import CLERK, FOUR, connected, policy, ws_form

PAPERS = ["DEATH_CERTIFICATE", "APPLICANT_ID_CARD"]
OPENS: dict[str, list[str]] = {
    "family": PAPERS,
    "window-clerk": PAPERS,
    "civil-affairs-assistant": PAPERS,
    "duty-person": PAPERS,
    "specialist": ["DEATH_CERTIFICATE"],
    "police": ["DEATH_CERTIFICATE"],
}
"""Who may open which of the two papers; the police need the certificate for their item, and no ID card."""
SEES = {**OPENS, "supervisor": PAPERS, "support": PAPERS, "administrator": PAPERS}
"""Who sees that they are there."""


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    return Stand(tmp_path_factory.mktemp("materials"))


@pytest.fixture(scope="module")
def number(stand: Stand) -> str:
    return stand.filed()


@pytest.fixture(scope="module")
async def urls(stand: Stand, number: str) -> dict[str, str]:
    return {kind: await stand.handed_in(number, PDF + kind.encode(), kind) for kind in PAPERS}


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-15", "HZ-816")
@pytest.mark.parametrize("who", CLAIMS)
@pytest.mark.parametrize("kind", PAPERS)
async def test_who_opens_which_paper(stand: Stand, number: str, urls: dict[str, str], who: str, kind: str) -> None:
    answer = await stand.fetch(urls[kind], who)
    seen = {one["type"]: one for one in await stand.files(number, who)}
    assert (kind in seen) == (kind in SEES.get(who, ()))
    if kind in OPENS.get(who, ()):
        assert (answer.status_code, answer.content) == (200, PDF + kind.encode())
        assert seen[kind]["url"] == urls[kind]
    else:
        nothing = await stand.fetch("/materials/" + "x" * 32, who)
        assert (answer.status_code, answer.content) == (nothing.status_code, nothing.content)
        assert (answer.status_code, code(answer)) == (404, "MATERIAL_NOT_FOUND")
        assert seen.get(kind, {}).get("url") is None and seen.get(kind, {}).get("sha256") is None


async def test_without_a_token_nothing_is_told(stand: Stand, urls: dict[str, str]) -> None:
    answer = await stand.fetch(urls["DEATH_CERTIFICATE"], None)
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")


async def test_papers_that_are_only_named_follow_the_same_table(stand: Stand, number: str) -> None:
    query = "query($n: String!) { case(number: $n) { materials { type name file size } } }"

    async def told(who: str) -> list[tuple[str, str | None]]:
        found = (await stand.ask(who, query, n=number))["case"]["materials"]
        return [(one["type"], one["name"]) for one in found if one["size"] is None]

    assert await told("family") == [(kind, f"{kind}.pdf") for kind in FOUR]
    assert await told("police") == [("DEATH_CERTIFICATE", "DEATH_CERTIFICATE.pdf")]
    assert await told("support") == [(kind, None) for kind in FOUR], "file names are personal"


@pytest.mark.parametrize(
    "id", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "x\x00", "x" * 400, "沈福根", "%00", "' OR 1=1 --"]
)
async def test_an_address_that_is_none_finds_nothing(stand: Stand, id: str) -> None:
    answer = await stand.send("GET", "/materials/" + id.replace("\x00", "%00"), "family")
    assert answer.status_code == 404 and "passwd" not in answer.text


async def test_a_file_is_served_so_that_no_browser_runs_it(stand: Stand, urls: dict[str, str]) -> None:
    headers = (await stand.fetch(urls["DEATH_CERTIFICATE"])).headers
    assert headers["content-type"] == "application/pdf"
    assert headers["content-disposition"] == 'attachment; filename="material.pdf"'
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["shenhou-scan"] == "NOT_SCANNED", "whoever opens it is warned"


# ── attaching ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("WS-403")
@pytest.mark.parametrize("kind", FILES)
async def test_a_file_comes_back_as_it_was_handed_in(tmp_path: Path, kind: str) -> None:
    stand = Stand(tmp_path)
    number, content = stand.filed(), FILES[kind]
    assert (await stand.attach(number, await stand.uploaded(content, kind)))["userErrors"] == []
    [found] = await stand.files(number)
    assert (found["size"], found["contentType"]) == (len(content), kind)
    assert found["sha256"] == hashlib.sha256(content).hexdigest() and found["typeName"] == "居民死亡医学证明（推断）书"
    answer = await stand.fetch(found["url"])
    assert answer.content == content and answer.headers["content-type"] == kind


async def test_a_file_of_many_parts_comes_back_whole(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    content = PDF + b"".join(number.to_bytes(4, "big") for number in range(9 * PART // 4)) + b"end"
    answer = await stand.fetch(await stand.handed_in(stand.filed(), content))
    assert answer.content == content and int(answer.headers["content-length"]) == len(content)


@pytest.mark.rule("WS-505", "YY-504")
async def test_a_department_hands_in_what_its_items_issue_and_nothing_else(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    number = stand.filed()
    upload = await stand.uploaded(who="police")
    assert (await stand.attach(number, upload, "DEREGISTRATION", "police"))["userErrors"] == []
    [found] = await stand.files(number)
    assert found["typeName"] == "户口注销证明"
    [error] = (await stand.attach(number, upload, "APPLICANT_ID_CARD", "police"))["userErrors"]
    assert (error["code"], error["path"]) == ("OPTION_UNKNOWN", ["type"])
    [error] = (await stand.attach(number, await stand.uploaded(), "DEREGISTRATION"))["userErrors"]
    assert error["code"] == "OPTION_UNKNOWN", "the family is not asked for it"
    [error] = (await stand.attach(number, await stand.uploaded(who="social security"), who="social security"))[
        "userErrors"
    ]
    assert error["code"] == "CASE_NOT_FOUND", "nothing was pushed to them yet"


async def test_where_no_paper_is_stated_who_hands_one_in_is_told_that_none_is_needed(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    number = stand.world.submit(hz_form(), actor=DUTY).number
    [error] = (await stand.attach(number, await stand.uploaded(who="at Huzhou"), "ID_CARD", "at Huzhou"))["userErrors"]
    assert (error["code"], error["path"]) == ("MATERIAL_NOT_ASKED", ["type"])
    assert error["message"].startswith("The rules of this place ask for no paper here")


async def test_what_somebody_else_uploaded_cannot_be_attached(stand: Stand, number: str) -> None:
    for who in ("another family", "window-clerk"):
        [error] = (await stand.attach(number, await stand.uploaded(PDF + b"other", who=who)))["userErrors"]
        assert (error["code"], error["path"]) == ("UPLOAD_NOT_FOUND", ["upload"])
    [error] = (await stand.attach(number, "沈" * 40))["userErrors"]
    assert error["code"] == "UPLOAD_NOT_FOUND"


@pytest.mark.rule("PD-15")
async def test_to_a_case_that_is_not_ones_own_nothing_is_attached(stand: Stand, number: str) -> None:
    for who in ("another family", "elsewhere"):
        upload = await stand.uploaded(PDF + b"mine", who=who)
        [error] = (await stand.attach(number, upload, who=who))["userErrors"]
        [other] = (await stand.attach("WS0", upload, who=who))["userErrors"]
        assert error["code"] == other["code"] == "CASE_NOT_FOUND"


async def test_one_file_may_be_two_papers_and_the_same_paper_once(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    number, upload = stand.filed(), await stand.uploaded()
    for kind in (*PAPERS, *PAPERS):
        assert (await stand.attach(number, upload, kind))["userErrors"] == []
    found = await stand.files(number)
    assert [one["type"] for one in found] == PAPERS and len({one["url"] for one in found}) == 2
    with stand.app.desk.database.read() as tx:
        assert tx.connection.execute(select(func.count()).select_from(t.upload_parts)).scalar_one() == 1


@pytest.mark.rule("WS-204", "WS-403")
async def test_files_are_handed_in_with_the_form(tmp_path: Path) -> None:
    """What the rules ask for is there when its file was uploaded here; what was not uploaded is told."""
    stand = Stand(tmp_path)
    files = {kind: await stand.uploaded(PDF + kind.encode(), who="window-clerk") for kind in FOUR}
    clerk = replace(CLERK, subject=await subject(stand, files[FOUR[0]]))
    form = ws_form(materials=tuple(MaterialForm(kind, upload=files[kind]) for kind in FOUR))
    wrong = replace(form, materials=(*form.materials[:3], MaterialForm(FOUR[3], file="x", upload="no-such-file")))
    with pytest.raises(Refused) as refused:
        stand.world.submit(wrong, actor=clerk)
    assert [problem.reason.code for problem in refused.value.problems] == ["UPLOAD_NOT_FOUND"]
    number = stand.world.submit(form, actor=clerk).number
    again = stand.world.submit(form, actor=clerk)
    assert again.number == number and len(again.materials) == 4, "sent again it is the same submission"
    found = await stand.files(number)
    assert [one["type"] for one in found] == list(FOUR)
    assert (await stand.fetch(found[1]["url"])).content == PDF + FOUR[1].encode()


async def subject(stand: Stand, upload: str) -> str:
    with stand.app.desk.database.read() as tx:
        found = uploads.get(tx, upload)
    assert found is not None
    return found.owner


async def test_what_the_policy_says_of_a_papers_file_holds(database: Database) -> None:
    papers = [
        paper.model_copy(update={"accepts": ["png"], "max_bytes": 10}) if paper.code == "DEATH_CERTIFICATE" else paper
        for paper in policy().materials
    ]
    changed = policy().model_copy(update={"materials": papers})
    others = [one for one in book().jurisdictions if one.code != "ws"]
    world = connected(database, PolicyBook((*others, changed), book().catalogue, book().calendars))
    number = world.submit(ws_form(), actor=CLERK).number
    upload = put(world)
    with pytest.raises(Refused) as refused, world.acting(CLERK) as ctx:
        materials.attach(ctx, number, "DEATH_CERTIFICATE", upload)
    assert [(one.reason.code, one.reason.ids) for one in refused.value.problems] == [
        ("UPLOAD_TYPE_NOT_ALLOWED", ("WS-401",)),
        ("UPLOAD_TOO_LARGE", ("WS-401",)),
    ]
    with world.acting(CLERK) as ctx:
        assert len(materials.attach(ctx, number, "APPLICANT_ID_CARD", upload).materials) == 1


# ── the store ───────────────────────────────────────────────────────────────────────────────────────────

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def put(world: World, plain: bytes = PDF, at: datetime = NOW, actor: Actor = CLERK, whole: bool = True) -> str:
    """A file, without HTTP; ``whole`` False: its sender is still sending."""
    with world.acting(actor) as ctx:
        id = materials.begin(ctx, at, 50)
        materials.add(ctx, id, 0, [uploads.sealed(ctx.tx.seal, id, 0, plain)])
        if whole:
            content = Content(hashlib.sha256(plain).hexdigest(), len(plain), "application/pdf")
            materials.finish(ctx, id, content, 1, MaterialStatus.CLEAN)
    return id


def there(world: World, id: str) -> bytes | None:
    with world.database.read() as tx:
        return uploads.part(tx, id, 0)


def sweep(world: World, at: datetime) -> int:
    with world.acting() as ctx:
        return materials.sweep(ctx, at, 86_400)


@pytest.mark.databases
def test_what_is_not_whole_is_never_attached_and_swept_away(database: Database) -> None:
    """As after the power failed in the middle of an upload."""
    world = connected(database)
    number, half = world.submit(ws_form(), actor=CLERK).number, put(world, whole=False)
    with pytest.raises(Refused) as refused, world.acting(CLERK) as ctx:
        materials.attach(ctx, number, "DEATH_CERTIFICATE", half)
    assert refused.value.problems[0].reason.code == "UPLOAD_NOT_FOUND"
    assert sweep(world, NOW + timedelta(minutes=59)) == 0 and there(world, half) is not None
    assert sweep(world, NOW + timedelta(minutes=61)) == 1 and there(world, half) is None
    for call in (
        partial(materials.add, id=half, first=1, parts=[b"x"]),
        partial(materials.finish, id=half, content=Content("", 1, ""), parts=2, status=MaterialStatus.CLEAN),
    ):
        with pytest.raises(Refused), world.acting(CLERK) as ctx:
            call(ctx)


@pytest.mark.databases
def test_what_no_case_names_is_swept_away_after_a_day_and_what_one_names_stays(database: Database) -> None:
    world = connected(database)
    number, loose, named = world.submit(ws_form(), actor=CLERK).number, put(world), put(world, PDF + b"2")
    with world.acting(CLERK) as ctx:
        materials.attach(ctx, number, "DEATH_CERTIFICATE", named)
    assert sweep(world, NOW + timedelta(hours=23)) == 0
    assert sweep(world, NOW + timedelta(hours=25)) == 1
    assert there(world, loose) is None and there(world, named) == PDF + b"2"


@pytest.mark.databases
def test_a_file_that_one_gateway_took_is_attached_and_opened_at_another(database: Database) -> None:
    world = connected(database)
    number, upload = world.submit(ws_form(), actor=CLERK).number, put(world)
    other = connected(Database(database.url.render_as_string(hide_password=False), database.seal))
    with other.acting(CLERK) as ctx:
        materials.attach(ctx, number, "DEATH_CERTIFICATE", upload)
    assert there(other, upload) == PDF
    other.database.dispose()
    connected(database)  # whose case is looked through at the end


@pytest.mark.databases
def test_the_sweep_never_takes_what_is_attached_at_the_same_moment(database: Database) -> None:
    world = connected(database)
    number = world.submit(ws_form(), actor=CLERK).number
    old = [put(world, PDF + str(index).encode(), NOW - timedelta(days=3)) for index in range(12)]

    def attach(id: str) -> bool:
        try:
            with world.acting(CLERK) as ctx:
                materials.attach(ctx, number, "DEATH_CERTIFICATE", id)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        attached = list(pool.map(lambda id: (attach(id), sweep(world, NOW))[0], old))
    for id, is_there in zip(old, attached, strict=True):
        assert (there(world, id) is not None) == is_there
    assert {one.upload for one in world.case(number).materials.values()} == {
        id for id, is_there in zip(old, attached, strict=True) if is_there
    }


def lose(world: World, upload: str) -> None:
    with world.database.write() as tx:
        tx.connection.execute(t.upload_parts.delete().where(t.upload_parts.c.id == upload))


def lose_row(world: World, upload: str) -> None:
    with world.database.write() as tx:
        tx.connection.execute(t.uploads.delete().where(t.uploads.c.id == upload))


def forget(world: World, upload: str) -> None:
    with world.database.write() as tx:
        tx.connection.execute(t.materials.delete())


def misplace(world: World, upload: str) -> None:
    with world.database.write() as tx:
        tx.connection.execute(update(t.materials).values(number="WS1"))


class Idle:
    def why_dead(self, tx: Any, subject: Any) -> str | None:
        return None


@pytest.mark.parametrize(
    "harm, code, standing",
    [
        pytest.param(lose, "FILE_MISSING", "PERSON", marks=pytest.mark.tampers),
        pytest.param(lose_row, "FILE_MISSING", "PERSON", marks=pytest.mark.tampers),
        (forget, "ROWS_DIFFER", "HEALED"),
        (misplace, "ROWS_DIFFER", "HEALED"),
    ],
)
def test_a_file_that_is_gone_and_rows_that_differ_are_found(
    database: Database, harm: Callable[[World, str], None], code: str, standing: str
) -> None:
    world = connected(database)
    number, upload = world.submit(ws_form(), actor=CLERK).number, put(world)
    with world.acting(CLERK) as ctx:
        materials.attach(ctx, number, "DEATH_CERTIFICATE", upload)
        assert repair.examine(ctx, number, Idle()) == []
    harm(world, upload)
    with world.acting() as ctx:
        [finding] = repair.examine(ctx, number, Idle(), heal=True)
        assert (finding.code, finding.standing) == (code, standing)
        left = [found.code for found in repair.examine(ctx, number, Idle())]
    assert left == (["FILE_MISSING"] if standing == "PERSON" else [])


async def test_the_sweep_of_a_gateway_leaves_fresh_files(stand: Stand) -> None:
    upload = await stand.uploaded(PDF + b"fresh")
    scanning = Scanning(stand.app.desk, stand.app.outward.engine, stand.app.settings.uploads, None)
    assert await scanning.sweep() == 0 and there(stand.world, upload) is not None


async def test_the_timeline_says_who_handed_what_in(tmp_path: Path) -> None:
    stand = Stand(tmp_path)
    number = stand.filed()
    await stand.handed_in(number)
    query = "query($n: String!) { case(number: $n) { timeline { nodes { type title actor details { name value } } } } }"
    found = (await stand.ask("window-clerk", query, n=number))["case"]["timeline"]["nodes"]
    [told] = [one for one in found if one["type"] == "material.attached"]
    assert (told["title"], told["actor"]) == ("提交材料文件", "家属")
    assert {"name": "material", "value": "居民死亡医学证明（推断）书"} in told["details"]
    assert stand.world.all_faults() == []
