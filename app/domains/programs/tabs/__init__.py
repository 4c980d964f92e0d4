"""Loyalty programs in the admin: the editor, and the steps of a program's life."""

from app.domains.programs.tabs import editor, life

__all__ = ["editor", "life"]
