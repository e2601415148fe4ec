"""Zabbix 7.0 for real, as far as it runs on Debian 12: its front end, its schema, its import."""

from __future__ import annotations

import pytest

from zabbix_site import (
    NEEDED,
    Daemons,
    Server,
    assert_exported,
    import_templates,
    need_packages,
    scratch,
)

pytestmark = [pytest.mark.zabbix7, pytest.mark.slow]


def test_templates_of_seven_are_imported_and_what_it_exports(request):
    """The server of Debian 13 does not run on 12; the front end is what checks an import."""
    need_packages(NEEDED)
    with scratch() as folder:
        daemons = Daemons(folder)
        server = Server(daemons, folder, request.config.getoption("--zabbix7") / "usr/share")
        try:
            server.start(polls=False)
            import_templates(server, "7.0")
            assert_exported(server, "7.0")
        finally:
            daemons.stop()
