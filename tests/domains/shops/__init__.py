"""Tests of the shops domain."""
