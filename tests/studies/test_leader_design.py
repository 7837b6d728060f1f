"""LEADER's trial design: what the protocol's synopsis says, and what a transfer fills in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from read_back import read_csv, rows

from specs.load import load_specs

STUDY = Path(__file__).parents[2] / "mappings" / "leader"
RAW = STUDY / "raw" / "2020-01-06"
PROTOCOL = "studies/leader/docs/protocol.md"
SECOND = "studies/leader/transfers/2021-07-07"
ARM = "Lenvatinib 14 mg/day plus eribulin 1.1 mg/m2"
Read = Callable[[str], pd.DataFrame]

# The parameters that FDA's technical rejection criteria and study data guide ask of an interventional trial in patients.
ASKED_FOR = (
    "ACTSUB ADAPT ADDON AGEMAX AGEMIN COMPTRT CURTRT DCUTDESC DCUTDTC DOSE DOSFRQ DOSU FCNTRY HLTSUBJI INDIC INTMODEL INTTYPE "
    "LENGTH NARMS NCOHORT OBJPRIM OBJSEC OUTMSPRI OUTMSSEC PCLAS PLANSUB RANDOM REGID ROUTE SDTIGVER SDTMVER SENDTC SEXPOP "
    "SPONSOR SSTDTC STOPRULE STYPE TBLIND TCNTRL TDIGRP TINDTP TITLE TPHASE TRT TTYPE"
)


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path]) -> Path:
    """Run the first transfer once."""
    return run_study("leader")


def values(ts: pd.DataFrame, parameter: str) -> list[str]:
    """Return the values of a trial summary parameter, or its null flavours."""
    found = ts[ts["TSPARMCD"] == parameter]
    return [value or flavour for value, flavour in zip(found["TSVAL"], found["TSVALNF"], strict=True)]


def test_the_one_arm_has_three_elements(sdtm: Read) -> None:
    """Screening, treatment, follow-up; each element of the arm is described once in TE."""
    ta, te = sdtm("TA"), sdtm("TE")
    assert rows(ta, "ARMCD ARM TAETORD ETCD ELEMENT EPOCH") == [
        ["LENERI", ARM, "1", "SCRN", "Screening", "SCREENING"],
        ["LENERI", ARM, "2", "LENERI", "Lenvatinib + eribulin", "TREATMENT"],
        ["LENERI", ARM, "3", "FUP", "Follow-up", "FOLLOW-UP"],
    ]
    assert rows(te, "ETCD ELEMENT") == [
        ["FUP", "Follow-up"],
        ["LENERI", "Lenvatinib + eribulin"],
        ["SCRN", "Screening"],
    ]
    assert (te["TESTRL"] != "").all()


def test_the_arm_of_the_design_is_the_arm_of_the_subjects(sdtm: Read) -> None:
    """DM knows no arm that TA does not have."""
    dm = sdtm("DM")
    assert set(zip(dm["ARMCD"], dm["ARM"], strict=True)) == {("LENERI", ARM), ("", "")}


def test_every_criterion_of_the_protocol_is_there_word_by_word(sdtm: Read, shared: Callable[[str], Path]) -> None:
    """The table of the protocol's synopsis, line by line."""
    section = shared(PROTOCOL).read_text(encoding="utf-8").split("## Eligibility criteria")[1]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith(("| INCL", "| EXCL"))]
    wanted = {number.strip(): text.strip() for number, text in lines}
    ti = sdtm("TI")
    assert dict(zip(ti["IETESTCD"], ti["IETEST"], strict=True)) == wanted
    assert len(ti) == 33


def test_the_number_of_a_criterion_says_its_category(sdtm: Read) -> None:
    """INCL.. are inclusion, EXCL.. exclusion criteria."""
    ti = sdtm("TI")
    assert set(zip(ti["IETESTCD"].str.slice(0, 4), ti["IECAT"], strict=True)) == {
        ("INCL", "INCLUSION"),
        ("EXCL", "EXCLUSION"),
    }


@pytest.mark.parametrize(
    ("number", "visit", "day"),
    [
        (1, "SCREENING", ""),
        (11, "CYCLE 1 DAY 1", "1"),
        (18, "CYCLE 1 DAY 8", "8"),
        (208, "CYCLE 20 DAY 8", "407"),
        (1006, "TUMOR ASSESSMENT WEEK 6", "43"),
        (1024, "TUMOR ASSESSMENT WEEK 24", "169"),
        (1033, "TUMOR ASSESSMENT WEEK 33", "232"),
        (9000, "END OF TREATMENT", ""),
        (9010, "SAFETY FOLLOW-UP", ""),
        (9103, "SURVIVAL FOLLOW-UP 3", ""),
    ],
)
def test_visits_are_planned_as_the_protocol_says(sdtm: Read, number: float, visit: str, day: str) -> None:
    """VISITNUM, name and planned day by the table of visits; the arm does not matter."""
    tv = sdtm("TV")
    assert rows(tv[tv["VISITNUM"] == number], "VISIT VISITDY ARMCD") == [[visit, day, ""]]


def test_there_is_no_tumour_assessment_in_week_30(sdtm: Read) -> None:
    """Weeks 6, 12, 18, 24, then every nine weeks."""
    tv = sdtm("TV")
    weeks = tv.loc[tv["VISITNUM"].between(1001, 1999), "VISITNUM"] - 1000
    assert weeks.astype(int).tolist() == [6, 12, 18, 24, *range(33, 259, 9)]


def test_visits_of_the_second_transfer_are_planned_as_well(sdtm: Read, shared: Callable[[str], Path]) -> None:
    """Every cycle that anyone reached, every assessment and contact."""
    forms = {name: read_csv(shared(f"{SECOND}/{name}.csv")) for name in ("SV", "RS", "SU")}
    cycles = [row["Folder"] for row in forms["SV"] if row["Folder"][0] == "C"]
    wanted = {f"CYCLE {folder[1:].split('D')[0]} DAY {folder.split('D')[1]}" for folder in cycles}
    weeks = [row["RSWEEK"] for row in forms["RS"] if row["Folder"] == "TA" and row["RSWEEK"] != "UNS"]
    wanted |= {f"TUMOR ASSESSMENT WEEK {week}" for week in weeks}
    wanted |= {f"SURVIVAL FOLLOW-UP {row['InstanceRepeatNumber']}" for row in forms["SU"]}
    assert wanted <= set(sdtm("TV")["VISIT"])
    assert "CYCLE 31 DAY 1" in wanted


def test_every_parameter_that_an_agency_asks_for_has_a_value_or_says_why_not(sdtm: Read) -> None:
    """A value or a null flavour of ISO 21090, never both, never neither."""
    ts = sdtm("TS")
    assert set(ASKED_FOR.split()) <= set(ts["TSPARMCD"])
    assert ((ts["TSVAL"] != "") ^ (ts["TSVALNF"] != "")).all()
    assert set(ts["TSVALNF"]) == {"", "NA", "NAV", "OTH", "PINF", "UNK"}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("SSTDTC", ["2018-07-12"]),
        ("SENDTC", ["NAV"]),
        ("STYPE", ["INTERVENTIONAL"]),
        ("SPONSOR", ["National Taiwan University Hospital"]),
        ("REGID", ["NCT03526679"]),
        ("SPREFID", ["201801101MIPB"]),
        ("TPHASE", ["PHASE I/II TRIAL"]),
        ("RANDOM", ["N"]),
        ("TBLIND", ["OPEN LABEL"]),
        ("INTMODEL", ["SINGLE GROUP"]),
        ("HLTSUBJI", ["N"]),
        ("PLANSUB", ["30"]),
        ("AGEMIN", ["P20Y"]),
        ("AGEMAX", ["PINF"]),
        ("SEXPOP", ["BOTH"]),
        ("FCNTRY", ["TWN"]),
        ("OBJPRIM", ["Anti-tumour activity of lenvatinib plus eribulin"]),
        ("OBJSEC", ["Disease control over time", "Survival", "Safety and tolerability"]),
        ("OUTMSPRI", ["Objective response rate by RECIST 1.1 (24 weeks)"]),
        ("TRT", ["Eribulin mesylate", "Lenvatinib"]),
        ("DOSE", ["1.1", "14"]),
        ("SDTIGVER", ["3.4"]),
    ],
)
def test_what_the_synopsis_says(sdtm: Read, parameter: str, value: list[str]) -> None:
    """Item by item."""
    assert values(sdtm("TS"), parameter) == value


def test_the_cutoff_and_the_number_of_enrolled_come_from_the_transfer(sdtm: Read) -> None:
    """Enrolled by the raw form, without screening failures; the cut-off by the vendor's note."""
    ended = {row["Subject"]: row["EOSREAS_STD"] for row in read_csv(RAW / "EOS.csv")}
    forms = read_csv(RAW / "ENR.csv")
    enrolled = [row for row in forms if row["ENRYN_STD"] == "Y" and ended.get(row["Subject"]) != "4"]
    ts = sdtm("TS")
    assert values(ts, "ACTSUB") == [str(len(enrolled))] == ["22"]
    assert values(ts, "DCUTDTC") == ["2019-12-31"]
    cutoff = ts[ts["TSPARMCD"].isin(["DCUTDESC", "DCUTDTC"])]
    assert cutoff["TSGRPID"].tolist() == ["CUTOFF", "CUTOFF"]


# The codelist of a parameter's values (SDTMIG 3.4, 7.4.2); the other parameters have none of CDISC.
CODELISTS = {
    "DOSFRM": "FRM", "DOSFRQ": "FREQ", "DOSU": "UNIT", "INTMODEL": "C99076", "INTTYPE": "C99078", "ROUTE": "ROUTE",
    "SEXPOP": "C66732", "STYPE": "C99077", "TBLIND": "C66735", "TCNTRL": "C66785", "TINDTP": "C66736",
    "TPHASE": "C66737", "TTYPE": "C66739", "ADAPT": "NY", "ADDON": "NY", "EXTTIND": "NY", "HLTSUBJI": "NY",
    "ONGOSIND": "NY", "PDPSTIND": "NY", "PDSTIND": "NY", "PIPIND": "NY", "RANDOM": "NY",
}  # fmt: skip


def test_each_code_is_that_of_its_term(sdtm: Read) -> None:
    """TSVALCD is the C-code of a term of the parameter's codelist, in the version that the study uses."""
    specs = load_specs(standard="sdtmig-3.4", terminology="sdtm-2025-03-28")
    published = {
        (parameter, term.value): term.code
        for parameter, name in CODELISTS.items()
        if (codelist := specs.codelist(name)) is not None
        for term in codelist.terms
    }
    ts = sdtm("TS")
    coded = ts[ts["TSPARMCD"].isin(CODELISTS) & (ts["TSVAL"] != "")]
    wanted = [published[pair] for pair in zip(coded["TSPARMCD"], coded["TSVAL"], strict=True)]
    assert coded["TSVALCD"].tolist() == wanted
    assert set(coded["TSVCDREF"] + " " + coded["TSVCDVER"]) == {"CDISC CT 2025-03-28"}
    assert set(ts.loc[ts["TSVCDREF"] != "CDISC CT", "TSVCDVER"]) == {""}


def test_a_parameter_with_several_values_counts_them(sdtm: Read) -> None:
    """TSSEQ goes from 1 within a parameter."""
    ts = sdtm("TS")
    assert rows(ts[ts["TSPARMCD"] == "TTYPE"], "TSSEQ TSVAL") == [
        ["1", "EFFICACY"],
        ["2", "SAFETY"],
        ["3", "TOLERABILITY"],
    ]
