"""What shoppers and widgets read and ask for: a summary through the app proxy, redeeming, and texts.

It stores nothing. `queries` reads what other domains own with a fixed number of statements, because a
storefront page waits for it; `rules` turns the numbers into sentences in the shopper's language.
"""
