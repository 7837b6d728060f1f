"""Measurements of speed and memory, run by hand or nightly."""
