"""Who cannot be called: reads the feed under the same blows, and goes on by its cursor alone."""

import json
import threading
import time
from urllib.parse import urlencode

import orjson

from benchmarks.callers import Line, passes

AGAIN = 0.1


class Reader:
    """Reads an organisation's feed from its oldest entry on; asks again until it is answered."""

    def __init__(self, port: int, token: str) -> None:
        self.items: list[tuple[str, bytes]] = []
        """Id and message of each entry, in the order in which they were told."""
        self.faults: list[str] = []
        self._line, self._token = Line(port), token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="reader", daemon=True)

    def start(self) -> None:
        """Let it begin."""
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Let it read to the end, then stop; TimeoutError if it does not come there."""
        self._stop.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"the feed was not read to its end within {seconds:.0f} s")

    def _live(self) -> None:
        query: dict[str, object] = {"limit": 20, "wait": 1}
        while True:
            stopping = self._stop.is_set()
            path = f"/v1/events?{urlencode(query)}"
            status, answer = self._line.ask(path, self._token, method="GET")
            if status != 200:
                if not passes(status):
                    self.faults.append(f"/v1/events {status} {answer[:200]!r}")
                    break
                time.sleep(AGAIN)
                continue
            page = json.loads(answer)
            # As it was signed: the feed carries the very bytes (tests/api/rest/test_feed.py).
            self.items += [(one["id"], orjson.dumps(one["message"])) for one in page["items"]]
            query["after"] = page["next"]
            if stopping and not page["items"] and not page["more"]:
                break
        self._line.close()
