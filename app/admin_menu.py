"""The order of the admin: seven groups and the keys of their tabs. Everything else is declared with the tabs."""

from app.core.i18n import mark
from app.web.menu import MenuGroup

GROUPS: tuple[MenuGroup, ...] = (
    MenuGroup(
        "manage",
        mark("Manage"),
        "layers",
        (
            "loyalty-programs",
            "referral-campaigns",
            "reward-catalog",
            "tier-management",
            "members",
            "points-ledger",
            "bulk-actions",
            "quick-actions",
        ),
    ),
    MenuGroup(
        "optimize",
        mark("Optimize"),
        "trending-up",
        (
            "ab-testing",
            "reward-optimizer",
            "engagement-analysis",
            "referral-performance",
            "tier-effectiveness",
            "channel-testing",
            "recommendations",
        ),
    ),
    MenuGroup(
        "advanced",
        mark("Advanced"),
        "sliders-horizontal",
        (
            "ai-orchestration",
            "predictive-churn",
            "dynamic-pricing",
            "fraud-detection",
            "network-analysis",
            "custom-rules",
        ),
    ),
    MenuGroup(
        "tools",
        mark("Tools"),
        "plug",
        ("export-import", "api-playground", "webhooks", "integrations", "migration-tools"),
    ),
    MenuGroup(
        "monitoring",
        mark("Monitoring"),
        "activity",
        (
            "real-time-dashboard",
            "performance-metrics",
            "activity-log",
            "alerts",
            "error-tracking",
            "health-status",
        ),
    ),
    MenuGroup(
        "settings",
        mark("Settings"),
        "settings",
        ("general", "brands", "teams-permissions", "compliance", "localization", "api-keys"),
    ),
    MenuGroup(
        "world-class",
        mark("World-class"),
        "globe",
        (
            "revenue-forecasting",
            "clv-analytics",
            "collaboration",
            "security-center",
            "developer-platform",
            "enterprise-reporting",
        ),
    ),
)
