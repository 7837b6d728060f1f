"""Transport files written and read, with pyreadstat as the independent reader."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

from specs.findings import Finding, Severity
from trialmill import xpt, xpt_check
from trialmill.xpt import XptDataset, XptReadError, XptVariable, check_xpt, read_xpt, write_xpt

STAMP = datetime(2024, 2, 29, 13, 5, 9)
OBSERVATIONS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!" + b"0" * 30 + b"  "


def vital_signs(**changed: Any) -> XptDataset:
    """Return a small dataset with text, whole and broken numbers, a date, a short number and missing values."""
    variables = (
        XptVariable("USUBJID", "Unique Subject Identifier", "Char", 8),
        XptVariable("VSSEQ", "Sequence Number", "Num", 8),
        XptVariable("VSTESTCD", "Vital Signs Test Short Name", "Char", 8, "$8."),
        XptVariable("VSSTRESN", "Numeric Result/Finding", "Num", 8, "8.2", "BEST12."),
        XptVariable("VSDT", "Date of Measurements", "Num", 4, "DATE9."),
        XptVariable("VSORRESU", "Original Units", "Char", 10),
    )
    data = pd.DataFrame(
        {
            "USUBJID": ["S-001", "S-001", "S-002"],
            "VSSEQ": [1.0, 2.0, 1.0],
            "VSTESTCD": ["TEMP", "SYSBP", "TEMP"],
            "VSSTRESN": [36.6, 118.0, math.nan],
            "VSDT": [22000.0, 22000.0, 22001.0],
            "VSORRESU": ["C", "mmHg", ""],
        }
    )
    return replace(XptDataset("VS", "Vital Signs", variables, data), **changed)


def text_dataset(values: Sequence[Any], *, length: int = 8, dtype: Any = "str") -> XptDataset:
    return XptDataset(
        "AE",
        "Adverse Events",
        (XptVariable("AETERM", "Reported Term", "Char", length),),
        pd.DataFrame({"AETERM": pd.Series(list(values), dtype=dtype)}),
    )


def number_dataset(values: Any, *, length: int = 8) -> XptDataset:
    return XptDataset(
        "LB",
        "Laboratory Tests",
        (XptVariable("LBSTRESN", "Numeric Result", "Num", length),),
        pd.DataFrame({"LBSTRESN": values}),
    )


def rules(findings: Sequence[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def write(path: Path, *datasets: XptDataset, encoding: str = "ascii") -> Path:
    findings = write_xpt(path, datasets, stamp=STAMP, encoding=encoding)
    assert not [str(finding) for finding in findings if finding.severity == Severity.ERROR]
    return path


def read_with_pyreadstat(path: Path, dataset: XptDataset, **keywords: Any) -> tuple[pd.DataFrame, Any]:
    data, meta = pyreadstat.read_xport(path, disable_datetime_conversion=True, **keywords)
    types = {"Char": "str", "Num": "float64"}
    return data.astype({variable.name: types[variable.type] for variable in dataset.variables}), meta


# -- round trips -----------------------------------------------------------------------------------------------------


def test_everything_comes_back(tmp_path: Path) -> None:
    """Values, labels, lengths, formats, informats, the dataset's label and the stamps come back as written."""
    written = vital_signs()
    (read,) = read_xpt(write(tmp_path / "vs.xpt", written))
    assert_frame_equal(read.data, written.data)
    assert (read.name, read.label, read.variables) == (written.name, written.label, written.variables)
    assert (read.created, read.modified) == (STAMP, STAMP)
    assert (read.facts["version"], read.facts["encoding"]) == ("5", "ascii")


def test_pyreadstat_reads_the_same(tmp_path: Path) -> None:
    """The independent reader sees the same values, labels, formats, text lengths, name and dataset label."""
    written = vital_signs()
    data, meta = read_with_pyreadstat(write(tmp_path / "vs.xpt", written), written)
    assert_frame_equal(data, written.data)
    assert meta.column_labels == [variable.label for variable in written.variables]
    assert (meta.table_name, meta.file_label) == ("VS", "Vital Signs")
    assert meta.variable_storage_width["VSORRESU"] == 10
    assert {name: meta.original_variable_types[name] for name in ("VSSTRESN", "VSDT", "VSTESTCD")} == {
        "VSSTRESN": "8.2",
        "VSDT": "DATE9",
        "VSTESTCD": "$8",
    }


def test_same_input_same_bytes(tmp_path: Path) -> None:
    """The stamps come from the caller: two writes are the same file; another stamp is another."""
    first, second = (write(tmp_path / name, vital_signs()).read_bytes() for name in ("a.xpt", "b.xpt"))
    assert first == second
    assert first[144:160] == b"29FEB24:13:05:09"
    assert (
        b"29FEB24" not in write(tmp_path / "c.xpt", vital_signs(created=datetime(1999, 1, 2))).read_bytes()[464:480]
    )


def test_several_datasets_in_one_file(tmp_path: Path) -> None:
    """Three datasets, one of them without rows, come back apart, each with its own variables."""
    empty = replace(text_dataset([]), name="CM", type="TRIAL")
    read = read_xpt(write(tmp_path / "all.xpt", vital_signs(), empty, text_dataset(["Headache", "Rash"])))
    assert [(dataset.name, len(dataset.data), dataset.type) for dataset in read] == [
        ("VS", 3, ""),
        ("CM", 0, "TRIAL"),
        ("AE", 2, ""),
    ]
    assert_frame_equal(read[0].data, vital_signs().data)
    assert_frame_equal(read[1].data, empty.data)


def test_chunks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and read two rows at a time the file and the data are the same."""
    whole = write(tmp_path / "a.xpt", vital_signs(special={"VSSTRESN": pd.Series([".N"], index=[2])})).read_bytes()
    monkeypatch.setattr(xpt, "WRITE_BYTES", 2 * 46)
    monkeypatch.setattr(xpt, "READ_BYTES", 2 * 46)
    dataset = vital_signs(special={"VSSTRESN": pd.Series([".N"], index=[2])})
    path = write(tmp_path / "b.xpt", dataset)
    (read,) = read_xpt(path)
    assert path.read_bytes() == whole
    assert_frame_equal(read.data, dataset.data)
    assert read.special["VSSTRESN"].to_dict() == {2: ".N"}


def test_special_missing_values(tmp_path: Path) -> None:
    """.A to .Z and ._ are read as missing with their letters beside; the plain . has none."""
    data = pd.DataFrame({"LBSTRESN": [1.5, math.nan, math.nan, math.nan]}, index=[10, 20, 30, 40])
    special = {"LBSTRESN": pd.Series([".A", "._"], index=[20, 40], dtype="str")}
    written = replace(number_dataset([]), data=data, special=special)
    path = write(tmp_path / "lb.xpt", written)
    (read,) = read_xpt(path)
    assert read.data["LBSTRESN"].isna().tolist() == [False, True, True, True]
    assert_series_equal(read.special["LBSTRESN"], pd.Series([".A", "._"], index=[1, 3], dtype="str"))
    assert write(tmp_path / "again.xpt", read).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("length", [3, 4, 5, 6, 7, 8])
def test_short_numbers(tmp_path: Path, length: int) -> None:
    """A number declared shorter than 8 bytes is stored in as many, missing values too."""
    (read,) = read_xpt(write(tmp_path / "lb.xpt", number_dataset([1.0, -250.0, math.nan, 0.0], length=length)))
    assert read.data["LBSTRESN"].tolist() == pytest.approx([1.0, -250.0, math.nan, 0.0], nan_ok=True)
    assert read.variables[0].length == length


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["Rash", "", "Itch"], dtype="str"),
        pd.Series(["Rash", None, "Itch"], dtype=object),
        pd.Series(["Rash", np.nan, "Itch"], dtype=object),
        pd.Series(["Rash", pd.NA, "Itch"], dtype="string"),
        pd.Series(["Rash", pd.NA, "Itch"], dtype="string[python]"),
        pd.Series(["Rash", None, "Itch"], dtype="category"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_text_of_any_dtype(tmp_path: Path, column: pd.Series) -> None:
    """Text is text however pandas holds it; missing goes in as blanks and comes back empty."""
    (read,) = read_xpt(write(tmp_path / "ae.xpt", text_dataset(column, dtype=column.dtype)))
    assert_series_equal(read.data["AETERM"], pd.Series(["Rash", "", "Itch"], dtype="str", name="AETERM"))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, np.nan, 3.0]),
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1, None, 3], dtype="Float64"),
        pd.Series([1, None, 3], dtype=object),
        pd.Series([1, None, 3], dtype="double[pyarrow]"),
        pd.Series([1.0, None, 3.0], dtype="category"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_numbers_of_any_dtype(tmp_path: Path, column: pd.Series) -> None:
    """Numbers are numbers however pandas holds them; missing stays missing."""
    (read,) = read_xpt(write(tmp_path / "lb.xpt", number_dataset(column)))
    assert read.data["LBSTRESN"].tolist() == pytest.approx([1.0, math.nan, 3.0], nan_ok=True)


def test_columns_without_any_value(tmp_path: Path) -> None:
    """A column of missing values alone fits either type, whatever dtype it was left with."""
    written = vital_signs()
    written.data["VSORRESU"] = np.nan
    written.data["VSDT"] = pd.Series([None] * 3, dtype=object)
    (read,) = read_xpt(write(tmp_path / "vs.xpt", written))
    assert read.data["VSORRESU"].tolist() == ["", "", ""]
    assert read.data["VSDT"].isna().all()


VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
NUMBERS = st.floats(-1e75, 1e75).filter(lambda value: value == 0 or abs(value) > 1e-78) | st.just(math.nan)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(VALUES, NUMBERS, VALUES), max_size=30))
def test_any_frame_survives(tmp_path: Path, rows: list[tuple[str, float, str]]) -> None:
    """Whatever the values, both readers give back the frame that was written."""
    variables = tuple(XptVariable(name, "", type_, 8) for name, type_ in (("A", "Char"), ("B", "Num"), ("C", "Char")))
    data = pd.DataFrame(rows, columns=["A", "B", "C"]).astype({"A": "str", "B": "float64", "C": "str"})
    path = write(tmp_path / "x.xpt", XptDataset("X", "", variables, data))
    (read,) = read_xpt(path)
    assert_frame_equal(read.data, data, check_exact=True)
    assert_frame_equal(read_with_pyreadstat(path, read)[0], data, check_exact=True)


# -- findings --------------------------------------------------------------------------------------------------------

LONG = "x" * 201


@pytest.mark.parametrize(
    ("dataset", "rule"),
    [
        (number_dataset([math.inf]), "XPT-NUMBER-INFINITE"),
        (number_dataset([-math.inf]), "XPT-NUMBER-INFINITE"),
        (number_dataset([2.0**252]), "XPT-NUMBER-RANGE"),
        (number_dataset([1e-80]), "XPT-NUMBER-RANGE"),
        (number_dataset([5e-324]), "XPT-NUMBER-RANGE"),
        (number_dataset([36.6], length=3), "XPT-NUMBER-LENGTH"),
        (number_dataset(pd.Series([2**53 + 1])), "XPT-NUMBER-PRECISION"),
        (number_dataset(pd.Series([10**20 + 1], dtype=object)), "XPT-NUMBER-PRECISION"),
        (number_dataset(["1.5"]), "XPT-TYPE"),
        (number_dataset([True]), "XPT-TYPE"),
        (number_dataset(pd.to_datetime(["2024-02-29"])), "XPT-TYPE"),
        (number_dataset(pd.to_timedelta(["1 day"])), "XPT-TYPE"),
        (number_dataset([1 + 2j]), "XPT-TYPE"),
        (number_dataset([1.0], length=9), "XPT-LENGTH"),
        (number_dataset([1.0], length=2), "XPT-LENGTH"),
        (text_dataset([1.5], dtype=float), "XPT-TYPE"),
        (text_dataset(["a", 1], dtype=object), "XPT-TYPE"),
        (text_dataset([b"a"], dtype=object), "XPT-TYPE"),
        (text_dataset(pd.to_datetime(["2024-02-29"]), dtype="datetime64[ns]"), "XPT-TYPE"),
        (text_dataset(["Headache!"]), "XPT-TEXT-LENGTH"),
        (text_dataset([LONG], length=200), "XPT-TEXT-200"),
        (text_dataset(["≥ 3"]), "XPT-TEXT-ENCODING"),
        (text_dataset(["\ud800"], dtype=object), "XPT-TEXT-ENCODING"),
        (text_dataset(["a\0b"]), "XPT-TEXT-NUL"),
        (text_dataset(["a"], length=201), "XPT-LENGTH"),
        (text_dataset(["a"], length=0), "XPT-LENGTH"),
        (text_dataset(["a", "", ""]), "XPT-BLANK-ROWS"),
        (vital_signs(label="x" * 41), "XPT-LABEL"),
        (vital_signs(label="Größe"), "XPT-LABEL"),
        (vital_signs(name="VITALSIGN"), "XPT-NAME"),
        (vital_signs(type="TOO LONG A TYPE"), "XPT-NAME"),
        (vital_signs(data=vital_signs().data.assign(EXTRA="x")), "XPT-COLUMNS"),
        (vital_signs(data=vital_signs().data.drop(columns="VSDT")), "XPT-COLUMNS"),
        (vital_signs(data=vital_signs().data.rename(columns={"VSDT": 5})), "XPT-COLUMNS"),
        (vital_signs(special={"VSSEQ": pd.Series([".A"], index=[0])}), "XPT-SPECIAL"),
        (vital_signs(special={"VSSTRESN": pd.Series([".a"], index=[2])}), "XPT-SPECIAL"),
        (vital_signs(special={"VSSTRESN": pd.Series([".A"], index=[99])}), "XPT-SPECIAL"),
        (vital_signs(special={"NOSUCH": pd.Series([".A"], index=[2])}), "XPT-SPECIAL"),
        (XptDataset("DM", "", (), pd.DataFrame()), "XPT-EMPTY"),
    ],
)
def test_what_cannot_be_held_is_found(tmp_path: Path, dataset: XptDataset, rule: str) -> None:
    """Each is an error with its rule; nothing is written, nothing changed, and an older file stays."""
    path = tmp_path / "out.xpt"
    path.write_text("the file of yesterday", encoding="ascii")
    before = dataset.data.copy()
    findings = write_xpt(path, [dataset], stamp=STAMP)
    assert rule in rules(findings)
    assert all(finding.severity == Severity.ERROR and finding.cure for finding in findings)
    assert path.read_text(encoding="ascii") == "the file of yesterday"
    assert [file.name for file in tmp_path.iterdir()] == ["out.xpt"]
    assert_frame_equal(dataset.data, before)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("X-1", "a character other than"),
        ("1X", "begins with a digit"),
        ("GRÖSSE", "a character other than"),
        ("aeterm", "lower-case"),
        ("TOOLONGNAME", "11 characters"),
        ("", "empty"),
    ],
)
def test_names(name: str, reason: str) -> None:
    """A name is A-Z, 0-9 and _, at most eight, and begins with no digit; the finding says which of these it broke."""
    dataset = text_dataset(["a"])
    renamed = replace(
        dataset, variables=(replace(dataset.variables[0], name=name),), data=pd.DataFrame({name: ["a"]})
    )
    (finding,) = check_xpt([renamed])
    assert (finding.rule, reason in finding.message) == ("XPT-NAME", True)


@pytest.mark.parametrize(
    ("type_", "format_", "fits"),
    [
        ("Num", "DATE9.", True),
        ("Num", "8.2", True),
        ("Num", "E8601DA10.", True),
        ("Num", "BEST.", True),
        ("Char", "$20.", True),
        ("Char", "$CHAR20.", True),
        ("Num", "DATE9", False),
        ("Num", "date9.", False),
        ("Num", "$20.", False),
        ("Char", "DATE9.", False),
        ("Num", "LONGFORMAT9.", False),
        ("Num", ".", False),
    ],
)
def test_formats(type_: Any, format_: str, fits: bool) -> None:
    """A format is written as SAS does, its name of eight characters at most and of the variable's type."""
    value: Any = "a" if type_ == "Char" else 1.0
    variable = XptVariable("A", "", type_, 8, format_)
    findings = check_xpt([XptDataset("X", "", (variable,), pd.DataFrame({"A": [value]}))])
    assert rules(findings) == ([] if fits else ["XPT-FORMAT"])


def test_one_finding_a_variable_and_kind() -> None:
    """A thousand long values are one finding with their count, the first rows and the first values."""
    values = ["short"] * 10 + [f"longer than eight {number}" for number in range(1000)]
    (finding,) = check_xpt([text_dataset(values)])
    assert finding.message == "1000 values need more than the 8 bytes declared; first in row 11, 12, 13"
    assert finding.values == ("longer than eight 0", "longer than eight 1", "longer than eight 2")
    assert (finding.dataset, finding.variables) == ("AE", ("AETERM",))


def test_rows_are_counted_over_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked two rows at a time the findings name the same rows, in a frame that is part of another."""
    values = ["first", "x", None, "é", "toolongvalue", "a", "b ", "x\0y", "toolongvalue", "last"]
    whole = text_dataset(values, dtype=object)
    part = replace(whole, data=whole.data.astype("str").iloc[1:])
    expected = {
        "XPT-TEXT-ENCODING": "row 3",
        "XPT-TEXT-LENGTH": "row 4, 8",
        "XPT-TEXT-TRAILING": "row 6",
        "XPT-TEXT-NUL": "row 7",
    }
    for rows in (1 << 16, 2, 3):
        monkeypatch.setattr(xpt_check, "CHUNK_ROWS", rows)
        found = {finding.rule: finding.message.partition("first in ")[2] for finding in check_xpt([part])}
        assert found == expected


def test_trailing_blanks_are_a_warning(tmp_path: Path) -> None:
    """Trailing blanks cannot be told from padding: said, and written."""
    path = tmp_path / "ae.xpt"
    (finding,) = write_xpt(path, [text_dataset([" ", "Rash "])], stamp=STAMP)
    assert (finding.rule, finding.severity) == ("XPT-TEXT-TRAILING", Severity.WARNING)
    assert read_xpt(path)[0].data["AETERM"].tolist() == ["", "Rash"]


def test_names_twice() -> None:
    """Two variables of one name, two datasets of one name: found, and the values are not looked at."""
    dataset = text_dataset(["a"])
    twice = replace(dataset, variables=dataset.variables * 2)
    assert rules(check_xpt([twice])) == ["XPT-NAME-TWICE"]
    assert rules(check_xpt([dataset, dataset])) == ["XPT-NAME-TWICE"]
    assert rules(check_xpt([])) == ["XPT-EMPTY"]


# -- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "value", "size"),
    [("utf-8", "≥5 µg", 8), ("cp1252", "5 µg é", 6), ("gb18030", "肿瘤 A", 6), ("ascii", "plain", 5)],
)
def test_encodings(tmp_path: Path, encoding: str, value: str, size: int) -> None:
    """Length is counted in bytes of the encoding asked for; one byte less is an error and never a cut character."""
    dataset = text_dataset([value, "a"], length=size)
    path = write(tmp_path / "ae.xpt", dataset, encoding=encoding)
    (read,) = read_xpt(path, encoding=encoding)
    assert read.data["AETERM"].tolist() == [value, "a"]
    short = text_dataset([value, "a"], length=size - 1)
    assert rules(check_xpt([short], encoding=encoding)) == ["XPT-TEXT-LENGTH"]


def test_labels_are_counted_in_bytes() -> None:
    """21 letters of two bytes each are 42 bytes: over the 40 of a label."""
    assert rules(check_xpt([vital_signs(label="é" * 21)], encoding="utf-8")) == ["XPT-LABEL"]
    assert rules(check_xpt([vital_signs(label="é" * 20)], encoding="utf-8")) == []
    assert rules(check_xpt([vital_signs(label="é" * 21)], encoding="cp1252")) == []


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
def test_the_encoding_found_is_said(tmp_path: Path, encoding: str) -> None:
    """Without being told, the reader takes ASCII, then UTF-8, then cp1252, for the whole file, and says which."""
    value = "plain" if encoding == "ascii" else "5 µg"
    (read,) = read_xpt(write(tmp_path / "ae.xpt", text_dataset(["a", value]), encoding=encoding))
    assert (read.facts["encoding"], read.data["AETERM"].tolist()) == (encoding, ["a", value])


def test_text_in_no_encoding_tried(tmp_path: Path) -> None:
    """Byte 0x81 is neither UTF-8 nor cp1252: the reader asks for the encoding."""
    path = write(tmp_path / "ae.xpt", text_dataset(["plain"]))
    path.write_bytes(path.read_bytes().replace(b"plain", b"\x81lain"))
    with pytest.raises(XptReadError, match="AETERM from here on is not cp1252 text; say which encoding"):
        read_xpt(path)


@pytest.mark.parametrize("encoding", ["utf-16", "no-such", "utf-7", "rot13", "hex"])
def test_encodings_that_no_file_can_have(tmp_path: Path, encoding: str) -> None:
    """An unknown encoding, or one in which ASCII is not ASCII, is a fault of the call."""
    with pytest.raises(ValueError, match="encoding"):
        check_xpt([vital_signs()], encoding=encoding)
    with pytest.raises(ValueError, match="encoding"):
        read_xpt(tmp_path / "any.xpt", encoding=encoding)


def test_stamps_that_two_digits_cannot_say(tmp_path: Path) -> None:
    """A year is kept as two digits: 1960 to 2059 come back, others are refused."""
    for year in (1960, 1999, 2000, 2059):
        path = tmp_path / f"{year}.xpt"
        write_xpt(path, [vital_signs()], stamp=datetime(year, 12, 31))
        assert read_xpt(path)[0].created == datetime(year, 12, 31)
    with pytest.raises(ValueError, match="1960 to 2059"):
        write_xpt(tmp_path / "no.xpt", [vital_signs()], stamp=datetime(2060, 1, 1))


# -- the format's ambiguity ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 7, 8, 30, 79, 80, 81, 100])
@pytest.mark.parametrize("filled", [0, 1, 3])
@pytest.mark.parametrize("blank", [0, 1, 5])
def test_blank_last_rows(tmp_path: Path, length: int, filled: int, blank: int) -> None:
    """Blank rows at the end either come back or were reported before writing; those in the middle always do."""
    dataset = text_dataset(["", *["x"] * filled, *[""] * blank], length=length)
    path = tmp_path / "ae.xpt"
    findings = write_xpt(path, [dataset], stamp=STAMP)
    if findings:
        assert rules(findings) == ["XPT-BLANK-ROWS"]
        assert blank or not filled
    else:
        assert read_xpt(path)[0].data["AETERM"].tolist() == dataset.data["AETERM"].tolist()


def test_blank_rows_in_the_middle_of_two_datasets(tmp_path: Path) -> None:
    """The padding of the first dataset does not eat rows and the second begins where it should."""
    dataset = text_dataset(["a", "", "", "b"], length=3)
    read = read_xpt(write(tmp_path / "two.xpt", dataset, replace(dataset, name="CM")))
    assert [each.data["AETERM"].tolist() for each in read] == [["a", "", "", "b"]] * 2


# -- version 8, old machines, damage ---------------------------------------------------------------------------------


def write_version_8(path: Path, name: str, **formats: str) -> pd.DataFrame:
    data = pd.DataFrame(
        {"LONGVARIABLENAME": ["a", "bb", ""], "RESULT": [1.5, np.nan, -3.0], "Mixed_Case": ["x" * 300] * 3}
    )
    labels = ["short", "L" * 60, "label"]
    pyreadstat.write_xport(
        data,
        path,
        table_name=name,
        file_label="label",
        column_labels=labels,
        file_format_version=8,
        variable_format=formats,
    )
    return data


@pytest.mark.parametrize(
    ("formats", "read_as"),
    [({}, ""), ({"RESULT": "BEST12."}, "BEST12."), ({"RESULT": "VERYLONGNAME12.3"}, "VERYLONGNAME12.3")],
)
def test_version_8(tmp_path: Path, formats: dict[str, str], read_as: str) -> None:
    """Long names, labels and formats and text over 200 bytes of version 8 are read."""
    expected = write_version_8(tmp_path / "v8.xpt", "LONGDATASETNAME", **formats)
    (read,) = read_xpt(tmp_path / "v8.xpt")
    assert (read.name, read.label, read.facts["version"]) == ("LONGDATASETNAME", "label", "8")
    assert [variable.label for variable in read.variables] == ["short", "L" * 60, "label"]
    assert [variable.length for variable in read.variables] == [2, 8, 300]
    assert read.variables[1].format == read_as
    assert_frame_equal(read.data, expected)


def test_version_8_with_two_datasets(tmp_path: Path) -> None:
    """Two datasets of a version 8 file are read apart."""
    first, second = tmp_path / "1.xpt", tmp_path / "2.xpt"
    expected = write_version_8(first, "FIRST"), write_version_8(second, "SECOND")
    first.write_bytes(first.read_bytes() + second.read_bytes()[240:])
    read = read_xpt(first)
    assert [dataset.name for dataset in read] == ["FIRST", "SECOND"]
    for dataset, data in zip(read, expected, strict=True):
        assert_frame_equal(dataset.data, data)


def test_version_8_keeps_blank_last_rows(tmp_path: Path) -> None:
    """Version 8 says how many rows there are."""
    pyreadstat.write_xport(pd.DataFrame({"A": ["x", "", ""]}), tmp_path / "v8.xpt", file_format_version=8)
    assert read_xpt(tmp_path / "v8.xpt")[0].data["A"].tolist() == ["x", "", ""]


def test_entries_of_136_bytes(tmp_path: Path) -> None:
    """VAX machines wrote 136 bytes a variable and said so in the header."""
    raw = write(tmp_path / "vs.xpt", vital_signs()).read_bytes()
    entries, rest = raw[640 : 640 + 6 * 140], raw[raw.index(OBSERVATIONS) :]
    short = b"".join(entries[start : start + 136] for start in range(0, len(entries), 140))
    head = raw[:640].replace(b"1600000000140", b"1600000000136")
    (tmp_path / "vax.xpt").write_bytes(head + short.ljust(880) + rest)
    assert_frame_equal(read_xpt(tmp_path / "vax.xpt")[0].data, vital_signs().data)


def test_nul_padding_is_stripped(tmp_path: Path) -> None:
    """Some programs pad text with NULs: they are padding, as blanks are."""
    path = write(tmp_path / "ae.xpt", text_dataset(["Rash", "Itch"]))
    path.write_bytes(path.read_bytes().replace(b"Rash    ", b"Rash\0\0 \0"))
    assert read_xpt(path)[0].data["AETERM"].tolist() == ["Rash", "Itch"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"", "the file is empty"),
        (lambda raw: raw[:200], "the file ends within the library header"),
        (lambda raw: b"STUDYID,USUBJID\n", "no SAS transport file, it begins with b'STUDYID,USUBJID"),
        (lambda raw: b"**COMPRESSED** " * 30, "a PROC CPORT file; write it with the XPORT engine"),
        (lambda raw: raw[:700], "the file ends within the variables"),
        (lambda raw: raw[:-80], "the last row of 'VS' is cut"),
        (lambda raw: raw[:-100], "the last row of 'VS' is cut"),
        (lambda raw: raw.replace(b"NAMESTR", b"NAMEXXX"), "at byte 560: here should be the NAMESTR header"),
        (lambda raw: raw[:240] + b" " * 80 + raw[240:], "here should be the header of the first dataset"),
        (lambda raw: raw[:612] + b"00zz06" + raw[618:], "at byte 612: here should be a number, not '00zz06'"),
        (lambda raw: raw[:640] + b"\0\7" + raw[642:], "variable 1 has type 7"),
        (lambda raw: raw.replace(b"VSSEQ   ", b"VSTESTCD"), "two have the same"),
    ],
)
def test_damage_is_one_clear_line(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    """A cut, damaged or foreign file is refused with the file, the byte and what to do."""
    path = write(tmp_path / "vs.xpt", vital_signs())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(XptReadError) as raised:
        read_xpt(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{path}: at byte ")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and a folder are refused in one line, too."""
    for path in (tmp_path / "no.xpt", tmp_path):
        with pytest.raises(XptReadError, match=r"cannot be read: .*; check the path"):
            read_xpt(path)


@pytest.mark.parametrize("version", [5, 8])
def test_no_damage_raises_anything_else(tmp_path: Path, version: int) -> None:
    """Bytes changed, cut out, doubled at random: a clear line or a dataset, never another error."""
    path = tmp_path / "x.xpt"
    if version == 5:
        write(path, vital_signs(), text_dataset(["Rash"]))
    else:
        write_version_8(path, "LONGDATASETNAME", RESULT="VERYLONGNAME12.3")
    raw, dice = path.read_bytes(), random.Random(version)  # noqa: S311 - the same damage at every run
    for _ in range(300):
        damaged = bytearray(raw)
        for _ in range(dice.randint(1, 4)):
            at, size = dice.randrange(len(damaged)), dice.choice((1, 1, 1, 2, 80))
            damaged[at : at + size] = dice.choice((dice.randbytes(size), b"", bytes(damaged[at : at + size]) * 2))
        path.write_bytes(damaged)
        try:
            read_xpt(path)
        except XptReadError as error:
            assert "\n" not in str(error)


# -- files of others -------------------------------------------------------------------------------------------------


FOLDERS = ("oracles/lzzt", "oracles/onco/adam", "oracles/onco/sdtm", "examples", "schemas", "studies")


@pytest.mark.parametrize("folder", FOLDERS)
def test_shared_files_rewritten_byte_by_byte(shared: Callable[[str], Path], tmp_path: Path, folder: str) -> None:
    """Every transport file at hand, by SAS and by others: rewritten, its observations are the same bytes."""
    for path in sorted(shared(folder).rglob("*.xpt")):
        datasets = read_xpt(path)
        copy = write(tmp_path / path.name, *datasets, encoding=datasets[0].facts["encoding"])
        original, rewritten = path.read_bytes(), copy.read_bytes()
        same = original[original.index(OBSERVATIONS) :] == rewritten[rewritten.index(OBSERVATIONS) :]
        assert same, path.name  # not compared in the assert: two files of megabytes are no message


@pytest.mark.parametrize("folder", FOLDERS)
def test_shared_files_as_pyreadstat_reads_them(shared: Callable[[str], Path], folder: str) -> None:
    """The independent reader sees the same values, labels and dataset label."""
    for path in sorted(shared(folder).rglob("*.xpt")):
        if path.stat().st_size > 1_000_000:
            continue
        (dataset,) = read_xpt(path)
        keywords = {"encoding": "WINDOWS-1252"} if dataset.facts["encoding"] == "cp1252" else {}
        data, meta = read_with_pyreadstat(path, dataset, **keywords)
        assert_frame_equal(data, dataset.data, check_exact=True, obj=path.name)
        assert [label or "" for label in meta.column_labels] == [variable.label for variable in dataset.variables]
        assert (meta.file_label or "") == dataset.label


def test_no_shared_file_is_left_out(shared: Callable[[str], Path]) -> None:
    """The folders above hold every transport file there is."""
    root = shared("README.md").parent
    for path in root.rglob("*.xpt"):
        assert path.relative_to(root).as_posix().startswith(FOLDERS), path
