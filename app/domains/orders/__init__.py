"""Our copy of a shop's orders: one row an order, merged from whatever Shopify tells us, in whatever order it arrives."""
