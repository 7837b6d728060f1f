"""
The CDISC pilot: our SDTM from its raw export beside the SDTM that CDISC published, cell by cell.

What differs is listed in docs/lzzt-differences.md with its reason; these tests read the tables of that page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from trialmill.run import Run, run_sdtm
from trialmill.study import read_study

# What names a record in both. Where keys stand twice, the first is compared with the first, in the order of --SEQ.
KEYS = {
    "AE": ["USUBJID", "AESPID", "AETERM", "AESTDTC", "AEENDTC", "AEDTC"],
    "CM": ["USUBJID", "CMSPID", "CMTRT", "CMSTDTC", "VISIT"],
    "DM": ["USUBJID"],
    "DS": ["USUBJID", "DSTERM", "DSDTC", "DSSTDTC"],
    "EX": ["USUBJID", "EXTRT", "EXSTDTC", "EXENDTC"],
    "MH": ["USUBJID", "MHTERM", "MHSTDTC", "MHCAT", "MHSPID"],
    "VS": ["USUBJID", "VSTESTCD", "VSORRES", "VSDTC", "VISIT", "VSTPT"],
}

#          ours, published, agreeing
RECORDS = {
    "AE": (1191, 1191, 1191),
    "CM": (7510, 7510, 7510),
    "DM": (306, 306, 306),
    "DS": (342, 596, 342),
    "EX": (591, 591, 591),
    "MH": (1818, 1818, 1818),
    "VS": (29643, 29643, 29643),
}

KNOWN = {
    ("AE", "AESTDY"): (
        1,
        "error of the publication: the event begins on RFSTDTC, which is day 1 and not day 366",
    ),
    ("CM", "CMSEQ"): (
        12,
        "two lines of one medication at one visit: the publication numbers them in no order, we by CMSPID",
    ),
    ("CM", "CMDOSU"): (47, "terminology: IN is now written in"),
    ("CM", "CMDOSFRQ"): (
        141,
        "terminology: EVERY MORNING, EVERY NIGHT, Q4S, QS and TIS are now QAM, QN, EVERY 4 WEEKS, EVERY WEEK "
        "and 3 TIMES PER WEEK",
    ),
    ("DM", "RFPENDTC"): (
        191,
        "last contact: 149 times the day agrees and the time of the final laboratory visit is not in the export; "
        "42 times the last contact itself is not, 37 of them screen failures",
    ),
    ("DM", "ARMCD"): (
        306,
        "randomisation is not in the export, and what was planned is not concluded from what was given; "
        "of the 52 screen failures see ACTARMCD",
    ),
    ("DM", "ARM"): (306, "as ARMCD"),
    ("DM", "ACTARMCD"): (
        52,
        "screen failures: SDTMIG 3.4 leaves the arm empty and says SCREEN FAILURE in ARMNRS; the publication, "
        "of an older guide, made it an arm",
    ),
    ("DM", "ACTARM"): (52, "as ACTARMCD"),
    ("DS", "DSSEQ"): (
        36,
        "the final laboratory visit before the retrieval visit is missing, so the retrieval visit is the second "
        "record and not the third",
    ),
    ("DS", "DSSPID"): (
        58,
        "the publication has a blank before a number of one digit, the export has not",
    ),
    ("VS", "VSORRESU"): (8446, "terminology: BEATS/MIN and IN are now written beats/min and in"),
    ("VS", "VSSTRESU"): (8201, "terminology: BEATS/MIN is now written beats/min"),
    ("VS", "VSSTRESC"): (
        232,
        "weights collected in pounds: we take 0.45359237 kg, the publication took 0.4536, and rounding to two "
        "decimals makes 0.01 kg of it",
    ),
    ("VS", "VSSTRESN"): (232, "as VSSTRESC"),
}

OURS_ALONE = {
    "AE": ["AEENRTPT", "AEENTPT"],
    "CM": ["CMENRTPT", "CMENTPT"],
    "DM": ["ARMNRS", "ACTARMUD"],
    "VS": ["VSLOBXFL"],
}

each_domain = pytest.mark.parametrize("domain", KEYS)


@pytest.fixture(scope="module")
def run(project: Path, shared: Callable[[str], Path]) -> Run:
    """Return what the engine makes of the raw export."""
    return run_sdtm(read_study(project / "mappings/lzzt", raw=shared("oracles/lzzt/raw")))


@pytest.fixture(scope="module")
def published(shared: Callable[[str], Path]) -> Mapping[str, pd.DataFrame]:
    """Return the published datasets by name, the XPT files read by another reader than ours."""
    found = {
        name: pyreadstat.read_xport(shared(f"oracles/lzzt/sdtm_oracle_xpt/{name.lower()}.xpt"))[0]
        for name in KEYS
        if name != "VS"
    }
    signs = shared("oracles/pharmaverse/sdtm/vs.csv.gz")
    return {**found, "VS": pd.read_csv(signs, dtype="str", keep_default_na=False)}


@pytest.fixture(scope="module")
def page(project: Path) -> str:
    """Return the page that lists the differences."""
    return (project / "docs/lzzt-differences.md").read_text(encoding="utf-8")


def test_the_only_errors_are_two_records_that_stand_twice_in_the_export(run: Run) -> None:
    """One event and one operation stand twice in the export; both are accepted with a reason, nothing else is."""
    accepted = {(finding.rule, finding.dataset) for finding, _ in run.waived}
    assert run.findings == []
    assert accepted == {("SDTM-KEY", "AE"), ("SDTM-KEY", "MH")}
    assert [check for check in run.checks if check.outcome == "not evaluated"] == []


@each_domain
def test_records_agree(domain: str, run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """As many of our records as the table says have a partner with the same natural keys."""
    ours, theirs = run.datasets()[domain], published[domain]
    pairs = pair_records(ours, theirs, domain=domain)
    assert (len(ours), len(theirs), len(pairs)) == RECORDS[domain]


def test_vital_signs_with_a_result_agree(run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """Of the vital signs 29635 have a result and 8 were not done; all of them agree."""
    ours = run.datasets()["VS"]
    found = ours.loc[pair_records(ours, published["VS"], domain="VS")["ours"], ["VSORRES", "VSSTAT"]]
    assert (found["VSORRES"] != "").sum() == 29635
    assert (found["VSSTAT"] == "NOT DONE").sum() == 8


def test_records_of_the_publication_alone_are_final_laboratory_visits(
    run: Run, published: Mapping[str, pd.DataFrame]
) -> None:
    """The 254 disposition records that we do not have are the final laboratory visits."""
    theirs = published["DS"]
    pairs = pair_records(run.datasets()["DS"], theirs, domain="DS")
    alone = theirs[~theirs.index.isin(pairs["theirs"])]
    assert alone["DSTERM"].value_counts().to_dict() == {"FINAL LAB VISIT": 254}


@each_domain
def test_every_published_variable_is_made(domain: str, run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """No published variable is missing, and what only we have is known."""
    ours, theirs = run.datasets()[domain].columns, published[domain].columns
    assert [name for name in theirs if name not in ours] == []
    assert [name for name in ours if name not in theirs] == OURS_ALONE.get(domain, [])


@each_domain
def test_cells_agree_but_for_those_listed(domain: str, run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """In every variable that both have, exactly the listed number of cells differs: none where none is listed."""
    cells = align_cells(run.datasets()[domain], published[domain], domain=domain)
    found = {(domain, name): int(differs(ours, theirs).sum()) for name, (ours, theirs) in cells.items()}
    listed = {key: count for key, (count, _) in KNOWN.items() if key[0] == domain}
    assert {key: count for key, count in found.items() if count} == listed


def test_the_page_lists_exactly_these_differences(page: str) -> None:
    """The page's tables of records, cells and additional variables say what these tests say."""
    records = {row[0]: (*map(int, row[1:4]), row[4].split(", ")) for row in read_table(page, "Records")}
    cells = {(row[0], row[1]): (int(row[2]), row[3]) for row in read_table(page, "Cells")}
    alone = [(row[0], row[1]) for row in read_table(page, "Variables")]
    assert records == {name: (*RECORDS[name], KEYS[name]) for name in KEYS}
    assert cells == KNOWN
    assert alone == [(domain, name) for domain, names in OURS_ALONE.items() for name in names]


def test_published_weights_come_from_a_rounded_factor(run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """Every published weight in kg is pounds times 0.4536, ours is pounds times 0.45359237, both to two decimals."""
    cells = align_cells(run.datasets()["VS"], published["VS"], domain="VS")
    in_pounds = cells["VSORRESU"][0] == "LB"
    pounds = cells["VSORRES"][0][in_pounds].astype("float64")
    ours, theirs = (side[in_pounds].astype("float64") for side in cells["VSSTRESN"])
    assert len(pounds) == 2049
    assert np.allclose(round_half_up(pounds * 0.4536), theirs, rtol=0, atol=1e-9)
    assert np.allclose(round_half_up(pounds * 0.45359237), ours, rtol=0, atol=1e-9)


def test_other_standard_results_agree(run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """Heights in inches and temperatures in Fahrenheit come out as published; only weights differ."""
    cells = align_cells(run.datasets()["VS"], published["VS"], domain="VS")
    different = differs(*cells["VSSTRESN"])
    assert set(cells["VSTESTCD"][0][different]) == {"WEIGHT"}


@pytest.mark.parametrize(
    ("domain", "variable"), [("VS", "VSORRESU"), ("VS", "VSSTRESU"), ("CM", "CMDOSU"), ("DS", "DSSPID")]
)
def test_some_differ_in_spelling_alone(
    domain: str, variable: str, run: Run, published: Mapping[str, pd.DataFrame]
) -> None:
    """Units differ only in letter case, the numbers of adverse events in DS only in a leading blank."""
    ours, theirs = align_cells(run.datasets()[domain], published[domain], domain=domain)[variable]
    assert (ours.str.casefold() == theirs.str.strip().str.casefold()).all()


def test_last_contact_is_never_after_the_published_one(run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """Of 191 differences in RFPENDTC the day agrees in 149; in 42 ours is earlier, most of them screen failures."""
    cells = align_cells(run.datasets()["DM"], published["DM"], domain="DM")
    ours, theirs = cells["RFPENDTC"]
    earlier = ours < theirs.str.slice(0, 10)
    same_day = differs(ours, theirs) & (ours == theirs.str.slice(0, 10))
    assert (int(same_day.sum()), int(earlier.sum())) == (149, 42)
    assert (cells["ARMCD"][1][earlier] == "Scrnfail").sum() == 37


def test_actual_arm_agrees_for_everyone_treated(run: Run, published: Mapping[str, pd.DataFrame]) -> None:
    """Placebo, high dose (81 mg was given) or low dose: as published for all 254 subjects with exposure."""
    cells = align_cells(run.datasets()["DM"], published["DM"], domain="DM")
    treated = cells["RFXSTDTC"][0] != ""
    ours, theirs = cells["ACTARM"]
    assert ours[treated].equals(theirs[treated])
    assert ours[treated].value_counts().to_dict() == {
        "Xanomeline Low Dose": 96,
        "Placebo": 86,
        "Xanomeline High Dose": 72,
    }


def pair_records(ours: pd.DataFrame, theirs: pd.DataFrame, *, domain: str) -> pd.DataFrame:
    """Return the index labels of the records with the same keys, side by side (columns ours, theirs)."""
    sides = [number_repeats(data, domain=domain) for data in (ours, theirs)]
    left, right = (side.assign(**{name: side.index}) for side, name in zip(sides, ("ours", "theirs"), strict=True))
    return left.merge(right, on=[*KEYS[domain], "repeat"])[["ours", "theirs"]]


def number_repeats(data: pd.DataFrame, *, domain: str) -> pd.DataFrame:
    """Return the keys of every record, and how many records before it (in the order of --SEQ) have the same."""
    sequence = f"{domain}SEQ"
    ordered = data.assign(place=pd.to_numeric(data[sequence]) if sequence in data else 0).sort_values("place")
    keys = ordered[KEYS[domain]]
    return keys.assign(repeat=keys.groupby(KEYS[domain]).cumcount())


def align_cells(ours: pd.DataFrame, theirs: pd.DataFrame, *, domain: str) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return each variable that both have as two columns over the pairs of records."""
    pairs = pair_records(ours, theirs, domain=domain)
    mine, published = (
        side.loc[pairs[name]].reset_index(drop=True) for side, name in ((ours, "ours"), (theirs, "theirs"))
    )
    return {name: (mine[name], published[name]) for name in mine.columns if name in published.columns}


def differs(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    """Mark the cells that differ: text as it stands, numbers beyond what the numbers of XPT version 5 can hold."""
    if ours.dtype == "str":
        return ours != theirs.astype("str")
    numbers = pd.to_numeric(theirs).astype("float64")
    return pd.Series(~np.isclose(ours, numbers, rtol=1e-12, atol=0, equal_nan=True), index=ours.index)


def round_half_up(numbers: pd.Series) -> pd.Series:
    """Round to two decimals, halves up; 1e-9 makes up for what a float cannot hold."""
    return (numbers * 100 + 0.5 + 1e-9) // 1 / 100


def read_table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading of the page, without its header."""
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]
