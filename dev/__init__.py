"""The local runtime behind `./dev.sh`: services, processes and verbs for working on LoyalNest. Never imported by the app."""
