"""One policy, whichever bundle answers."""

from __future__ import annotations

import pytest
from policy_contract import PolicyContract


class TestExactBundle(PolicyContract):
    @pytest.fixture
    def recommender(self, exact):
        return exact

    @pytest.fixture
    def oracle(self, oracle):
        return oracle


class TestScannBundle(PolicyContract):
    @pytest.fixture
    def recommender(self, scann):
        return scann

    @pytest.fixture
    def oracle(self, oracle):
        return oracle
