"""WHAT must come out: the metadata model, the standards as data, findings and rules. Imports nobody."""
