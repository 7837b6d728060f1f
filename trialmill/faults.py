"""Faults of the call, apart from faults of specifications (``specs.findings``)."""


class CallError(Exception):
    """A fault of the call or of a raw file as a whole: one line saying what, where and what to do."""
