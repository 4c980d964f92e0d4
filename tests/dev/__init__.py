"""Tests of the local runtime; programs run as processes of their own, as a person runs them."""
