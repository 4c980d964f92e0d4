"""LoyalNest: loyalty and referral programs for Shopify shops."""
