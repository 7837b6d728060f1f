"""Write a draft study as text: what is sure as YAML that runs, all else as comments with the column's profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from specs.model import Dataset
from trialmill.cdash_facts import find_role
from trialmill.discover import Discovered
from trialmill.profile import EMPTY, ColumnProfile
from trialmill.proposal_rules import Proposal
from trialmill.propose import Block
from trialmill.propose_study import Columns, Plan
from trialmill.raw import TableSource
from trialmill.yaml_text import spell_column, spell_comment, spell_flow, spell_text

NOT_YET = "not looked at yet"
MOST_VISITS = 60


# --- study.yaml -----------------------------------------------------------------------------------------------------


def spell_study(
    plan: Plan, found: Discovered, *, columns: Columns, running: Sequence[Block], raw: str, transfer: str,
    versions: tuple[str, str],
) -> str:  # fmt: skip
    """Spell study.yaml: every file, every column mapped or not looked at yet, the date formats, the subjects."""
    standard, terminology = versions
    lines = [
        "# A draft, made from the raw files. What a # hides is for you to decide; profile.csv has every column.",
        f"study: {spell_text(plan.name)}",
        f"standard: {spell_text(standard)}",
        f"terminology: {spell_text(terminology)}",
        f"raw: {spell_text(raw)}",
        "",
        "# The latest date in the files stands for the data cut-off: write the real one.",
        "transfers:",
        f"  {spell_text(transfer)}: {{cutoff: {spell_text(plan.cutoff)}}}",
        "",
        "tables:",
    ]
    by_table = {block.table: block for block in running}
    for source in found.sources:
        lines += _table(source, columns[source.name], by_table.get(source.name))
    lines += _reasons("ignored_files", found.others)
    lines += _reasons("not_submitted", _system_columns(columns))
    lines += _dates(plan)
    lines += _subjects(plan)
    lines += _visits(plan)
    return "\n".join(lines) + "\n"


def _table(source: TableSource, profiled: Sequence[ColumnProfile], block: Block | None) -> Iterator[str]:
    record = next((item.column for item in profiled if find_role(item.column)[0] == "record"), "")
    parts = {"file": source.file, "sheet": source.sheet, "member": source.member, "encoding": source.encoding}
    parts["record"] = record
    yield f"  {source.name}:"
    yield from (f"    {key}: {spell_text(value)}" for key, value in parts.items() if value)
    if source.header > 1:
        yield f"    header: {source.header}"
    used, reasons = (block.used, block.reasons) if block else (frozenset[str](), {})
    left = [item.column for item in profiled if item.column not in used and not find_role(item.column)[0]]
    if left:
        yield "    not_submitted:"
        yield from (f"      {spell_column(name)}: {spell_text(reasons.get(name, NOT_YET))}" for name in left)


def _system_columns(columns: Columns) -> dict[str, str]:
    return {
        item.column: find_role(item.column)[1]
        for profiled in columns.values()
        for item in profiled
        if find_role(item.column)[0]
    }


def _reasons(key: str, reasons: Mapping[str, str]) -> Iterator[str]:
    if reasons:
        yield from ("", f"{key}:")
        yield from (f"  {spell_column(name)}: {spell_text(spell_comment(why))}" for name, why in reasons.items())


def _dates(plan: Plan) -> Iterator[str]:
    if plan.formats:
        yield from ("", "dates:")
    for name, shape in plan.formats.values():
        parts = {"format": spell_text(shape.spelled)}
        if shape.unknown:
            parts["unknown"] = f"[{', '.join(spell_text(word) for word in shape.unknown)}]"
        yield f"  {name}: {spell_flow(parts)}"


def _subjects(plan: Plan) -> Iterator[str]:
    if plan.subjects is None:
        return
    quoted = plan.name.replace("'", "''")
    yield from (
        "",
        "# Is a number unique in the whole study? If only within its site, usubjid needs the site as well.",
    )
    yield from ("subjects:", f"  table: {plan.subjects.table}", f"  id: {spell_column(plan.subjects.column)}")
    usubjid = f"concat('{quoted}-', id)"
    yield f"  usubjid: {spell_text(usubjid)}"


def _visits(plan: Plan) -> Iterator[str]:
    if not plan.visits:
        return
    yield from ("", "# The visit codes in the files, for the visit map that VISITNUM and VISIT come from.")
    yield from ("# visits:", "#   schedule:")
    for number, code in enumerate(plan.visits[:MOST_VISITS], start=1):
        parts = {"code": spell_text(code), "visitnum": str(number), "visit": spell_text(code.upper())}
        yield f"#     - {spell_comment(spell_flow(parts))}"
    if len(plan.visits) > MOST_VISITS:
        yield f"#     and {len(plan.visits) - MOST_VISITS} more"


# --- a domain's file ------------------------------------------------------------------------------------------------


def spell_domain(dataset: Dataset, blocks: Sequence[Block], *, columns: Columns, running: Sequence[Block]) -> str:
    """
    Spell the file of a domain from the blocks of its tables.

    *running* are those whose required variables are all sure; the others follow as comments. Without any the whole
    file is a comment.
    """
    lines = [f"# {dataset.label}, proposed from the raw files. Rules are sure; what a # hides is for you to decide."]
    lines.append(f"domain: {dataset.name}")
    shown = list(running) or list(blocks)
    stacked = len(shown) > 1
    lines += ["stack:"] if stacked else []
    for block in shown:
        lines += _block(block, columns[block.table], stacked=stacked)
    derived = {item.variable: item.rule for block in shown for item in block.derived}
    lines += ["derived:", *(f"  {name}: {rule}" for name, rule in derived.items())] if derived else []
    if not running:
        lines = [_say_missing(block) for block in blocks] + [_hidden(line) for line in lines]
    for block in blocks:
        if running and block not in running:
            lines += [
                "",
                _say_missing(block),
                *(_hidden(line) for line in _block(block, columns[block.table], stacked=True)),
            ]
    return "\n".join(lines) + "\n"


def hide(text: str, *, why: str) -> str:
    """Turn a whole file into a comment, and say why."""
    return "\n".join([f"# {spell_comment(why)}", *(_hidden(line) for line in text.splitlines())]) + "\n"


def _hidden(line: str) -> str:
    return f"# {line}" if line else "#"


def _say_missing(block: Block) -> str:
    missing = ", ".join(block.missing)
    return f"# {block.table} is not mapped yet: {missing or 'a rule'} required, and nothing sure to fill it with."


def _block(block: Block, profiled: Sequence[ColumnProfile], *, stacked: bool) -> Iterator[str]:
    first, margin = ("  - ", "    ") if stacked else ("", "")
    yield f"{first}source: {block.table}   # {spell_comment(block.basis)}"
    if block.long:
        yield f"{margin}long:"
        yield from (f"{margin}  - {line}" for line in block.long)
    if block.where:
        yield f"{margin}where: {spell_text(block.where)}"
    yield f"{margin}variables:"
    yield from (f"{margin}  {item.variable}: {item.rule}" for item in block.proposals if item.sure)
    about = {item.column: item for item in profiled}
    unsure = [item for item in block.proposals if not item.sure]
    yield from (f"{margin}  # {line}" for item in unsure for line in _unsure(item, about))
    named = {name for item in block.proposals for name in item.columns}
    left = [item for item in profiled if item.column not in named and not find_role(item.column)[0]]
    if left:
        yield f"{margin}  # no proposal for:"
    yield from (f"{margin}  #   {spell_comment(f'{item.column} - {describe(item)}')}" for item in left)


def _unsure(item: Proposal, about: Mapping[str, ColumnProfile]) -> Iterator[str]:
    yield f"{item.variable}: {item.rule}   # {spell_comment(item.basis)}"
    yield from (f"    {spell_comment(f'{name} - {describe(about[name])}')}" for name in item.columns if name in about)


def describe(item: ColumnProfile) -> str:
    """Describe a column in words: its label, how full it is, what its values look like, examples."""
    label = f"{item.label}; " if item.label else ""
    if item.kind == EMPTY:
        return f"{label}no values"
    kind = f"{item.kind} {item.shape.spelled}" if item.shape else item.kind
    filled = f"{item.fill:.0%} filled ({item.filled} of {item.rows})"
    return f"{label}{filled}, {item.distinct} distinct, {kind}: {item.examples}"
