"""Define-XML out of the metadata (not there yet)."""

__distribution__ = "trialmill"  # trialmill doctor tells our package from a stranger's of the same name by this
