"""Tests of the loop that all runners share."""
