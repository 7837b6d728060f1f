"""What belongs to no single stage: study, raw readers, run, XPT, command line."""

__distribution__ = "trialmill"  # trialmill doctor tells our package from a stranger's of the same name by this
