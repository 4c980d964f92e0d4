"""The Admin GraphQL API: operations are validated against Shopify's schema and answered from memory."""

from devstore.admin_api.routes import admin_api

__all__ = ["admin_api"]
