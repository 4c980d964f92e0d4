"""The kernel: everything a domain needs that knows neither Flask, Shopify nor loyalty."""
