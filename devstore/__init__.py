"""A stand-in for Shopify on this machine. A separate program: it imports nothing of the app and the app nothing of it."""
