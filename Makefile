# Conveniences for a clone: "make demo-icinga2" starts the real Icinga 2 over a recorded cluster.
# A demonstration needs root and the Debian packages of .ci/packages; Ctrl-C ends it.
DEMOS = demo-icinga2 demo-nagios demo-zabbix demo-prometheus

.PHONY: test docs lint $(DEMOS)

test: .venv/bin/pytest
	.venv/bin/pytest -q -n auto

docs: .venv/bin/pytest
	.venv/bin/python tools/docs.py

lint: .venv/bin/pytest
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

$(DEMOS): demo-%: .venv/bin/pytest
	@.venv/bin/python tools/demo-site $*

.venv/bin/pytest:
	python3 -m venv .venv
	.venv/bin/pip -q install -e '.[test,lint]'
