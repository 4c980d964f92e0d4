"""Lists: the views that staff keep of the admin's lists, the columns they chose, and selections on their way to an action."""
