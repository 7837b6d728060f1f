"""What belongs to no single stage: study, raw readers, run, XPT, command line."""
