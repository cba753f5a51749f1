"""A province's shared e-certificate library (共享电子证照库): JSON over HTTP, every question signed with HMAC-SM3.

It holds identity data and papers, one record per person, whose ID number is the key at the counter.  Some invented
persons are in it from the start; more are put in there:

    … clerk e-certificate-library add 530102197511204632 --set name=马文俊 --set nation=03 --set address=昆明市…
    … clerk e-certificate-library license 530102197511204632 --set type=DZZZ0303 --set cremationArea=530102
    … clerk e-certificate-library revoke 530102197511204632 --set number=ZZ530102000001
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from mocks.kit.office import CHINA, Application, Office
from mocks.kit.server import Department, Failing

APPS = {"53YJS": b"demo"}
PURPOSES = ("SHYJS",)
MOST = 100
WRONG_SIGNATURE = (10001, "签名错误")
UNKNOWN_APP = (10002, "应用未授权")
MALFORMED = (10003, "参数错误")
TOO_MANY = (10004, "单次匹配不得超过100人")
UNKNOWN_PURPOSE = (10005, "用证事由未登记")
SYSTEM_ERROR = (50000, "系统异常")
STATUSES = ("NORMAL", "EXPIRED", "LOST", "REVOKED")
FACE = ("deathTime", "deathArea", "cremationArea")
ID_CARD, BOOKLET, MARRIAGE, LICENCE = "DZZZ0101", "DZZZ0102", "DZZZ0201", "DZZZ0901"
DEATH_MEDICAL, CREMATION = "DZZZ0301", "DZZZ0303"
ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


def paper(kind: str, number: str, issued: str, issuer: str, status: str = "NORMAL", **face: str) -> dict[str, Any]:
    return {
        "typeCode": kind,
        "licenseNo": number,
        "issueTime": issued,
        "issuer": issuer,
        "status": status,
        "surface": face,
    }


def identity(number: str, town: str, status: str = "NORMAL") -> list[dict[str, Any]]:
    issuer = f"{town}公安局"
    return [
        paper(ID_CARD, number, "2015-03-02T00:00:00+08:00", issuer, status),
        paper(BOOKLET, f"H{number[:6]}{number[-6:]}", "2008-06-11T00:00:00+08:00", issuer),
    ]


SEED: dict[str, tuple[str, str, str, list[dict[str, Any]]]] = {
    "530402195509099420": (
        "杨桂芳",
        "01",
        "云南省玉溪市红塔区玉带街道玉湖社区12号",
        [
            *identity("530402195509099420", "玉溪市红塔区"),
            paper(MARRIAGE, "J530402-1979-0317", "1979-10-01T09:00:00+08:00", "玉溪市红塔区民政局"),
            paper(LICENCE, "530400021877", "2009-04-20T09:00:00+08:00", "玉溪市公安局交通警察支队"),
        ],
    ),
    "530402198102149338": (
        "杨志强",
        "01",
        "云南省玉溪市红塔区玉带街道玉湖社区12号",
        identity("530402198102149338", "玉溪市红塔区"),
    ),
    "532525193905073057": (
        "普玉林",
        "07",
        "云南省红河哈尼族彝族自治州石屏县异龙镇李家寨8号",
        identity("532525193905073057", "石屏县", "EXPIRED")[:1],
    ),
    "530423196208181427": (
        "刀玉香",
        "18",
        "云南省玉溪市通海县秀山街道文献里31号",
        [
            *identity("530423196208181427", "通海县"),
            paper(
                DEATH_MEDICAL,
                "YXZM530423202508120007",
                "2025-08-12T10:15:00+08:00",
                "通海县人民医院",
                deathTime="2025-08-12T04:40:00+08:00",
                deathArea="530423",
            ),
            paper(
                CREMATION,
                "HHZM530423202508140003",
                "2025-08-14T09:05:00+08:00",
                "通海县殡仪馆",
                cremationArea="530423",
            ),
        ],
    ),
    "530102194803122010": ("李春华", "14", "云南省昆明市五华区护国街道青云社区5号", []),
}


class Refused(Exception):
    """A question answered with an error code."""


class Register(Office):
    """One record per person.  A person nobody has added has an empty one, which is not kept."""

    def get(self, key: str) -> Application | None:
        found = super().get(key)
        if found is None and ID_NUMBER.fullmatch(key):
            return Application(key=key, item="", payload={"basic": {}, "licenses": []}, reference=key, state="done")
        return found


class ECertificateLibrary(Department):
    code = "e-certificate-library"
    title = "共享电子证照库"
    wire = "HTTP POST /elicense/v2/holders/match, JSON, HMAC-SM3 signature in the header; must be asked"
    items: ClassVar[dict[str, str]] = {"": "身份信息、电子证照"}

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self.office = Register(self.code, data)
        if not self.office.all():
            for number, (name, nation, address, papers) in SEED.items():
                person = self.office.get(number)
                assert person is not None
                said = {"name": name, "nation": nation, "address": address}
                person.payload = {"basic": _basic(number, said), "licenses": papers}
                self.office.save(person)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/elicense/v2/holders/match", self.match)]

    async def match(self, request: web.Request) -> web.Response:
        data: dict[str, Any] | None = None
        try:
            await self.called("query")
            body = await request.read()
            _check(request, body)
            data = self.matched(json.loads(body))
            code, text = 0, "ok"
        except Failing:
            code, text = SYSTEM_ERROR
        except Refused as error:
            code, text = error.args[0]
        except (ValueError, KeyError, TypeError, AttributeError):
            code, text = MALFORMED
        else:
            self.answered()
        return web.json_response({"code": code, "msg": text, "data": data})

    def matched(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["purpose"] not in PURPOSES:
            raise Refused(UNKNOWN_PURPOSE)
        if len(asked["holderCodes"]) > MOST:
            raise Refused(TOO_MANY)
        wanted = set(asked["licenseTypes"])
        holders = [
            {
                "holderCode": person.key,
                "basic": person.payload["basic"],
                "licenses": [each for each in person.payload["licenses"] if each["typeCode"] in wanted],
            }
            for person in self.office.find(asked["holderCodes"])
        ]
        return {"count": len(holders), "holders": holders}

    # ── what is put in ──────────────────────────────────────────────────────────────────────────────────────

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """``add`` a person, a ``license`` of theirs, ``revoke`` a licence (or ``status=EXPIRED``, ``LOST``)."""
        said = {name: value for name, value in options.items() if isinstance(value, str)}
        if action == "add":
            application.payload["basic"] = _basic(application.key, said)
        elif action == "license":
            application.payload["basic"] = application.payload["basic"] or _basic(application.key, said)
            application.payload["licenses"].append(
                paper(
                    said.get("type", DEATH_MEDICAL),
                    said.get("number") or f"ZZ{application.key[:6]}{len(application.payload['licenses']) + 1:06d}",
                    said.get("issued_at") or datetime.now(CHINA).isoformat(timespec="seconds"),
                    said.get("issuer", "签发机关"),
                    **{name: said[name] for name in FACE if name in said},
                )
            )
        elif action == "revoke":
            status = said.get("status", "REVOKED")
            if status not in STATUSES:
                raise ValueError(f"no such status: {status}")
            for each in application.payload["licenses"]:
                if each["licenseNo"] == said.get("number"):
                    each["status"] = status
        else:
            raise ValueError(f"no such act: {action}")
        self.office.save(application)

    def step(self) -> None:
        """Nobody works here; what is put in is there."""


def _basic(number: str, said: dict[str, str]) -> dict[str, str]:
    return {
        "name": said.get("name", ""),
        "genderCode": said.get("sex") or str(2 - int(number[16]) % 2),
        "birthDate": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "nationCode": said.get("nation", "01"),
        "domicileCode": said.get("area") or number[:6],
        "domicileAddress": said.get("address", ""),
    }


def _check(request: web.Request, body: bytes) -> None:
    app, stamp, nonce, sign = (
        request.headers.get(f"X-{name}", "") for name in ("App-Id", "Timestamp", "Nonce", "Sign")
    )
    if app not in APPS:
        raise Refused(UNKNOWN_APP)
    signer = HMAC(APPS[app], hashes.SM3())
    signer.update(f"{app}\n{stamp}\n{nonce}\n".encode() + body)
    if not nonce or not hmac.compare_digest(sign, base64.b64encode(signer.finalize()).decode()):
        raise Refused(WRONG_SIGNATURE)


DEPARTMENT = ECertificateLibrary
