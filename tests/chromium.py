"""Chromium without a window, driven through the pipe of its DevTools protocol."""

import fcntl
import json
import os
import select
import shutil
import signal
import time
from itertools import count
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--mute-audio", "--remote-debugging-pipe")  # fmt: skip


class Browser:
    """One page of a Chromium process. Commands and answers are JSON texts that end with a zero byte."""

    def __init__(self, folder: Path, *, width: int = 1280, height: int = 800):
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        (read, theirs_out), (theirs_in, write) = os.pipe(), os.pipe()
        # Out of the way of the numbers 3 and 4, at which Chromium expects its ends.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (theirs_in, theirs_out)]
        actions = [(os.POSIX_SPAWN_DUP2, end, number) for end, number in zip(ends, (3, 4), strict=True)]
        actions += [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
        arguments = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}"]
        self.process = os.posix_spawn(CHROMIUM, arguments, os.environ, file_actions=actions, setpgroup=0)
        for end in (*ends, theirs_in, theirs_out):
            os.close(end)
        self.read, self.write = os.fdopen(read, "rb", buffering=0), os.fdopen(write, "wb")
        self.numbers, self.session, self.requests, self.waiting = count(1), None, [], b""
        [page] = [t for t in self.send("Target.getTargets")["targetInfos"] if t["type"] == "page"]
        self.session = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        self.send("Page.enable")
        self.send("Network.enable")
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def send(self, method: str, **parameters) -> dict:
        """Sends a command and returns its result; what was requested meanwhile is kept in `requests`."""
        number = next(self.numbers)
        session = {} if self.session is None else {"sessionId": self.session}
        self.write.write(json.dumps({"id": number, "method": method, "params": parameters, **session}).encode() + b"\0")
        self.write.flush()
        while True:
            while b"\0" not in self.waiting:
                assert select.select([self.read], [], [], 30)[0], f"no answer to {method} within 30 s"
                received = self.read.read(1 << 20)
                assert received, f"the browser ended before it answered {method}"
                self.waiting += received
            text, _, self.waiting = self.waiting.partition(b"\0")
            message = json.loads(text)
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if message.get("method") == "Page.javascriptDialogOpening":  # a sitting is left before its end
                answer = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}, **session}
                self.write.write(json.dumps(answer).encode() + b"\0")
                self.write.flush()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def run(self, script: str, *, gesture: bool = False):
        """Runs JavaScript, as if a user had caused it or not; returns the value of the promise or expression."""
        asked = dict(expression=script, awaitPromise=True, returnByValue=True, userGesture=gesture)
        answer = self.send("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def until(self, condition: str, seconds: float = 10) -> None:
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"never: {condition}; the page shows {self.run('document.body.innerText')}"
            time.sleep(0.02)

    def key(self, key: str) -> None:
        """Presses and releases a key, as an input device would."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key)

    def click(self, element: str) -> None:
        """Clicks the middle of what a selector finds, as a mouse would."""
        box = f"(() => {{const b = document.querySelector({json.dumps(element)}).getBoundingClientRect();"
        x, y = self.run(box + "return [b.x + b.width / 2, b.y + b.height / 2]})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def close(self) -> None:
        os.killpg(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.read.close()
        self.write.close()
