"""What it costs to refuse: CPU per refused operation, no two alike, against a floor in the same run.

``python -m benchmarks.refused``.  The floor is a bare route of the same server software that reads the same bodies.
Compare ratios, not figures: machines are noisy.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import aiohttp

from benchmarks.query import FLOOR, ROOT, cpu_s, free_port

REQUESTS = 400
ROLE = "viewer { role }"
DOUBLING = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(11))


def query(text: str) -> Callable[[int], bytes]:
    return lambda n: json.dumps({"query": f"{text} #{n}"}).encode()


def variables(value: str) -> Callable[[int], bytes]:
    return lambda n: f'{{"query": "{{ {ROLE} }}", "variables": {{"n": {n}, "v": {value}}}}}'.encode()


FLOODS: dict[str, Callable[[int], bytes]] = {
    "depth": query("{ cases" + " { nodes { items { case" * 60 + " { number }" + " } } }" * 60 + " }"),
    "aliases": query("{ " + " ".join(f"a{n}: {ROLE}" for n in range(300)) + " }"),
    "the same field": query("{ " + ROLE * 400 + " }"),
    "tokens": query("{ " + ROLE * 10_000 + " }"),
    "directives": query("{ __typename" + " @aa" * 900 + " }"),
    "fragments that double": query(
        "{ ...F0 } " + DOUBLING + " fragment F11 on Query { cases(first: 100) { nodes { number area status } } }"
    ),
    "fragments in a circle": query("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
    "cost": query("{ cases(first: 100) { nodes { items { case { items { case { number } } } } } } }"),
    "many operations": query(" ".join(f"query q{n} {{ {ROLE} }}" for n in range(200))),
    "deep literal": query("{ case(number: " + "[" * 900 + "]" * 900 + ") { number } }"),
    "field guessing": lambda n: json.dumps({"query": f"{{ viewer {{ rol{n} }} }}"}).encode(),
    "half a query": query("{ viewer { role"),
    "deep variables": variables("[" * 900 + "]" * 900),
    "huge variables": variables("[" + "0," * 60_000 + "0]"),
    "a long text": variables('"' + "x" * 100_000 + '"'),
    "deep JSON": lambda n: b"[" * 100_000 + str(n).encode(),
    "broken UTF-8": lambda n: b'{"query": "\xff' + str(n).encode() + b'"}',
    "a batch": lambda n: json.dumps([{"query": f"{{ {ROLE} }} #{n}"}] * 50).encode(),
    "10 MB": lambda n: b"x" * 10_000_000 + str(n).encode(),
}


async def cost_ms(http: aiohttp.ClientSession, url: str, pid: int, body: Callable[[int], bytes], count: int) -> float:
    """CPU milliseconds of the server for each of ``count`` requests."""
    before = cpu_s(pid)
    for n in range(count):
        try:
            async with http.post(url, data=body(n)) as answer:
                await answer.read()
                assert 400 <= answer.status < 500 or answer.status == 200, answer.status
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
            pass  # the server answered and closed in the middle of the body
    return 1000 * (cpu_s(pid) - before) / count


async def measure(gateway: tuple[str, int], floor: tuple[str, int], headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession(headers=headers) as http:
        for url, _ in (gateway, floor):
            for _attempt in range(200):
                try:
                    async with http.post(url, data=b"{}"):
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        print(f"{'flood':24} {'bytes':>9} {'refused, CPU ms':>16} {'floor':>7} {'more, ms':>9}")
        for name, body in FLOODS.items():
            count = 20 if name == "10 MB" else REQUESTS
            spent = await cost_ms(http, *gateway, body, count)
            least = await cost_ms(http, *floor, body, count)
            print(f"{name:24} {len(body(0)):9} {spent:16.2f} {least:7.2f} {spent - least:9.2f}")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SHENHOU_")}
        environment |= {"SHENHOU_DATA_DIR": folder, "SHENHOU_OPEN_SCHEMA": "off"}
        run = [sys.executable, "-m", "gateway"]
        token = subprocess.run(
            [*run, "token", "--role", "family", "--area", "330500"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout.strip()
        port, floor_port = free_port(), free_port()
        answer = Path(folder) / "answer"
        answer.write_bytes(b"{}")
        serve = [*run, "serve", "--port", str(port)]
        gateway = subprocess.Popen(serve, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
        floor = subprocess.Popen([sys.executable, "-c", FLOOR, str(answer), str(floor_port)])
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            urls = [f"http://127.0.0.1:{one}/graphql" for one in (port, floor_port)]
            await measure((urls[0], gateway.pid), (urls[1], floor.pid), headers)
            status = Path(f"/proc/{gateway.pid}/status").read_text()
            print("memory at its highest:", next(line for line in status.splitlines() if line.startswith("VmHWM")))
        finally:
            for process in (gateway, floor):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    asyncio.run(main())
