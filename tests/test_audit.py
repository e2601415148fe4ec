"""``tools/audit``: what it makes of pip-audit's answers."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import ROOT

CLEAN = '{"dependencies": [{"name": "click", "version": "8.1", "vulns": []}]}'
KNOWN = '{"dependencies": [{"name": "lxml", "version": "5.1", "vulns": [{"id": "PYSEC-1"}]}]}'
SKIPPED = '{"dependencies": [{"name": "click", "skip_reason": "not found"}]}'


@pytest.mark.parametrize(
    ("said", "complained", "code", "told"),
    [
        (CLEAN, "", 0, "click: 8.1: nothing known\n"),
        (KNOWN, "", 1, "lxml: 5.1: PYSEC-1\n"),
        (SKIPPED, "", 0, "click: not found\n"),
        ("", "requests.exceptions.ConnectionError: x", 0, "not audited: the service cannot be"),
        ("", "No module named pip_audit", 1, ""),
        ("[]", "Traceback", 1, ""),
    ],
)
def test_a_vulnerability_fails_and_silence_is_told(tmp_path, said, complained, code, told):
    (tmp_path / "pip_audit.py").write_text(
        f"import sys\nassert '--no-deps' in sys.argv\n"
        f"assert 'lxml==' in open(sys.argv[2]).read()\n"
        f"print({said!r})\nprint({complained!r}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, ROOT / "tools/audit"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert done.stdout.startswith(told)
