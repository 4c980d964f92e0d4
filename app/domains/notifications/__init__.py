"""Notifications: what members are told by e-mail, in their language, once per reason, with a history of what went out."""
