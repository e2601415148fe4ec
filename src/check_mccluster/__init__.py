"""check_mccluster: monitoring plugins for Pacemaker clusters with DRBD 9."""

__version__ = "0.2.0"
