"""The reference page and the editors' schemas say what the compilers and the operations say, and are current."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sdtm.expressions import functions, parse_expression
from sdtm.expressions.tree import KEYWORDS
from sdtm.node import Node
from sdtm.operations import OPERATIONS
from specs.deltas import CODELIST_KEYS, DATASET_KEYS, TERM_KEYS, VARIABLE_KEYS
from specs.findings import SpecificationError
from specs.rules import RULES
from specs.yamlfile import parse_yaml, read_yaml
from trialmill.language_docs import EXPRESSION_FORMS, OWN_OPERATION, language_page, write_language_docs
from trialmill.language_keys import STUDY_SECTIONS
from trialmill.language_mapping_keys import (
    DELTA_CODELIST,
    DELTA_DATASET,
    DELTA_TERM,
    DELTA_VARIABLE,
    DOMAIN_SECTIONS,
    QUALIFIER,
    WAIVER,
)
from trialmill.language_schema import mapping_schema, study_schema
from trialmill.skeleton import NEW_STUDY, make_study
from trialmill.study import NOT_DOMAINS, STUDY_FILE, Study, read_study

CLOSED_BY_COMPILERS = (*STUDY_SECTIONS, *(item for item in DOMAIN_SECTIONS if item is not QUALIFIER), WAIVER)

# A study in which every section is there once, so that the compilers say which keys each may have.
EVERYTHING = {
    "study.yaml": """
        study: X
        terminology: sdtm-2025-03-28
        transfers: {raw: {cutoff: 2020-01-01}}
        redcap: {data: D.csv, dictionary: F.csv}
        tables: {dm: {file: DM.csv}}
        dates: {edc: {format: yyyy-MM-dd}}
        subjects: {table: dm, id: ID, usubjid: id}
        visits:
          schedule: {code: SCR, visitnum: 1, visit: SCREENING}
          unscheduled: {codes: UNS}
          occurrences: {table: dm, subject: ID, date: DAT, format: edc}
        epochs: {epoch: SCREENING, from: DM.RFICDTC}
        """,
    "dm.yaml": """
        domain: DM
        stack:
          - source: dm
            join: {table: dm, on: ID, cardinality: one-to-one}
            long: {columns: {a: b}}
            wide: {by: ID, name: N, value: V, columns: {A: a}}
            unique: {by: ID}
            examples: {given: {}, expect: {}}
        """,
    "relrec.yaml": """
        domain: RELREC
        relations: [{relid: A, datasets: {DM: {by: SUBJID, type: ONE}, AE: {by: AESPID, type: MANY}}}]
        """,
    "waivers.yaml": "[{rule: MAP-CT, reason: x, by: x, date: x}]",
}


def test_committed_pages_and_schemas_are_current(tmp_path: Path, project: Path) -> None:
    """What ``make docs`` writes is what is committed."""
    for path in write_language_docs(tmp_path):
        committed = project / "docs" / path.name
        assert path.read_text() == committed.read_text(), f"docs/{path.name} is out of date: run make docs"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[set[str], set[str]]]:
    """What the compilers ask of each section: the keys it may have and those it must have."""
    folder = tmp_path_factory.mktemp("everything")
    for name, text in EVERYTHING.items():
        (folder / name).write_text("\n".join(line.removeprefix("        ") for line in text.splitlines()))
    sections: dict[tuple[object, ...], tuple[str, set[str]]] = {}
    required_keys: dict[tuple[object, ...], set[str]] = {}
    only, text_of = Node.only, Node.text

    def record_keys(node: Node, keys: Collection[str], *, what: str) -> bool:
        sections[node.file.name, node.path] = (what, set(keys))
        return only(node, keys, what=what)

    def record_required(node: Node, key: str, *, default: str = "", required: bool = False) -> str:
        if required:
            required_keys.setdefault((node.file.name, node.path), set()).add(key)
        return text_of(node, key, default=default, required=required)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Node, "only", record_keys)
        patch.setattr(Node, "text", record_required)
        with contextlib.suppress(SpecificationError):  # it need not be right, only have every section
            read_study(folder)
    return {what: (keys, required_keys.get(place, set())) for place, (what, keys) in sections.items()}


@pytest.mark.parametrize("section", CLOSED_BY_COMPILERS, ids=lambda section: section.title)
def test_keys_are_those_of_the_compilers(section: Any, asked: dict[str, tuple[set[str], set[str]]]) -> None:
    """Every key that a compiler takes is described, no other is, and what it requires is said to be required."""
    keys, required = asked[section.asked_as.replace("{name}", "raw")]
    assert set(section.keys) == keys
    assert required <= {name for name, key in section.keys.items() if key.required}


def test_keys_of_the_deltas_are_those_of_specs() -> None:
    """The same for datasets.yaml and codelists.yaml."""
    assert tuple(DELTA_DATASET.keys) == DATASET_KEYS
    assert tuple(DELTA_VARIABLE.keys) == VARIABLE_KEYS
    assert tuple(DELTA_CODELIST.keys) == CODELIST_KEYS
    assert tuple(DELTA_TERM.keys) == TERM_KEYS


@pytest.fixture(scope="module")
def page() -> str:
    return language_page()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_page_has_every_operation_with_its_parameters(operation: Any, page: str) -> None:
    """Each operation has its heading, its docstring, and a line for each parameter."""
    text = re.split(r"\n##+ ", page.partition(f"### {operation.name}\n")[2], maxsplit=1)[0]
    assert operation.words in text
    for name, kind in operation.kinds.items():
        assert operation.takes_map or f"| `{name}` |" in text
        assert kind.words in text


def test_own_operation_of_the_page_works(tmp_path: Path) -> None:
    """The custom.py that the page shows can be pasted into a study."""
    make_study(tmp_path / "study")
    (tmp_path / "study" / "custom.py").write_text(OWN_OPERATION)
    for name, old, new in (
        ("study.yaml", "standard:", "custom: custom.py\nstandard:"),
        ("dm.yaml", "SEX: {assign_ct: SEX}", "SEX: {initials: SEX}"),
    ):
        path = tmp_path / "study" / name
        path.write_text(path.read_text().replace(old, new, 1))
    study = read_study(tmp_path / "study")
    assert "initials" in _own_operations(study)


def test_page_has_every_function_and_keyword_of_expressions(page: str) -> None:
    """The table of functions is the engine's, and no keyword is left out."""
    for function in functions():
        assert f"| `{function.signature}` | {function.description} |" in page
    shown = " ".join(form for forms, _ in EXPRESSION_FORMS for form in forms)
    assert {word for word in KEYWORDS if word not in shown.split()} == set()


@pytest.mark.parametrize("form", [form for forms, _ in EXPRESSION_FORMS for form in forms])
def test_forms_of_expressions_parse(form: str) -> None:
    """What the page shows can be written."""
    assert parse_expression(form).text == form


def test_rules_page_has_every_rule(tmp_path: Path) -> None:
    """Each rule stands in docs/rules.md with severity, title and cure."""
    rules = next(path for path in write_language_docs(tmp_path) if path.name == "rules.md").read_text()
    for rule in RULES.values():
        assert f"| `{rule.id}` | {rule.severity} | {rule.title} | {rule.cure} |" in rules


def studies() -> list[Path]:
    """The studies of this repository that have a study.yaml, and the skeleton."""
    project = Path(__file__).resolve().parents[2]
    return [NEW_STUDY, *sorted(path.parent for path in project.glob(f"mappings/*/{STUDY_FILE}"))]


@pytest.mark.parametrize("folder", studies(), ids=lambda folder: folder.name)
def test_studies_fit_the_schemas(folder: Path) -> None:
    """Every study that compiles fits both schemas; its own operations are added to the built-in ones."""
    try:
        study = read_study(folder)
    except SpecificationError as error:
        pytest.skip(f"does not compile: {error.faults[0]}")
    operations = {**OPERATIONS, **_own_operations(study)}
    _check(study_schema(operations), read_yaml(folder / STUDY_FILE).content)
    for path in sorted(folder.glob("*.yaml")):
        if path.name not in NOT_DOMAINS:
            _check(mapping_schema(operations), read_yaml(path).content)


def _own_operations(study: Study) -> dict[str, Any]:
    blocks = [block for domain in study.mapping.domains.values() for block in domain.blocks]
    rules = [rule for block in blocks for rule in (*block.variables, *block.helpers.values())]
    return {rule.operation.name: rule.operation for rule in rules}


def _check(schema: dict[str, Any], content: Any) -> None:
    errors = sorted(Draft202012Validator(schema).iter_errors(content), key=lambda error: list(error.absolute_path))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_schemas_are_json_schemas() -> None:
    """Both are valid in the dialect that they name."""
    Draft202012Validator.check_schema(mapping_schema())
    Draft202012Validator.check_schema(study_schema())


RIGHT = """
domain: AE
source: ae
variables:
  AETERM: {assign: AETERM}
  AESER: {assign_ct: {column: AESER, map: {1: Y}}}
  AEACN: {case: [{when: A = '1', then: "'x'"}, {else: missing}]}
  "VISITNUM, VISIT": {visit: Folder}
derived: {AESTDY: {study_day: AESTDTC}}
supp: {AEX: {assign: AEX, label: Extra}}
"""


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ("variables:", "variabels:"),
        ("domain: AE", "domain: AF"),
        ("{assign: AETERM}", "{asign: AETERM}"),
        ("{assign: AETERM}", "{assign: AETERM, constant: X}"),
        ("{assign: AETERM}", "{}"),
        ("{assign: AETERM}", "AETERM"),
        ("{assign: AETERM}", "{recode: AETERM}"),
        ("{column: AESER,", "{colum: AESER,"),
        ("map: {1: Y}", "map: [Y]"),
        ("then: \"'x'\"", "than: \"'x'\""),
        ("VISITNUM, VISIT", "VISITNUM; VISIT"),
        ("{study_day: AESTDTC}", "{subject: AESTDTC}"),
        (", label: Extra", ""),
        ("label: Extra", "label: Extra, orign: CRF"),
        ("source: ae", ""),
        ("source: ae", "source: ae\nstack: [{source: ae}]"),
    ],
)
def test_schema_refuses(change: str, wrong: str) -> None:
    """A typo, an operation too many, one of the other section, a key that is missing: each is an error."""
    validator = Draft202012Validator(mapping_schema())
    assert change in RIGHT
    assert validator.is_valid(parse_yaml(RIGHT).content)
    assert not validator.is_valid(parse_yaml(RIGHT.replace(change, wrong, 1)).content)


@pytest.mark.parametrize(
    "place",
    [(), ("transfers", "first"), ("tables", "dm"), ("dates", "edc"), ("subjects",), ("epochs", 0)],
    ids=lambda place: ".".join(map(str, place)) or "top",
)
def test_study_schema_refuses_an_unknown_key(place: tuple[str | int, ...]) -> None:
    """A key that nobody knows is an error wherever it stands in study.yaml."""
    content = read_yaml(NEW_STUDY / STUDY_FILE).content
    target = content
    for step in place:
        target = target[step]
    target["spelt_wrong"] = "x"
    assert not Draft202012Validator(study_schema()).is_valid(content)
