"""A stand-in for Shopify on this machine: a separate program that imports nothing of the app."""
