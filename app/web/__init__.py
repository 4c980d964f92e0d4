"""The Flask ring: endpoint and tab registries, who is asking, parsing, rendering, and one mapping of errors to answers.

Domains import the decorators from here in their `api` and `tabs` modules and nowhere else. Nothing in this package
knows a loyalty word or Shopify's library; the platform is reached through the protocols in `principals`.
"""
