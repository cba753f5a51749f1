"""The change of keys and suite as an operator does it: processes, settings, one command while the gateway serves."""

from __future__ import annotations

import base64
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.stage import Stage, form

CLOCK = "2025-11-07T22:10:00+08:00"
ASKED = "query($n: String!) { case(number: $n) { number deceased { name idNumber } } }"


def key(text: str) -> str:
    return base64.b64encode(text.encode() * 32).decode()


def shenhou(stage: Stage, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(command, env=stage.environment, capture_output=True, text=True, check=False)


def restart(stage: Stage, **variables: str) -> None:
    stage.stop()
    stage.variables.update({f"SHENHOU_{name}": value for name, value in variables.items()})
    stage.start_gateway(CLOCK)


@pytest.mark.rule("PD-15", "PD-07")
def test_from_the_international_to_the_national_suite_while_it_serves(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    old, new = (f"1:{key('a')}", f"1:{key('i')}"), (f"2:{key('b')}", f"2:guomi:{key('j')}")
    try:
        restart(stage, DATA_KEYS=old[0], INDEX_KEYS=old[1])
        staff = stage.token("civil-affairs-assistant", department="civil-affairs")
        daughter = stage.token("family", id_number="330502196607189625")
        number = stage.do(staff, "submitCase", "case { number }", **form())["case"]["number"]
        restart(stage, DATA_KEYS=f"{old[0]},{new[0]}", INDEX_KEYS=f"{old[1]},{new[1]}")
        assert "index key 1 (international): is written" in shenhou(stage, "keys", "status").stdout
        restart(stage, DATA_KEYS=f"{new[0]},{old[0]}", INDEX_KEYS=f"{new[1]},{old[1]}", CIPHER_SUITE="guomi")
        assert shenhou(stage, "keys", "status").returncode == 1, "something is left to be done"
        with ThreadPoolExecutor(4) as pool:
            rotating = pool.submit(shenhou, stage, "keys", "rotate")
            again = list(pool.map(lambda _: stage.do(staff, "submitCase", "case { number }", **form()), range(6)))
        assert {payload["case"]["number"] for payload in again} == {number}
        assert rotating.result().returncode == 0, rotating.result().stderr
        assert "data key 1: may be removed" in shenhou(stage, "keys", "status").stdout
        restart(stage, DATA_KEYS=new[0])
        assert stage.ask(daughter, ASKED, n=number)["case"]["deceased"]["idNumber"] == "330502193910109559"
        found = '{ cases(filter: {idNumber: "330502193910109559"}) { nodes { number } } }'
        assert stage.ask(staff, found)["cases"]["nodes"] == [{"number": number}]
        assert "0 faults" in shenhou(stage, "verify").stdout
    finally:
        stage.stop()


def test_a_start_with_another_key_says_so_in_one_line(stage: Stage) -> None:
    stage.stop()
    stage.variables["SHENHOU_DATA_KEYS"] = f"1:{key('x')}"
    done = shenhou(stage, "serve", "--port", str(stage.port))
    assert done.returncode == 2 and done.stderr == "database: data key 1 is not the one this database was made with\n"
