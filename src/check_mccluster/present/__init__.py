"""How a verdict is shown: plugin output, JSON, Zabbix, Prometheus, terminal."""
