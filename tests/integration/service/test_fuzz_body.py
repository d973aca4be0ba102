"""Whatever bytes are sent as a body, reading them ends soon, and in wines or in an error that is the client's."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.integration.service.wines import ROW, WINE

pytest.importorskip("atheris", reason="its wheels are for Linux on x86-64 only")

PROGRAM = Path(__file__).with_name("fuzz_body.py")
SECONDS = int(5 * float(os.environ.get("WINE_SLO_SOAK", "1")) ** 2)
FEWEST = 2000  # runs a second would be four times as many on an idle machine
SEEDS = (
    b"\x00" + json.dumps(WINE).encode(),
    b"\x00" + json.dumps([WINE, WINE | {"hue": "x"}]).encode(),
    b"\x01" + "&".join(f"{name}={value}" for name, value in WINE.items()).encode(),
    b"\x01_charset_=windows-1251&request=%31",
    b'\x02--x\r\nContent-Disposition: form-data; name="request"\r\n\r\n' + ROW.encode() + b"\r\n--x--\r\n",
    b"\x02--x\r\nContent-Disposition: form-data; name=_charset_\r\n\r\nus-ascii\r\n--x--",
    b"\x03Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nMTMuMg==",
    b"\x03Content-Transfer-Encoding: quoted-printable\r\n\r\n=31",
    b'\x04multipart/form-data; boundary="a\\"b"; charset=utf-8',
)  # fmt: skip


async def test_no_bytes_that_a_fuzzer_finds_make_the_body_reader_fail_or_slow(tmp_path: Path) -> None:
    for place, seed in enumerate(SEEDS):
        (tmp_path / f"seed{place}").write_bytes(seed)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, PROGRAM, tmp_path, f"-max_total_time={SECONDS}", "-seed=1", "-max_len=20000"),
        cwd=tmp_path,  # where it would leave what it finds
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    said = output.decode(errors="replace")
    assert process.returncode == 0, said[-4000:]
    runs = re.search(r"Done (\d+) runs", said)
    assert runs is not None
    assert int(runs[1]) > FEWEST
