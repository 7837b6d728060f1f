"""SDTM to ADaM (not there yet)."""

__distribution__ = "trialmill"  # trialmill doctor tells our package from a stranger's of the same name by this
