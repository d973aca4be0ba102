"""The fake Telegram for a process in another container: `python -m tests.support.fakes.served PORT`.

It listens on every address of its container and prints a line of JSON for each message, picture and edit.
"""

import asyncio
import json
import sys
from urllib.parse import urlsplit

from tests.support.fakes.bot_api import BotApi

CHAT = 42


async def main(port: int) -> None:
    """Serve until killed."""
    async with BotApi() as api:
        api.chat(CHAT)

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers, questions = await asyncio.open_connection("127.0.0.1", urlsplit(api.url).port)
            await asyncio.gather(_copy(reader, questions), _copy(answers, writer))

        async with await asyncio.start_server(carry, "0.0.0.0", port):
            shown = 0
            while True:
                await asyncio.sleep(0.2)  # seconds; who reads this polls it, too
                new = [call for call in api.calls[shown:] if call.method.startswith(("send", "edit"))]
                shown = len(api.calls)
                for call in new:
                    is_reply = "reply_parameters" in call.parameters
                    said = {"method": call.method, "text": call.text, "is_reply": is_reply}
                    sys.stdout.write(f"{json.dumps(said)}\n")
                    sys.stdout.flush()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the other side is gone, which closing shows to this one
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
