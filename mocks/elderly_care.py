"""The elderly-care system of a civil affairs bureau (养老服务): reached only through an exchange database (前置库).

Partners INSERT into ``T_SWRY_IN`` and SELECT from the views ``V_BLJG`` (results) and ``V_XTZT`` (heartbeat of the
batch).  A batch run every fifth of a second takes new rows in and publishes what has changed.

Column names are upper-case pinyin initials; every column is text, local time is ``YYYYMMDDHH24MISS``.  Business
codes, not-null columns and the key (JLBH, BZCS) are guarded by the database itself: a wrong INSERT fails.

There is no server process to count calls: ``submit`` counts rows the batch took in; SELECTs on the views leave no
trace in the department.  Habits: ``slow`` rows wait that long before they are taken in; ``fail`` the run marks rows
``99`` (system error) and tries them again in the next; ``drop`` the run ends after registering a row and before
marking it; ``rubbish`` the run publishes a status that is in no table.

A correction is a further row with a higher BZCS (BZSM says why); a reversal is a row with CZLX 2, the original's JLBH
in YJLBH and CXYY, and needs no SWRQ.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from mocks.kit.office import CHINA, Application
from mocks.kit.server import Department, Lost

FILE = "elderly-care-exchange.sqlite"

SCHEMA = """
CREATE TABLE IF NOT EXISTS T_SWRY_IN (  -- 死亡人员信息接收表
  JLBH   VARCHAR(64)  NOT NULL,                                           -- 记录编号 (报送方流水号)
  BZCS   VARCHAR(2)   NOT NULL DEFAULT '0',                               -- 补正次数
  YWLX   CHAR(2)      NOT NULL CHECK (YWLX IN ('01', '02', '03', '04')),  -- 业务类型
  AJBH   VARCHAR(64),                                                     -- 案件编号
  XM     VARCHAR(60)  NOT NULL,                                           -- 姓名
  ZJHM   VARCHAR(30)  NOT NULL CHECK (ZJHM <> ''),                        -- 证件号码
  XB     CHAR(1),                                                         -- 性别 GB/T 2261.1
  HJQH   VARCHAR(12),                                                     -- 户籍区划
  HJDZ   VARCHAR(200),                                                    -- 户籍地址
  SWRQ   CHAR(8),                                                         -- 死亡日期 (办理时必填)
  SWZMBH VARCHAR(64),                                                     -- 死亡证明编号
  HHZMBH VARCHAR(64),                                                     -- 火化证明编号
  SQRXM  VARCHAR(60),                                                     -- 申请人姓名
  SQRDH  VARCHAR(20),                                                     -- 申请人电话
  BZSM   VARCHAR(500),                                                    -- 补正说明
  CZLX   CHAR(1)      NOT NULL DEFAULT '1' CHECK (CZLX IN ('1', '2')),    -- 操作类型 1 办理 2 撤销
  YJLBH  VARCHAR(64),                                                     -- 原记录编号 (撤销时)
  CXYY   VARCHAR(500),                                                    -- 撤销原因
  TSSJ   CHAR(14)     NOT NULL,                                           -- 推送时间
  CLBZ   VARCHAR(2)   NOT NULL DEFAULT '0',                               -- 处理标志 0 未接收 1 已接收 99 系统错误
  PRIMARY KEY (JLBH, BZCS),
  CHECK (CZLX = '2' OR (SWRQ IS NOT NULL AND length(SWRQ) = 8))
);
CREATE INDEX IF NOT EXISTS I_SWRY_CLBZ ON T_SWRY_IN (CLBZ);
CREATE TABLE IF NOT EXISTS T_BLJG (  -- 办理结果表
  JLBH VARCHAR(64) PRIMARY KEY, SLH VARCHAR(32), YWLX CHAR(2), ZT VARCHAR(2), ZTMC VARCHAR(40),
  BLYJ VARCHAR(500), BZCL VARCHAR(500), TFNY CHAR(6), GXSJ CHAR(14)
);
CREATE TABLE IF NOT EXISTS T_XTZT (XTBM VARCHAR(10) PRIMARY KEY, ZHYXSJ CHAR(14) NOT NULL);
CREATE VIEW IF NOT EXISTS V_BLJG AS SELECT JLBH, SLH, YWLX, ZT, ZTMC, BLYJ, BZCL, TFNY, GXSJ FROM T_BLJG;
CREATE VIEW IF NOT EXISTS V_XTZT AS SELECT XTBM, ZHYXSJ FROM T_XTZT;
"""

ADDED = {"CZLX": "CHAR(1) NOT NULL DEFAULT '1'", "YJLBH": "VARCHAR(64)", "CXYY": "VARCHAR(500)"}
"""Columns that an exchange database of former days lacks."""

STATUS = {
    "registered": ("00", "待受理"),
    "accepted": ("10", "已受理"),
    "returned": ("20", "退回补正"),
    "done": ("30", "已办结"),
    "refused": ("40", "不予办理"),
    "none": ("50", "查无待遇"),
}
SYSTEM_ERROR = ("99", "系统错误")
OUTSIDE_ANY_TABLE = ("7A", "����")

# 待遇发放库: what each person receives, by business type; persons not listed receive what they are reported for.
REGISTER: dict[str, tuple[str, ...]] = {
    "330502193910109559": ("01", "02", "03", "04"),  # 沈福根
    "330502193405031236": ("02",),  # 陆金宝
    "330502192811202462": ("01", "02"),  # 钱阿毛
    "330521194109173014": (),  # 章根发
    "330502194511031189": ("03", "04"),  # 费雪珍
}


def _stamp() -> str:
    return datetime.now(CHINA).strftime("%Y%m%d%H%M%S")


class ElderlyCare(Department):
    code = "elderly-care"
    title = "民政局养老服务处"
    wire = "SQL exchange database (前置库): INSERT into T_SWRY_IN, SELECT from V_BLJG and V_XTZT"
    items: ClassVar[dict[str, str]] = {
        "01": "养老服务补贴停发",
        "02": "高龄津贴停发",
        "03": "政府购买养老服务终止",
        "04": "养老服务待遇终止",
    }

    def __init__(self, data: Path, callback_url: str | None, callback_token: str | None) -> None:
        super().__init__(data, callback_url, callback_token)
        self._db = sqlite3.connect(data / FILE, isolation_level=None, timeout=5)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)
        there = {column["name"] for column in self._db.execute("PRAGMA table_info(T_SWRY_IN)")}
        for name, kind in ADDED.items():
            if name not in there:
                self._db.execute(f"ALTER TABLE T_SWRY_IN ADD COLUMN {name} {kind}")
        self._first_seen: dict[tuple[str, str], float] = {}
        self._changed = {application.key for application in self.office.all()}
        self._all_again = False

    async def start_wire(self, host: str, port: int) -> Callable[[], Awaitable[None]]:
        async def stop() -> None:
            self._db.close()

        self._heartbeat()
        return stop

    async def housekeeping(self) -> None:
        """One batch run."""
        self._heartbeat()
        habits = self.office.habits
        if habits.fail:
            habits.fail -= habits.fail > 0
            self._run_failed()
            return
        try:
            self._take_in()
        except Lost:
            return
        if self._all_again:
            self._changed.update(application.key for application in self.office.all())
            self._all_again = False
        self._publish()
        if habits.rubbish:
            habits.rubbish -= habits.rubbish > 0
            self._db.execute("UPDATE T_BLJG SET ZT=?, ZTMC=?", OUTSIDE_ANY_TABLE)
            self._all_again = True

    def _heartbeat(self) -> None:
        self._db.execute("INSERT OR REPLACE INTO T_XTZT (XTBM, ZHYXSJ) VALUES ('YLFW', ?)", (_stamp(),))

    def _waiting(self) -> list[sqlite3.Row]:
        """Rows not taken in yet that have lain there for ``slow`` seconds."""
        rows = self._db.execute("SELECT * FROM T_SWRY_IN WHERE CLBZ IN ('0', '99') ORDER BY rowid").fetchall()
        now = self.office.now()
        self._first_seen = {
            (row["JLBH"], row["BZCS"]): self._first_seen.get((row["JLBH"], row["BZCS"]), now) for row in rows
        }
        return [row for row in rows if now - self._first_seen[row["JLBH"], row["BZCS"]] >= self.office.habits.slow]

    def _take_in(self) -> None:
        for row in self._waiting():
            undoes = (row["YJLBH"] or "") if row["CZLX"] == "2" else ""
            self.office.receive(row["JLBH"], row["YWLX"], dict(row), int(row["BZCS"]), undoes)
            self.office.calls["submit"] += 1
            self._changed.add(row["JLBH"])
            self.answered()
            self._mark(row, "1")

    def _run_failed(self) -> None:
        """The run broke off: waiting rows and published results alike are in system error until the next run."""
        for row in self._waiting():
            self._mark(row, SYSTEM_ERROR[0])
            self._db.execute(
                "INSERT OR IGNORE INTO T_BLJG (JLBH, YWLX, GXSJ, ZT, ZTMC) VALUES (?, ?, ?, ?, ?)",
                (row["JLBH"], row["YWLX"], _stamp(), *SYSTEM_ERROR),
            )
        self._db.execute("UPDATE T_BLJG SET ZT=?, ZTMC=?", SYSTEM_ERROR)
        self._all_again = True

    def _mark(self, row: sqlite3.Row, flag: str) -> None:
        self._db.execute("UPDATE T_SWRY_IN SET CLBZ=? WHERE JLBH=? AND BZCS=?", (flag, row["JLBH"], row["BZCS"]))

    def _publish(self) -> None:
        while self._changed:
            application = self.office.get(self._changed.pop())
            if application is None:
                continue
            self._db.execute(
                "INSERT OR REPLACE INTO T_BLJG (JLBH, SLH, YWLX, ZT, ZTMC, BLYJ, BZCL, TFNY, GXSJ) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    application.key,
                    application.reference,
                    application.item,
                    *STATUS[application.state],
                    application.note or None,
                    "|".join(application.missing) or None,
                    application.details.get("TFNY"),
                    datetime.fromtimestamp(application.updated_at, CHINA).strftime("%Y%m%d%H%M%S"),
                ),
            )

    def act(self, application: Application, action: str, options: dict[str, Any]) -> None:
        """Nothing can be stopped for a person whom the payment register knows without this treatment."""
        received = REGISTER.get(application.payload["ZJHM"])
        if action == "finish" and received is not None and application.item not in received:
            action, options = "none", {"reason": "待遇发放库查无此项待遇"}
        super().act(application, action, options)

    def complete(self, application: Application) -> None:
        """Payment stops with the month after the death (停发年月)."""
        died = application.payload["SWRQ"]
        year, month = int(died[:4]), int(died[4:6])
        application.details["TFNY"] = f"{year + month // 12}{month % 12 + 1:02d}"

    def tell(self, application: Application) -> None:
        """Results are not sent: the next batch run publishes them."""
        self._changed.add(application.key)


DEPARTMENT = ElderlyCare
