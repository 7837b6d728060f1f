"""SDTM to ADaM (not there yet)."""
