"""Notifications: what members are told by e-mail, in their language, once per reason, and what became of it."""
