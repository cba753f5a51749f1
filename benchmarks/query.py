"""What the one query costs: requests per second and CPU per request, against a floor in the same run.

``python benchmarks/query.py``.  The floor is a bare route that answers the very same bytes from the same server
software.  Compare ratios, not figures: machines are noisy.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 4.0
CLIENTS = 8
QUERY = """query($n: String!) { case(number: $n) { number status openedAt progress { finished total phase summary }
 deceased { name idNumber sex } applicant { name phone relationName }
 items { slug name status since applicability reason { code message } department { code name }
   waitsFor { reason { message } } pushedAt finishedAt deadlines { clock state dueAt requirementId } overdue }
 certificates { typeName number } payouts { kindName amount status } money { approved held paid }
 whyNotFinished { reason { message requirementIds } since } } }"""
FORM = {
    "jurisdiction": "hz",
    "flow": "OUTSIDE",
    "channel": "STAFF_APP",
    "deceased": {"name": "沈福根", "idNumber": "330502193910109559", "hukouArea": "330502"},
    "death": {"occurredAt": "2026-11-20T20:00:00+08:00", "area": "330502"},
    "applicant": {"name": "沈丽娟", "relation": "CHILD"},
}
FLOOR = """
import sys
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
body = open(sys.argv[1], "rb").read()
async def answer(request):
    await request.body()
    return Response(body, media_type="application/json")
import uvicorn
app = Starlette(routes=[Route("/graphql", answer, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(url: str, body: dict[str, object], headers: dict[str, str], pid: int) -> tuple[float, float, bytes]:
    """(requests per second, CPU ms per request, last answer)."""
    async with aiohttp.ClientSession(headers=headers) as http:
        for _ in range(100):
            try:
                async with http.post(url, json=body) as answer:
                    last = await answer.read()
                break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
        done, until, before = 0, time.monotonic() + SECONDS, cpu_s(pid)

        async def client() -> None:
            nonlocal done
            while time.monotonic() < until:
                async with http.post(url, json=body) as answer:
                    await answer.read()
                done += 1

        started = time.monotonic()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return done / (time.monotonic() - started), 1000 * (cpu_s(pid) - before) / done, last


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHENHOU_")}
        environment["SHENHOU_DATA_DIR"] = folder
        token = subprocess.run(
            [sys.executable, "-m", "gateway", "token", "--role", "duty-person", "--area", "330500"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout.strip()
        port = free_port()
        gateway = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--port", str(port)],
            env=environment,
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        floor = None
        try:
            headers = {"Authorization": f"Bearer {token}"}
            url = f"http://127.0.0.1:{port}/graphql"
            submit = (
                "mutation($i: SubmitCaseInput!) { submitCase(input: $i) { case { number } userErrors { message } } }"
            )
            _, _, made = await load_once(url, {"query": submit, "variables": {"i": FORM}}, headers)
            number = json.loads(made)["data"]["submitCase"]["case"]["number"]
            body = {"query": QUERY, "variables": {"n": number}}
            rate, cpu, answer = await load(url, body, headers, gateway.pid)
            file = Path(folder) / "answer.json"
            file.write_bytes(answer)
            floor_port = free_port()
            floor = subprocess.Popen([sys.executable, "-c", FLOOR, str(file), str(floor_port)])
            floor_rate, floor_cpu, _ = await load(f"http://127.0.0.1:{floor_port}/graphql", body, headers, floor.pid)
            print(f"answer            {len(answer)} bytes, {answer.count(b':')} fields")
            print(f"case query        {rate:8.0f} requests/s   {cpu:6.2f} CPU ms each")
            print(f"floor, same bytes {floor_rate:8.0f} requests/s   {floor_cpu:6.2f} CPU ms each")
            print(f"ratio of CPU      {cpu / floor_cpu:8.1f}")
        finally:
            gateway.terminate()
            gateway.wait()
            if floor is not None:
                floor.terminate()
                floor.wait()


async def load_once(url: str, body: dict[str, object], headers: dict[str, str]) -> tuple[float, float, bytes]:
    async with aiohttp.ClientSession(headers=headers) as http:
        for _ in range(100):
            try:
                async with http.post(url, json=body) as answer:
                    return 0.0, 0.0, await answer.read()
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise SystemExit("the gateway did not start")


if __name__ == "__main__":
    asyncio.run(main())
