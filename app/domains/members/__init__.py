"""Members: the people in a shop's program, known by their Shopify customer id; their personal data is sealed."""
