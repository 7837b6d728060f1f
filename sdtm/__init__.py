"""The engine from raw tables to SDTM: compile and link a mapping, run it, derive, check."""

__distribution__ = "trialmill"  # trialmill doctor tells our package from a stranger's of the same name by this
