"""The engine from raw tables to SDTM: compile and link a mapping, run it, derive, check."""
