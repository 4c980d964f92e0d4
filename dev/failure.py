"""Failures a person can act on."""


class Refused(Exception):
    """A verb cannot go on. The text is one sentence for the terminal, without a traceback."""
