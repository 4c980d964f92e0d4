"""Tests of the compliance domain."""
