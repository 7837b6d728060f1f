"""ERIANLO, the second transfer through the same mapping: measurements and lesions against the raw files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from read_back import read_csv, read_findings

TRANSFERS = "studies/anlotinib-breast/transfers"
DATASETS = {"CO", "CV", "EG", "FA", "GF", "LB", "MI", "RP", "RS", "TR", "TU", "VS"}


@pytest.fixture(scope="module")
def out(run_study: Callable[..., Path], shared: Callable[[str], Path]) -> Path:
    """Run the study on the second transfer once."""
    return run_study("anlotinib-breast", raw=shared("studies/anlotinib-breast/transfers/2023-04-06"))


@pytest.fixture(scope="module")
def raw(shared):
    """Return a function that reads a CSV file of a transfer with the standard library."""

    def read(name: str, *, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
        return read_csv(shared(f"{TRANSFERS}/{name}"), encoding=encoding)

    return read


def test_every_laboratory_row_is_a_record(sdtm, raw):
    """None is after the cut-off of 2023-03-31; EA032 is EA031, screened again."""
    given = Counter(row["受试者编号"] for row in raw("2023-04-06/LIS_20230406.csv", encoding="gb18030"))
    given["EA031"] += given.pop("EA032")
    assert Counter(sdtm("LB")["USUBJID"]) == Counter({f"ERIANLO-01-{number}": n for number, n in given.items()})


def test_a_subject_with_another_number_has_what_came_under_the_old_one(sdtm, raw):
    """Record 14 of the first transfer is record 48 now: the lesions and the laboratory of then are under EA048."""
    first = raw("2022-05-09/ERIANLO_DATA_2022-04-30.csv")
    lesions = Counter(
        (row["tl_id"], f"A{row['tl_visit']}", row["tl_diam"])
        for row in first
        if row["record_id"] == "14" and row["tl_id"]
    )
    tr = sdtm("TR")
    assert "ERIANLO-01-EA014" not in set(tr["USUBJID"])
    now = tr[(tr["USUBJID"] == "ERIANLO-01-EA048") & tr["TRTESTCD"].isin(["LDIAM", "LPERP"])]
    assert lesions and lesions <= Counter(zip(now["TRLNKID"], now["TRLNKGRP"], now["TRSTRESC"], strict=True))
    samples = {
        row["条码号"]
        for row in raw("2022-05-09/LIS_20220509.csv", encoding="gb18030")
        if row["受试者编号"] == "EA014"
    }
    lb = sdtm("LB")
    assert "ERIANLO-01-EA014" not in set(lb["USUBJID"])
    assert samples <= set(lb.loc[lb["USUBJID"] == "ERIANLO-01-EA048", "LBREFID"])


def test_lesions_without_a_baseline_are_identified_when_they_are_first_seen(sdtm):
    """EA035 had no imaging at baseline: its lesions are of week 6, and no response can be told."""
    tu, rs, co = sdtm("TU"), sdtm("RS"), sdtm("CO")
    lesions = tu[tu["USUBJID"] == "ERIANLO-01-EA035"]
    assert set(lesions["VISIT"]) == {"TUMOUR ASSESSMENT WEEK 6"}
    assert set(lesions["TUTESTCD"]) == {"TUMIDENT"}
    responses = rs[(rs["USUBJID"] == "ERIANLO-01-EA035") & (rs["RSTESTCD"] == "OVRLRESP")]
    assert set(responses["RSSTRESC"]) == {"NE"}
    assert set(co.loc[co["USUBJID"] == "ERIANLO-01-EA035", "COVAL"]) == {"No baseline imaging, not evaluable"}


def test_what_is_wrong_in_the_raw_data_is_reported(out):
    """This and nothing else, and every error was accepted with a reason."""
    found = [row for row in read_findings(out) if row["severity"] != "note" and row["dataset"] in DATASETS]
    assert Counter((row["rule"], row["dataset"], row["values"].strip()) for row in found) == {
        # as in the first transfer
        ("MAP-UNIT", "LB", "156"): 1,
        ("MAP-JOIN-NONE", "LB", "8 / 1"): 5,
        ("MAP-JOIN-NONE", "LB", "/ 2"): 6,
        ("SDTM-SUBJECT", "LB", "ERIANLO-01-EA099"): 1,
        ("MAP-JOIN-NONE", "TR", "18 / T01 / 7"): 1,
        ("MAP-RECODE", "RS", "CR WHERE PR IS EXPECTED"): 1,
        # lesions without a baseline; a height in metres; a lesion that is listed as new beside the answer no
        ("MAP-JOIN-NONE", "TR", "35 / T01 / 2"): 3,
        ("MAP-JOIN-NONE", "TR", "35 / T02 / 2"): 3,
        ("MAP-RECODE", "VS", "HEIGHT 1.59 CM"): 1,
        ("MAP-RECODE", "TR", "NEW LESION, ANSWER NO"): 1,
    }
    assert all(row["explanation"] for row in found if row["severity"] == "error")
