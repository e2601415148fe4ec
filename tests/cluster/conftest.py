"""One real cluster for all tests in here, as new for each of them."""

from __future__ import annotations

import pytest

from cluster.case import Case
from cluster.cluster import Cluster, obstacle


@pytest.fixture(scope="module")
def running():
    """The cluster of the case, started once for a file of tests."""
    reason = obstacle()
    if reason is not None:
        pytest.skip(f"no real cluster: {reason}")
    with Cluster() as cluster:
        yield Case(cluster)


@pytest.fixture
def case(running) -> Case:
    """The cluster with the group on one application server and nothing wrong anywhere."""
    running.reset()
    return running
