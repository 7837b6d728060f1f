"""Where a table's file is found: the transfer's folder, patterns, zip archives, and what is refused."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from trialmill.raw import READERS, RawError, TableSource, find_files, read_table

TEXT = b"ID,TERM\n1,rash\n"


def fault(folder: Path, file: str) -> str:
    with pytest.raises(RawError) as caught:
        read_table(TableSource("ae", file), folder=folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def put_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_missing_folder_and_file(tmp_path: Path) -> None:
    """The folder is named, and names that look like the missing one."""
    (tmp_path / "AE.csv").write_bytes(TEXT)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "LAB_NTUH.csv").write_bytes(TEXT)
    gone = tmp_path / "gone"
    assert fault(gone, "AE.csv") == f"{gone}: no such folder - give the folder of the transfer with --raw"
    assert fault(tmp_path, "ae.csv") == f"ae.csv: no such file in {tmp_path} - did you mean 'AE.csv'?"
    assert fault(tmp_path, "Lab/LAB-NTUH.csv").endswith("did you mean 'lab/LAB_NTUH.csv'?")
    assert fault(tmp_path, "zzz.csv").endswith("there is 'AE.csv', 'lab/LAB_NTUH.csv'")


@pytest.mark.parametrize("name", ["../AE.csv", "lab/../../AE.csv", "/etc/passwd", "..\\AE.csv", "C:\\AE.csv"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    """study.yaml may come from a stranger: it reads nothing beside the transfer."""
    (tmp_path / "AE.csv").write_bytes(TEXT)
    transfer = tmp_path / "transfer"
    transfer.mkdir()
    assert fault(transfer, name) == (f"{name}: leads out of the transfer's folder - name a file inside the folder")


def test_links_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    """A link is followed only inside the transfer's folder."""
    transfer = tmp_path / "transfer"
    transfer.mkdir()
    (tmp_path / "AE.csv").write_bytes(TEXT)
    (transfer / "AE.csv").symlink_to(tmp_path / "AE.csv")
    assert "leads out of the transfer's folder" in fault(transfer, "AE.csv")


def test_pattern_for_names_that_change_with_every_transfer(tmp_path: Path) -> None:
    """A pattern must fit exactly one file; the row's origin names that file."""
    (tmp_path / "LIS_20220509.csv").write_bytes(TEXT)
    table, _ = read_table(TableSource("lis", "LIS_*.csv"), folder=tmp_path)
    assert table.origin["file"].tolist() == ["LIS_20220509.csv"]
    assert find_files("LIS_*.csv", folder=tmp_path) == [tmp_path / "LIS_20220509.csv"]
    assert find_files("AE.csv", folder=tmp_path) == []
    (tmp_path / "LIS_20230406.csv").write_bytes(TEXT)
    assert fault(tmp_path, "LIS_*.csv") == (
        "LIS_*.csv: fits 2 files: 'LIS_20220509.csv', 'LIS_20230406.csv' - write the name so that it fits one"
    )


def test_brackets_in_a_name_are_meant_as_they_stand(tmp_path: Path) -> None:
    """A file name may hold brackets; they are no pattern."""
    (tmp_path / "AE[1].csv").write_bytes(TEXT)
    assert read_table(TableSource("ae", "AE[1].csv"), folder=tmp_path)[0].facts["file"] == "AE[1].csv"
    assert read_table(TableSource("ae", "AE[1]*.csv"), folder=tmp_path)[0].facts["file"] == "AE[1].csv"


def test_file_that_no_reader_knows(tmp_path: Path) -> None:
    """The endings that can be read are listed from the one table of readers."""
    (tmp_path / "ODM.doc").write_bytes(b"x")
    known = ", ".join(repr(ending) for ending in READERS)
    assert fault(tmp_path, "ODM.doc") == f"ODM.doc: no reader for .doc - files that can be read end in {known}"


def test_member_of_an_archive(tmp_path: Path) -> None:
    """A file in an archive is named after a !; the only one needs no name; folders and Mac litter do not count."""
    put_zip(
        tmp_path / "edc.zip", {"csv/": b"", "csv/AE.csv": TEXT, "__MACOSX/csv/._AE.csv": b"\0", ".DS_Store": b"\0"}
    )
    for name in ("edc.zip!csv/AE.csv", "edc.zip", "edc.zip!csv/*.csv"):
        table, _ = read_table(TableSource("ae", name, record="ID"), folder=tmp_path)
        assert table.data.to_dict("list") == {"ID": ["1"], "TERM": ["rash"]}
        assert table.origin.to_dict("list") == {"file": ["edc.zip!csv/AE.csv"], "row": [2], "record": ["1"]}


def test_archive_with_several_files_or_another(tmp_path: Path) -> None:
    """What the archive holds is listed."""
    put_zip(tmp_path / "edc.zip", {"AE.csv": TEXT, "CM.csv": TEXT})
    assert fault(tmp_path, "edc.zip") == ("edc.zip: holds 2 files: 'AE.csv', 'CM.csv' - write `file: edc.zip!AE.csv`")
    assert fault(tmp_path, "edc.zip!ae.csv") == "edc.zip: no 'ae.csv' in the archive - did you mean 'AE.csv'?"


def test_chinese_name_in_an_archive(tmp_path: Path) -> None:
    """Zips made on Chinese Windows hold GBK names without saying so."""
    path = put_zip(tmp_path / "lis.zip", {"????.csv": TEXT})
    path.write_bytes(path.read_bytes().replace(b"????.csv", "检验".encode("gb18030") + b".csv"))
    table, _ = read_table(TableSource("lis", "lis.zip!检验.csv"), folder=tmp_path)
    assert table.facts["file"] == "lis.zip!检验.csv"


def test_archives_that_cannot_be_unpacked(tmp_path: Path) -> None:
    """Damaged, cut off, encrypted, too large: one line each."""
    good = put_zip(tmp_path / "edc.zip", {"AE.csv": TEXT * 200}).read_bytes()
    entry = good.index(b"PK\x01\x02")
    huge = struct.pack("<I", 0xFFFFFFF0)

    def change(at: int, new: bytes) -> str:
        (tmp_path / "edc.zip").write_bytes(good[:at] + new + good[at + len(new) :])
        return fault(tmp_path, "edc.zip")

    assert change(entry + 8, b"\x01") == (
        "edc.zip!AE.csv: is encrypted - unpack it with its password into the transfer's folder"
    )
    assert change(45, b"\xff\xff\xff").startswith("edc.zip: cannot be unpacked, it is damaged or cut off (")
    assert change(entry + 16, b"\0\0\0\0").startswith(
        "edc.zip: cannot be unpacked, it is damaged or cut off (Bad CRC"
    )
    (tmp_path / "edc.zip").write_bytes(good[:-30])
    assert fault(tmp_path, "edc.zip").startswith("edc.zip: cannot be unpacked, it is damaged or cut off (")
    assert "3000 bytes of 4294967280 in AE.csv" in change(entry + 24, huge)


def test_archive_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that declares more than the limit is not unpacked."""
    monkeypatch.setattr("trialmill.raw.zipped.LARGEST_MEMBER", 1000)
    put_zip(tmp_path / "edc.zip", {"AE.csv": bytes(1001)})
    assert fault(tmp_path, "edc.zip") == (
        "edc.zip!AE.csv: 1,001 bytes when unpacked"
        " - unpack it into the transfer's folder if it is meant to be that large"
    )


def test_every_file_of_a_transfer_has_the_rows_its_manifest_says(shared: Callable[[str], Path]) -> None:
    """Rows, bytes and sha256 of every table are what the sender's manifest says."""
    folder = shared("studies/leader/transfers/2020-01-06")
    manifest = pd.read_csv(folder / "manifest.csv", dtype=str)
    files = manifest[~manifest["file"].isin(["LAB_TVGH.xlsx", "transfer_note.txt"])]
    read = [read_table(TableSource("raw", file), folder=folder)[0].facts for file in files["file"]]
    assert [facts["rows"] for facts in read] == files["rows"].tolist()
    assert [facts["bytes"] for facts in read] == files["bytes"].tolist()
    assert [facts["sha256"] for facts in read] == files["sha256"].tolist()


def test_chinese_laboratory_export(shared: Callable[[str], Path]) -> None:
    """The hospital's GB18030 export is found out without being told."""
    folder = shared("studies/anlotinib-breast/transfers/2022-05-09")
    table, findings = read_table(TableSource("lis", "LIS_*.csv"), folder=folder)
    assert (table.facts["encoding"], len(table.data)) == ("gb18030", 6946)
    assert table.columns[:3] == ("受试者编号", "性别", "年龄")
    assert [found.rule for found in findings] == ["RAW-ENCODING"]
