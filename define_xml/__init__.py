"""Define-XML out of the metadata (not there yet)."""
