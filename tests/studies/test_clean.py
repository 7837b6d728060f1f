"""One clean study, every value of it: the study that ``trialmill new`` makes has no finding of any severity."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from trialmill.commands import make_sdtm
from trialmill.run import Run, run_sdtm
from trialmill.skeleton import make_study
from trialmill.study import read_study

NUMBERS = {
    "AGE", "AESEQ", "AELLTCD", "AEPTCD", "AEHLTCD", "AEHLGTCD", "AEBDSYCD", "AESOCCD", "AESTDY", "AEENDY",
    "EXSEQ", "EXDOSE", "EXSTDY", "EXENDY",
}  # fmt: skip

# One line per variable, in the order of the dataset; one column per record.
EXPECTED = {
    "DM": """
    STUDYID  | EXAMPLE                | EXAMPLE                | EXAMPLE                   | EXAMPLE
    DOMAIN   | DM                     | DM                     | DM                        | DM
    USUBJID  | EXAMPLE-01-001         | EXAMPLE-01-002         | EXAMPLE-02-001            | EXAMPLE-02-002
    SUBJID   | 01-001                 | 01-002                 | 02-001                    | 02-002
    RFSTDTC  | 2024-02-05             | 2024-02-19             | 2024-03-11                |
    RFENDTC  | 2024-05-27             | 2024-06-10             | 2024-04-21                |
    RFXSTDTC | 2024-02-05             | 2024-02-19             | 2024-03-11                |
    RFXENDTC | 2024-05-27             | 2024-06-10             | 2024-04-21                |
    RFICDTC  | 2024-01-29             | 2024-02-12             | 2024-03-04                | 2024-03-11
    RFPENDTC | 2024-06-24             | 2024-06-28             | 2024-05-10                | 2024-03-13
    DTHDTC   |                        |                        |                           |
    DTHFL    |                        |                        |                           |
    SITEID   | 01                     | 01                     | 02                        | 02
    BRTHDTC  | 1971-10-14             | 1960                   | 1985-11-30                | 1979-07-08
    AGE      | 52                     | 63                     | 38                        | 44
    AGEU     | YEARS                  | YEARS                  | YEARS                     | YEARS
    SEX      | F                      | M                      | F                         | M
    RACE     | ASIAN                  | WHITE                  | BLACK OR AFRICAN AMERICAN | ASIAN
    ETHNIC   | NOT HISPANIC OR LATINO | HISPANIC OR LATINO     | NOT HISPANIC OR LATINO    | NOT HISPANIC OR LATINO
    ARMCD    | DRUGA                  | DRUGA                  | DRUGA                     |
    ARM      | Drug A 10 mg           | Drug A 10 mg           | Drug A 10 mg              |
    ACTARMCD | DRUGA                  | DRUGA                  | DRUGA                     |
    ACTARM   | Drug A 10 mg           | Drug A 10 mg           | Drug A 10 mg              |
    ARMNRS   |                        |                        |                           | SCREEN FAILURE
    ACTARMUD |                        |                        |                           |
    COUNTRY  | TWN                    | TWN                    | TWN                       | TWN
        """,
    "EX": """
    STUDYID  | EXAMPLE        | EXAMPLE        | EXAMPLE        | EXAMPLE
    DOMAIN   | EX             | EX             | EX             | EX
    USUBJID  | EXAMPLE-01-001 | EXAMPLE-01-001 | EXAMPLE-01-002 | EXAMPLE-02-001
    EXSEQ    | 1              | 2              | 1              | 1
    EXSPID   | 3001           | 3002           | 3003           | 3004
    EXTRT    | DRUG A         | DRUG A         | DRUG A         | DRUG A
    EXDOSE   | 10             | 5              | 10             | 10
    EXDOSU   | mg             | mg             | mg             | mg
    EXDOSFRM | TABLET         | TABLET         | TABLET         | TABLET
    EXDOSFRQ | QD             | QD             | QD             | QD
    EXROUTE  | ORAL           | ORAL           | ORAL           | ORAL
    EPOCH    | TREATMENT      | TREATMENT      | TREATMENT      | TREATMENT
    EXSTDTC  | 2024-02-05     | 2024-03-04     | 2024-02-19     | 2024-03-11
    EXENDTC  | 2024-03-03     | 2024-05-27     | 2024-06-10     | 2024-04-21
    EXSTDY   | 1              | 29             | 1              | 1
    EXENDY   | 28             | 113            | 113            | 42
        """,
    "AE": """
    STUDYID  | EXAMPLE                  | EXAMPLE                    | EXAMPLE
    DOMAIN   | AE                       | AE                         | AE
    USUBJID  | EXAMPLE-01-001           | EXAMPLE-01-001             | EXAMPLE-02-001
    AESEQ    | 1                        | 2                          | 1
    AESPID   | 2001                     | 2002                       | 2003
    AETERM   | bad headache             | Nausea                     | Hip fracture
    AELLT    |                          |                            |
    AELLTCD  |                          |                            |
    AEDECOD  | Headache                 | Nausea                     | Hip fracture
    AEPTCD   |                          |                            |
    AEHLT    |                          |                            |
    AEHLTCD  |                          |                            |
    AEHLGT   |                          |                            |
    AEHLGTCD |                          |                            |
    AEBODSYS | Nervous system disorders | Gastrointestinal disorders | Injury, poisoning and procedural complications
    AEBDSYCD |                          |                            |
    AESOC    | Nervous system disorders | Gastrointestinal disorders | Injury, poisoning and procedural complications
    AESOCCD  |                          |                            |
    AESEV    | MODERATE                 | MILD                       | SEVERE
    AESER    | N                        | N                          | Y
    AEACN    | DOSE REDUCED             | DOSE NOT CHANGED           | DRUG WITHDRAWN
    AEREL    | RELATED                  | RELATED                    | NOT RELATED
    AEOUT    | RECOVERED/RESOLVED       | NOT RECOVERED/NOT RESOLVED | RECOVERED/RESOLVED
    AESHOSP  | N                        | N                          | Y
    EPOCH    | TREATMENT                |                            | TREATMENT
    AESTDTC  | 2024-02-28T07:30         | 2024-05                    | 2024-04-20
    AEENDTC  | 2024-03-01               |                            | 2024-05-10
    AESTDY   | 24                       |                            | 41
    AEENDY   | 26                       |                            | 61
    AEENRTPT |                          | ONGOING                    |
    AEENTPT  |                          | 2024-06-30                 |
        """,
    "SUPPAE": """
    STUDYID  | EXAMPLE                       | EXAMPLE
    RDOMAIN  | AE                            | AE
    USUBJID  | EXAMPLE-01-001                | EXAMPLE-02-001
    IDVAR    | AESEQ                         | AESEQ
    IDVARVAL | 1                             | 1
    QNAM     | AETRTTXT                      | AETRTTXT
    QLABEL   | Treatment Given for the Event | Treatment Given for the Event
    QVAL     | Paracetamol                   | Surgery
    QORIG    | CRF                           | CRF
    QEVAL    |                               |
        """,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "study"
    make_study(folder)
    return folder


@pytest.fixture(scope="module")
def run(study: Path) -> Run:
    return run_sdtm(read_study(study))


def test_no_finding_of_any_severity(run: Run) -> None:
    """No error, no warning, no note, nothing waived; every check ran and passed."""
    assert run.findings == []
    assert run.waived == []
    assert {str(check.outcome) for check in run.checks} == {"passed"}


def test_these_datasets_and_no_others(run: Run) -> None:
    """Three domains and the supplemental qualifiers of one."""
    assert sorted(run.datasets()) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_value(name: str, run: Run) -> None:
    """Every variable in its order and type, every value of every record."""
    pd.testing.assert_frame_equal(run.datasets()[name], read_expected(name))


def test_xpt_files_hold_the_same(study: Path, tmp_path: Path) -> None:
    """The command exits 0, and an independent reader finds every value in the files."""
    assert make_sdtm(study, raw=None, out=tmp_path, cutoff="", fail_on="note") == 0
    assert sorted(path.stem.upper() for path in (tmp_path / "sdtm").iterdir()) == sorted(EXPECTED)
    for name in EXPECTED:
        data, _ = pyreadstat.read_xport(str(tmp_path / "sdtm" / f"{name.lower()}.xpt"))
        types = {column: "float64" if column in NUMBERS else "str" for column in data}
        pd.testing.assert_frame_equal(data.astype(types), read_expected(name))


def read_expected(name: str) -> pd.DataFrame:
    """Read a table of this file: a variable per line, numbers where the standard has numbers."""
    lines = [line.split("|") for line in EXPECTED[name].strip().splitlines()]
    columns = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines}
    return pd.DataFrame({column: _column(column, cells) for column, cells in columns.items()})


def _column(name: str, cells: list[str]) -> pd.Series:
    if name in NUMBERS:
        return pd.Series([float(cell or "nan") for cell in cells], dtype="float64")
    return pd.Series(cells, dtype="str")
