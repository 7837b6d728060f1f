"""All benchmarks: ``python -m bench``, as ``make bench`` does."""

from __future__ import annotations

from bench import pilot_bench, xpt_bench

print("SAS transport files, 1,000,000 rows x 25 columns, beside pyreadstat")
xpt_bench.run()
print()
print("The CDISC pilot replicated: raw CSV to SDTM as XPT")
pilot_bench.run()
