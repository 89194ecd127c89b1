"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tornado.websocket import websocket_connect

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
_SECONDS = 20


class Tab:
    """One page; use it as an asynchronous context manager."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self.errors: list[str] = []

    async def __aenter__(self) -> Tab:
        assert PROGRAM
        self._process = subprocess.Popen(
            [
                PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu",
                "--remote-debugging-port=0", "--window-size=1200,1000",
                f"--user-data-dir={self._folder}", "about:blank",
            ],
            stderr=subprocess.PIPE, text=True,
        )
        assert self._process.stderr
        for line in self._process.stderr:
            if found := re.search("DevTools listening on (ws://.*)", line):
                break
        self._socket = await websocket_connect(
            found[1], max_message_size=2**25
        )
        self._number, self._session = 0, {}
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = {"sessionId": attached["sessionId"]}
        await self._call("Runtime.enable")
        await self._call("Page.navigate", url=self._url)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()
        self._process.kill()
        self._process.communicate()

    async def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        question = {
            "id": self._number, "method": method, "params": parameters,
            **self._session,
        }
        await self._socket.write_message(json.dumps(question))
        while True:
            said = json.loads(
                await asyncio.wait_for(self._socket.read_message(), _SECONDS)
            )
            if said.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(said["params"]["exceptionDetails"]))
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]

    async def run(self, script: str) -> Any:
        """The value of an expression on the page."""
        answer = await self._call(
            "Runtime.evaluate", expression=script, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        """The value of an expression, once it is true."""
        for _ in range(10 * _SECONDS):
            if value := await self.run(script):
                return value
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {script}")

    async def picture(self, path: Path) -> None:
        """Writes what is seen as a PNG."""
        import base64

        shot = await self._call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(shot["data"]))
