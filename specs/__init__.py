"""WHAT must come out: the metadata model, the standards as data, findings and rules. Imports nobody."""

__distribution__ = "trialmill"  # trialmill doctor tells our package from a stranger's of the same name by this
