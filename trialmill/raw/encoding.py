"""
Find out how text is encoded and turn it into UTF-8, strictly.

A byte order mark, UTF-8 and UTF-16 tell themselves. The rest is a guess among the encodings that trials are seen
in, by what is everyday in each: the common characters of GB2312, Big5 and Shift-JIS stand in known rows of their
tables (GB/T 2312 level 1: rows 16 to 55; Big5 level 1: A4 to C6; JIS X 0208 kana and level 1), and in Western text a
letter beyond ASCII stands alone between ASCII letters. A guess is reported as a note with words to look at; where no
encoding fits, nothing is guessed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from specs.findings import Finding, Severity
from trialmill.raw.source import CUT_OFF, ENCODING, RawError, RawFile

SAMPLE = 1 << 18
PIECE = 1 << 24
# UTF-32's mark begins with UTF-16's, so it is looked for first
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In these a line feed is not always the byte 0A alone, so a file is decoded in one piece
WIDE = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")
# Everyday characters first, then any other pair; a Western character is neither
PAIRS = {
    "gb18030": re.compile(rb"([\xa1-\xa9\xb0-\xd7][\xa1-\xfe])|[\x81-\xfe][\x40-\xfe]"),
    "cp950": re.compile(rb"([\xa1-\xc6][\x40-\x7e\xa1-\xfe])|[\x81-\xfe][\x40-\xfe]"),
    "cp932": re.compile(rb"(\x81[\x40-\xac]|\x82[\x4f-\xf1]|[\x83\x88-\x97][\x40-\xfc])|[\x81-\xfc][\x40-\xfc]"),
}
EVERYDAY = 0.8
# One letter or sign alone, or two small letters (as in "Größe" or "nação")
WESTERN = re.compile(rb"(?<![\x80-\xff])(?:[\x80-\xff]|[\xdf-\xff]{2})(?![\x80-\xff])")
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# Letters of Polish, Czech and Hungarian that would be signs inside a word in ISO 8859-1
LATIN2_LETTERS = re.compile(rb"[A-Za-z]([\xa3\xa6\xa9\xac\xae\xaf\xb3\xb6\xb9\xbc\xbe\xbf])[a-z]")
LATIN9_LETTERS = re.compile(rb"\xa4|[\xbc\xbd][a-z]")  # the euro sign, and o with e
UNFINISHED = re.compile("unexpected end|truncated|incomplete")  # how Python's decoders say it
C1_CONTROLS = re.compile(rb"[\x80-\x9f]")


@dataclass(frozen=True)
class Text:
    """A file's text as UTF-8 without a byte order mark, and the encoding it came in."""

    content: bytes
    encoding: str
    findings: tuple[Finding, ...] = ()


def decode_file(file: RawFile, encoding: str = "") -> Text:
    """
    Return the file's text, decoded strictly by *encoding*, or by what is found when that is empty.

    Raises RawError for an encoding that is not known, does not fit (byte, line and cure named), contradicts the byte
    order mark or cannot be found out. A guess is reported as a RAW-ENCODING note.
    """
    marked = next((name for mark, name in MARKS if file.content.startswith(mark)), "")
    if encoding:
        name = _known_name(encoding, file)
        _check_mark(name, marked, file)
        return Text(_to_utf8(file, name), name)
    unmarked = marked or _find_utf16(file.content)
    if unmarked:
        return Text(_to_utf8(file, unmarked), unmarked)
    wrong = _first_wrong_byte(file.content, "utf-8")
    return Text(file.content, "utf-8") if wrong is None else _decode_guess(file, wrong.start)


def _known_name(encoding: str, file: RawFile) -> str:
    try:
        b"text".decode(encoding)
    except UnicodeError:
        pass  # known, and only these four bytes are none of it
    except LookupError:
        cure = "name one such as utf-8, gb18030, big5, cp1252, iso-8859-1"
        raise RawError(f"no encoding {encoding!r} is known", file=file.shown, cure=cure, rule=ENCODING) from None
    return codecs.lookup(encoding).name


def _check_mark(name: str, marked: str, file: RawFile) -> None:
    if marked and not name.startswith(marked):
        reason = f"begins with the byte order mark of {marked}, but study.yaml says {name}"
        raise RawError(reason, file=file.shown, line=1, cure="leave `encoding:` out", rule=ENCODING)


def _find_utf16(content: bytes) -> str:
    """Return which UTF-16 it is by where the zero bytes of its ASCII characters stand, or the empty text."""
    sample = content[:SAMPLE]
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    name = "utf-16-be" if high > low else "utf-16-le"
    has_zeros = min(high, low) * 20 < max(high, low) > len(sample) // 20
    is_whole = len(content) % 2 == 0 and "\n" in sample.decode(name, errors="ignore")
    return name if has_zeros and is_whole else ""


def _is_damaged_utf8(sample: bytes) -> bool:
    """
    Say whether most of what is not ASCII is valid UTF-8, so that the rest is damage and not an encoding.

    In Chinese or Western text of another encoding less than one character in five is valid by chance.
    """
    text = sample.decode("utf-8", errors="replace")
    wrong = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", errors="ignore")) - wrong
    return right >= 3 * wrong


def _sample_around(content: bytes, offset: int) -> bytes:
    """Return up to 256 KiB of whole lines around the first byte that is not UTF-8."""
    start = content.rfind(b"\n", 0, max(offset - SAMPLE // 2, 0)) + 1
    piece = content[start : start + SAMPLE]
    return piece if start + SAMPLE >= len(content) else piece[: piece.rfind(b"\n") + 1] or piece


def _decode_guess(file: RawFile, offset: int) -> Text:
    """Decode text that is not UTF-8 at *offset* by the likeliest encoding, and say so; damage is an error."""
    sample = _sample_around(file.content, offset)
    if _is_damaged_utf8(sample):
        raise _undecodable(file, "utf-8")
    name = guess_encoding(sample)
    if not name:
        reason = f"the encoding cannot be found out (byte {offset} is not UTF-8)"
        cure = "name it with `encoding:`, such as cp1250, cp1251 or euc-kr"
        line = file.content.count(b"\n", 0, offset) + 1
        raise RawError(reason, file=file.shown, line=line, cure=cure, rule=ENCODING)
    words = _words_beyond_ascii(sample.decode(name, errors="replace"))
    message = f"the encoding is taken to be {name}: {', '.join(repr(word) for word in words)}"
    cure = "name it with `encoding:` when these words are wrong"
    note = Finding(ENCODING, Severity.NOTE, message, values=tuple(words), file=file.shown, cure=cure)
    return Text(_to_utf8(file, name), name, (note,))


def _words_beyond_ascii(text: str, *, most: int = 3) -> list[str]:
    words = (match[0] for match in re.finditer(r"[^\s,;|\"]*[^\x00-\x7f][^\s,;|\"]*", text))
    return list(dict.fromkeys(word[:20] for word, _ in zip(words, range(500), strict=False)))[:most]


def guess_encoding(sample: bytes) -> str:
    """
    Return the likeliest encoding of text that is neither UTF-8 nor UTF-16, or the empty text when none fits.

    Korean (EUC-KR) has its syllables where Chinese has its common characters and is taken for Chinese: it must be
    named.
    """
    alone = sum(len(match[0]) for match in WESTERN.finditer(sample)) / max(len(BEYOND_ASCII.findall(sample)), 1)
    if alone >= EVERYDAY:
        return _guess_western(sample)
    shares = {name: _share_everyday(sample, name) for name in PAIRS if _first_wrong_byte(sample, name) is None}
    best = max(shares, key=lambda name: shares[name], default="")
    return best if best and shares[best] >= EVERYDAY else ""


def _share_everyday(sample: bytes, name: str) -> float:
    everyday = pairs = 0
    for match in PAIRS[name].finditer(sample):
        pairs += 1
        everyday += match.lastindex is not None
    return everyday / max(pairs, 1)


def _guess_western(sample: bytes) -> str:
    is_central = LATIN2_LETTERS.search(sample) is not None
    if C1_CONTROLS.search(sample):  # printable in Windows' code pages only; of these cp1250 must be named
        return "" if is_central or _first_wrong_byte(sample, "cp1252") else "cp1252"
    if is_central:
        return "iso8859-2"
    return "iso8859-15" if LATIN9_LETTERS.search(sample) else "cp1252"


def _pieces(content: bytes, encoding: str) -> Iterator[tuple[int, bytes]]:
    """Cut the bytes after line feeds so that decoding takes little memory; yield each piece with its offset."""
    if encoding.startswith(WIDE):
        yield 0, content
        return
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + PIECE) + 1 or len(content)
        yield start, content[start:end]
        start = end


@dataclass(frozen=True)
class WrongByte:
    """Where decoding stopped, and whether that is the end of the file in the middle of a character."""

    start: int
    at_end: bool


def _first_wrong_byte(content: bytes, encoding: str) -> WrongByte | None:
    for offset, piece in _pieces(content, encoding):
        try:
            piece.decode(encoding)
        except UnicodeDecodeError as error:
            is_unfinished = UNFINISHED.search(error.reason) is not None
            return WrongByte(offset + error.start, is_unfinished and offset + error.end >= len(content))
    return None


def _to_utf8(file: RawFile, encoding: str) -> bytes:
    content = file.content
    if encoding in ("utf-8", "ascii"):
        if _first_wrong_byte(content, encoding) is not None:
            raise _undecodable(file, encoding)
        return content.removeprefix(codecs.BOM_UTF8)
    try:
        utf8 = b"".join(piece.decode(encoding).encode("utf-8") for _, piece in _pieces(content, encoding))
    except UnicodeError:
        raise _undecodable(file, encoding) from None
    return utf8.removeprefix(codecs.BOM_UTF8)


def _undecodable(file: RawFile, encoding: str) -> RawError:
    wrong = _first_wrong_byte(file.content, encoding) or WrongByte(0, at_end=False)
    before = file.content[: wrong.start].decode(encoding, errors="replace")
    line = len(re.findall(r"\r\n|\r|\n", before)) + 1
    if wrong.at_end:
        cure = "fetch the file again and compare its size with the sender's"
        reason = f"cut off: the file ends in the middle of a character of {encoding}"
        return RawError(reason, file=file.shown, line=line, cure=cure, rule=CUT_OFF)
    byte = file.content[wrong.start]
    reason = f"byte {wrong.start} (hex {byte:02X}) is not {encoding}"
    cure = "name the right encoding with `encoding:`, or have the damaged text sent again"
    return RawError(reason, file=file.shown, line=line, cure=cure, rule=ENCODING)
