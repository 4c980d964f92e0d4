"""The Admin GraphQL API: every operation is validated against Shopify's schema and answered from the dev store's memory."""

from devstore.admin_api.routes import admin_api

__all__ = ["admin_api"]
