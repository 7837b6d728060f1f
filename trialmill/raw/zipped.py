"""Read one file out of a zip archive; damage, passwords and bombs are one clear line."""

from __future__ import annotations

import fnmatch
import zipfile
import zlib
from pathlib import Path

from trialmill.raw.source import RawError, RawFile, list_names, suggest_names

LARGEST_MEMBER = 4 * 1024**3  # bytes; zipfile never hands out more than a member declares
UTF8_NAME = 0x800
ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)


def read_member(path: Path, inner: str, *, shown: str) -> RawFile:
    """
    Return the file *inner* (a name, a pattern, or empty for the only one) of the zip archive at *path*.

    Raises RawError when the archive is damaged, cut off or encrypted, when the member is missing, not unique or
    declares more than 4 GiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name, info = _choose(_list_members(archive), inner, shown)
            _refuse_unreadable(info, f"{shown}!{name}")
            content = archive.read(info)
            if len(content) != info.file_size:
                raise zipfile.BadZipFile(f"{len(content)} bytes of {info.file_size} in {name}")
            return RawFile(f"{shown}!{name}", content)
    except DAMAGE as error:
        reason = f"cannot be unpacked, it is damaged or cut off ({error})"
        raise RawError(reason, file=shown, cure="fetch the archive again and compare its size") from None


def _list_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    files = {_member_name(info): info for info in archive.infolist() if not info.is_dir()}
    return {name: info for name, info in files.items() if not _is_litter(name)}


def _member_name(info: zipfile.ZipInfo) -> str:
    """Return the name as its author saw it: zips made on Chinese Windows hold GBK names, read as cp437 here."""
    if info.flag_bits & UTF8_NAME or info.filename.isascii():
        return info.filename
    written = info.filename.encode("cp437")
    for encoding in ("utf-8", "gb18030"):
        try:
            return written.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (".DS_Store", "Thumbs.db")


def _choose(members: dict[str, zipfile.ZipInfo], inner: str, shown: str) -> tuple[str, zipfile.ZipInfo]:
    if inner in members:
        return inner, members[inner]
    found = [name for name in members if not inner or fnmatch.fnmatchcase(name, inner.replace("[", "[[]"))]
    if len(found) == 1:
        return found[0], members[found[0]]
    if not members:
        raise RawError("the archive holds no file", file=shown, cure="fetch it again")
    if not found:
        raise RawError(f"no {inner!r} in the archive", file=shown, cure=suggest_names(inner, members))
    cure = f"write `file: {shown}!{found[0]}`"
    raise RawError(f"holds {len(found)} files: {list_names(found)}", file=shown, cure=cure)


def _refuse_unreadable(info: zipfile.ZipInfo, shown: str) -> None:
    if info.flag_bits & ENCRYPTED:
        raise RawError("is encrypted", file=shown, cure="unpack it with its password into the transfer's folder")
    if info.file_size > LARGEST_MEMBER:
        size = f"{info.file_size:,} bytes when unpacked"
        raise RawError(size, file=shown, cure="unpack it into the transfer's folder if it is meant to be that large")
