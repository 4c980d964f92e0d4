"""The platform adapter: everything that knows how Shopify speaks.

Who is calling (ID tokens, extension tokens, webhooks, app proxy, classic OAuth), access tokens for workers, the Admin
GraphQL client with its operations and schema. It takes and returns plain values and knows neither Flask nor any domain.
"""
