"""SAS data: numbers, dates and special missing values as text; transport files of one and of several data sets."""

from __future__ import annotations

import base64
import datetime as dt
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from trialmill.raw import RawError, TableSource, read_table
from trialmill.raw.values import choose_sas_writer, write_number, write_time
from trialmill.xpt import XptDataset, XptVariable, write_xpt

# Three rows written with ReadStat 1.1.9 (the C library under pyreadstat), packed: nothing here can write SAS7BDAT.
SAS7BDAT = zlib.decompress(
    base64.b85decode(
        "c-muNK!8K98WT2)2%g_NiGzXjxM7ckynvvw5`(cZBa<N`M2QFk12ZFvxG|%$F@uN*g90-n%$#7yU<Ef%AJ?#81-yWP0B~^(a"
        "YRzLfRpdGBNB}Y1R$6ZP1sV;z{J4N*VHF7ue1V5+*r@hK+ize(9q04&(KiM5Z$;63$u7L6BMBZK7RQ}VHjQgj9qvBp}BJujD"
        "k@x3P!;w7zLwX6pVsVFbYP&C>S(gCZgYp0v5AC8B9V9{6Ojk4}`11jH>PcR9pg0e+CzXj$lF+|H28OOJD+wuue0C4nY$afr|"
        "H_iJ#$s&>m>wJy3B6H23)65a+=meuf>pcn=P79~|O51jNyt4^jK@3Pkyqdmws>NIPsiA<p6K86fa+axgG32alonIpP^tx%i_"
        "VE4}YW{j8ZFu+!ea$iTo5sOQ<PZ7&u!U^fTm9*3=9_dNL826Ye2ysRG%AajgBnkq;i=NSc~U=)mkfd>D6{|5tV>u1Fnm8P%#"
        "A~@80FmMp*e(b=8frTjjTsZU_FtAbA{}Ao}VZ-)1P@0{A8yExZNWNhPs%3+^{{Mfps+i#q)EwA+fd-TYhZYN>K?C74!b1_p7"
        "eM1npz#&Z_y)-F#Ddyjf;#0tqWz!(jSn5D`z@ff15`YKff?G8g79O|Vu^v_FVxHgq$Gk~XM^Tmf<s&b0vtp9{DBI>f?Yx)BY"
        "k~cTtMs)-w;n<SLYy?5MKuHJdG=eAM6ys5aQ|^;0zS=^AB;w7O1c=Wr4>HZ2+u&1&d2q4rD`XZ?U0;2_u^O(E0z-)Ul$eV?|"
        "4gjA;Hu=R=b`!8HGiNOeE|Q<jH@8u$hT*wWE=AOO)HpnO3zc|ijul>P%V4)f8?g_S9CFaZHnd1174@_&TI2d(;}qyktzV?yK"
        "eq45RK_(EuW4x0It1F2jVL9&Mj%$6b2W)`4J88K>T3pk4zchG<V0CyTcas"
    )
)
STAMP = dt.datetime(2020, 1, 6)


def vital_signs(name: str = "VS") -> XptDataset:
    variables = (
        XptVariable("PATNO", "Patient", "Char", 8),
        XptVariable("VSDT", "Date", "Num", 8, "DATE9."),
        XptVariable("VSTM", "Time", "Num", 8, "TIME5."),
        XptVariable("SBP", "Systolic", "Num", 8),
        XptVariable("TEMPC", "Temperature", "Num", 8, "5.1"),
    )
    data = pd.DataFrame(
        {
            "PATNO": pd.Series(["007", "02001"], dtype="str"),
            "VSDT": [21381.0, float("nan")],
            "VSTM": [31440.0, float("nan")],
            "SBP": [120.0, float("nan")],
            "TEMPC": [36.6, 0.1],
        }
    )
    special = {"SBP": pd.Series([".A"], index=[1], dtype="str")}
    return XptDataset(name, "Vital signs", variables, data, special)


EXPECTED = {
    "PATNO": ["007", "02001"],
    "VSDT": ["2018-07-16", ""],
    "VSTM": ["08:44", ""],
    "SBP": ["120", ".A"],
    "TEMPC": ["36.6", "0.1"],
}


def test_sas7bdat(tmp_path: Path) -> None:
    """Dates and times by their format, shortest numbers, blank for missing, special missing values as SAS writes."""
    (tmp_path / "vs.sas7bdat").write_bytes(SAS7BDAT)
    table, findings = read_table(TableSource("vs", "vs.sas7bdat", record="PATNO"), folder=tmp_path)
    assert table.data.to_dict("list") == {
        "PATNO": ["007", "02001", "02002"],
        "VSDT": ["2018-07-16", "", "2018-07-16"],
        "VSTM": ["08:44", "", "08:44:05"],
        "CRDTM": ["2018-07-16T08:44:00", "", "2018-07-16T00:00:00"],
        "SBP": ["120", ".A", ""],
        "TEMPC": ["36.6", "0.1", "100000"],
        "NOTE": ["NA", "溶血", " x"],
    }
    assert set(table.data.dtypes.astype(str)) == {"str"}
    assert table.origin.to_dict("list") == {
        "file": ["vs.sas7bdat"] * 3,
        "row": [1, 2, 3],
        "record": ["007", "02001", "02002"],
    }
    assert (table.facts["encoding"], table.facts["member"], findings) == ("UTF-8", "VS", [])


@pytest.mark.parametrize("content", [SAS7BDAT[:5000], SAS7BDAT[:100], b"ID,TERM\n" * 400])
def test_sas7bdat_that_is_damaged_or_cut_off(tmp_path: Path, content: bytes) -> None:
    """One line, no traceback."""
    (tmp_path / "vs.sas7bdat").write_bytes(content)
    with pytest.raises(RawError) as caught:
        read_table(TableSource("vs", "vs.sas7bdat"), folder=tmp_path)
    assert str(caught.value).startswith("vs.sas7bdat: is no SAS7BDAT file, damaged or cut off (")
    assert str(caught.value).endswith("- fetch it again and compare its size with the sender's")


def test_transport_file(tmp_path: Path) -> None:
    """The only data set needs no name; rows are numbered as observations."""
    write_xpt(tmp_path / "vs.xpt", [vital_signs()], stamp=STAMP)
    table, findings = read_table(TableSource("vs", "vs.xpt"), folder=tmp_path)
    assert table.data.to_dict("list") == EXPECTED
    assert set(table.data.dtypes.astype(str)) == {"str"}
    assert table.origin["row"].tolist() == [1, 2]
    assert table.origin["file"].tolist() == ["vs.xpt"] * 2
    assert (table.facts["member"], table.facts["version"], findings) == ("VS", "5", [])


def test_transport_file_of_version_8(tmp_path: Path) -> None:
    """Version 8, written by another library, with a name longer than eight characters."""
    data = pd.DataFrame({"SUBJECTNUMBER": ["007", "02001"], "SBP": [120.0, None]})
    pyreadstat.write_xport(data, tmp_path / "vs.xpt", table_name="VS", file_format_version=8)
    table, _ = read_table(TableSource("vs", "vs.xpt"), folder=tmp_path)
    assert table.data.to_dict("list") == {"SUBJECTNUMBER": ["007", "02001"], "SBP": ["120", ""]}
    assert table.facts["version"] == "8"


def test_transport_file_with_several_data_sets(tmp_path: Path) -> None:
    """Of several data sets one is named; it is then part of where a row came from."""
    write_xpt(tmp_path / "all.xpt", [vital_signs("VS"), vital_signs("VSADD")], stamp=STAMP)
    table, _ = read_table(TableSource("vs", "all.xpt", member="VSADD"), folder=tmp_path)
    assert table.data.to_dict("list") == EXPECTED
    assert table.origin["file"].tolist() == ["all.xpt!VSADD"] * 2
    with pytest.raises(RawError) as caught:
        read_table(TableSource("vs", "all.xpt"), folder=tmp_path)
    assert str(caught.value) == "all.xpt: holds 2 data sets: 'VS', 'VSADD' - name one with `member:`"
    with pytest.raises(RawError) as caught:
        read_table(TableSource("vs", "all.xpt", member="VSAD"), folder=tmp_path)
    assert str(caught.value) == "all.xpt: no data set 'VSAD' - did you mean 'VSADD'?"


def test_transport_file_in_a_zip(tmp_path: Path) -> None:
    """What lies in an archive is read as if it lay beside it."""
    write_xpt(tmp_path / "vs.xpt", [vital_signs()], stamp=STAMP)
    with zipfile.ZipFile(tmp_path / "sas.zip", "w") as archive:
        archive.write(tmp_path / "vs.xpt", "data/vs.xpt")
    table, _ = read_table(TableSource("vs", "sas.zip!data/vs.xpt"), folder=tmp_path)
    assert table.data.to_dict("list") == EXPECTED
    assert table.origin["file"].tolist() == ["sas.zip!data/vs.xpt"] * 2


def test_damaged_transport_file(tmp_path: Path) -> None:
    """One line names the file as the transfer names it, not where it lies on this machine."""
    (tmp_path / "vs.xpt").write_bytes(b"ID,TERM\n" * 100)
    with pytest.raises(RawError) as caught:
        read_table(TableSource("vs", "vs.xpt"), folder=tmp_path)
    assert str(caught.value).startswith("vs.xpt: at byte 0: no SAS transport file")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("format_name", "number", "text"),
    [
        ("DATE9.", 0, "1960-01-01"),
        ("DATE9.", -1, "1959-12-31"),
        ("YYMMDD10.", 21381, "2018-07-16"),
        ("MMDDYY8", 21381, "2018-07-16"),
        ("YYMMDDN8.", 21381, "2018-07-16"),
        ("E8601DA.", 21381, "2018-07-16"),
        ("MONYY7.", 21381, "2018-07-16"),
        ("NLDATE20.", 21381, "2018-07-16"),
        ("DATE9.", 1847349840, "1847349840"),
        ("TIME5.", 31440, "08:44"),
        ("TIME5.", 31445, "08:44:05"),
        ("TIME8.", 31440, "08:44:00"),
        ("HHMM5.", 31440, "08:44"),
        ("E8601TM8.", 31440, "08:44:00"),
        ("TIME12.3", 31440.25, "08:44:00.25"),
        ("TIME5.", 108300, "30:05"),
        ("DATETIME20.", 1847349840, "2018-07-16T08:44:00"),
        ("E8601DT19.", 1847349840.5, "2018-07-16T08:44:00.5"),
        ("datetime18.", -1, "1959-12-31T23:59:59"),
        ("DTDATE9.", 1847349840, "2018-07-16T08:44:00"),
        ("BEST12.", 21381, "21381"),
        ("8.2", 7, "7"),
        ("", 0.1, "0.1"),
        ("YESNOF.", 1, "1"),
    ],
)
def test_numbers_by_their_sas_format(format_name: str, number: float, text: str) -> None:
    """A date format makes an ISO date of the day count, whatever part of the date it shows."""
    assert choose_sas_writer(format_name)(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (7.0, "7"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (36.6, "36.6"),
        (1e5, "100000"),
        (1e-5, "0.00001"),
        (1e20, "1e+20"),
        (1e-20, "1e-20"),
        (123456.789, "123456.789"),
    ],
)
def test_shortest_number(number: float, text: str) -> None:
    """A number is written as a person would, and reads back the same."""
    assert write_number(number) == text
    assert float(text) == number


def test_time_before_midnight_keeps_its_sign() -> None:
    """A negative duration is not lost."""
    assert write_time(-60) == "-00:01"


def test_vital_signs_of_the_study_as_pyreadstat_reads_them(shared: Callable[[str], Path]) -> None:
    """Every cell of the study's transport file is what the independent reader finds."""
    path = shared("studies/leader/transfers/2020-01-06/VS.xpt")
    table, findings = read_table(TableSource("vs", "VS.xpt", record="RECID"), folder=path.parent)
    other, _ = pyreadstat.read_xport(path, disable_datetime_conversion=True)
    assert (len(table.data), findings) == (425, [])
    assert table.data["PATNO"].tolist() == other["PATNO"].tolist()
    assert table.origin["record"].tolist() == table.data["RECID"].tolist()
    for name in ("SBP", "DBP", "TEMPC", "WEIGHTKG"):
        numbers = pd.to_numeric(table.data[name].replace("", None))
        pd.testing.assert_series_equal(numbers, other[name], check_dtype=False)
    days = pd.to_datetime(table.data["VSDT"].replace("", None)) - pd.Timestamp("1960-01-01")
    pd.testing.assert_series_equal(days.dt.days, other["VSDT"], check_dtype=False)
    assert table.data["VSTM"].str.fullmatch(r"(\d\d:\d\d)?").all()
