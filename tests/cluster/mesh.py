"""What the drbdsetup stand-in of every node answers; see ``standin/drbdsetup``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Optional


class Mesh:
    """The DRBD mesh that a test wants to be there."""

    def __init__(self, shared: Path) -> None:
        self._folder = shared / "drbd"
        self.reset()

    def reset(self) -> None:
        """Everybody is there and connected. Who is Primary is the business of the nodes."""
        self._state: dict[str, Any] = {"gone": {}, "broken": []}
        self._write()

    def is_primary(self, node: str) -> bool:
        """Whether a node is Primary, seen or unseen."""
        return (self._folder / "primary" / node).exists()

    def primary_since(self, node: str) -> float:
        """When a node became Primary."""
        return (self._folder / "primary" / node).stat().st_mtime

    def gone(self, node: str, *, after: float = 0) -> float:
        """A node's absence is noticed in *after* seconds, or now; returns when that is."""
        moment = time.time() + after
        self._state["gone"][node] = moment
        self._write()
        return moment

    def back(self, node: str) -> None:
        """A node is there again, Secondary as after any boot."""
        (self._folder / "primary" / node).unlink(missing_ok=True)
        self._state["gone"].pop(node, None)
        self._write()

    def break_connection(self, node: str, peer: str) -> None:
        """Two nodes do not see each other."""
        self._state["broken"].append([node, peer])
        self._write()

    def answer(self, exit_code: Optional[int], stderr: str = "") -> None:
        """Let ``drbdsetup status`` fail, or (``None``) answer again."""
        self._state.pop("answer", None)
        if exit_code is not None:
            self._state["answer"] = {"exit_code": exit_code, "stderr": stderr}
        self._write()

    def _write(self) -> None:
        unfinished = self._folder / "mesh.json.new"
        unfinished.write_text(json.dumps(self._state))
        unfinished.replace(self._folder / "mesh.json")
