"""Errors that a server raises, for a caller or for who started it."""

from __future__ import annotations


class UnknownModelError(LookupError):
    """A model or version that is not in service."""


class ConfigError(ValueError):
    """A configuration that cannot be served: where, why, and the remedy."""


class BusyError(RuntimeError):
    """More requests than may run and wait."""


class DeadlineError(RuntimeError):
    """A request whose time was over before its answer."""


class CancelledError(RuntimeError):
    """A request whose caller has gone."""
