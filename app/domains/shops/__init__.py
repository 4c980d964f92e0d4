"""Shops: the tenants. Installation and first contact, access tokens, staff, API keys, uninstalling and erasing."""
