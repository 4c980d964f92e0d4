"""Who may do what, as a page of the documentation, from the registries alone."""

from pathlib import Path

from app.core.permissions import ROLES, Permission
from app.web.endpoints import EndpointRegistry
from app.web.tabs import TabRegistry

_INTRODUCTION = """# Permissions

Made from the registries by `python -m app.cli openapi`; do not edit. Nothing is allowed that is not listed. API
keys carry permissions as scopes, staff members get them from their role.
"""


def permission_matrix(endpoints: EndpointRegistry, tabs: TabRegistry) -> str:
    """Markdown with three tables: roles, endpoints, and the admin's tabs, pages and actions."""
    roles = list(ROLES)
    lines = [_INTRODUCTION, "## Roles", "", _row("permission", *roles), _row(*["---"] * (len(roles) + 1))]
    lines += [
        _row(f"`{permission}`", *("yes" if permission in ROLES[role] else "–" for role in roles))
        for permission in Permission
    ]
    lines += ["", "## Endpoints", "", _row("method", "path", "permission"), _row("---", "---", "---")]
    for endpoint in endpoints:
        needed = f"`{endpoint.permission}`" if endpoint.permission else "public"
        lines.append(_row(endpoint.method, f"`{endpoint.path}`", needed))
    lines += ["", "## Admin", "", _row("kind", "address", "permission"), _row("---", "---", "---")]
    for tab in sorted(tabs, key=lambda found: found.path):
        lines.append(_row("tab", f"`{tab.path}`", f"`{tab.permission}`"))
    for page in sorted(tabs.pages.values(), key=tabs.path_of):
        lines.append(_row("page", f"`{tabs.path_of(page)}`", f"`{page.permission}`"))
    for action in sorted(tabs.actions.values(), key=tabs.path_of):
        lines.append(_row("action", f"`POST {tabs.path_of(action)}`", f"`{action.permission}`"))
    return "\n".join(lines) + "\n"


def write_permission_matrix(path: Path, endpoints: EndpointRegistry, tabs: TabRegistry) -> None:
    """Write the page where the repository keeps it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(permission_matrix(endpoints, tabs), encoding="utf-8")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
