"""The catalogue of rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specs.findings import Severity
from specs.reporting import BY_VALUE
from specs.rule import Rule, index_rules
from specs.rules import RULES, SDTM_RULES


def test_ids_are_readable_and_stable_in_form() -> None:
    """An id is capital words joined by hyphens, beginning with what it is about."""
    assert [rule for rule in RULES if not re.fullmatch(r"[A-Z]+(-[A-Z0-9]+)+", rule)] == []


def test_every_rule_says_what_it_asks_and_what_cures() -> None:
    """The rules of SDTM have a sentence and a cure each."""
    assert [rule.id for rule in SDTM_RULES.values() if not rule.title or not rule.cure] == []


def test_the_rules_used_are_the_rules_listed(project: Path) -> None:
    """No rule is checked that is not listed, and none is listed that is not checked."""
    modules = ("checks", "schema", "relations", "reporting")
    code = "".join((project / f"specs/{name}.py").read_text(encoding="utf-8") for name in modules)
    assert set(re.findall(r'"(SDTM-[A-Z0-9-]+)"', code)) == set(SDTM_RULES)
    assert set(SDTM_RULES) >= BY_VALUE


def test_an_id_stands_once() -> None:
    """Two rules of one id are a fault of the program."""
    rule = Rule("A-B", Severity.NOTE, "title")
    with pytest.raises(ValueError, match="twice"):
        index_rules(rule, rule)


def test_a_finding_takes_the_rule_s_weight_and_cure() -> None:
    """Where the case knows better it says so."""
    rule = Rule("A-B", Severity.ERROR, "title", "mend it")
    plain, special = rule.finding("bad"), rule.finding("bad", severity=Severity.NOTE, cure="leave it", dataset="AE")
    assert (plain.rule, plain.severity, plain.cure) == ("A-B", Severity.ERROR, "mend it")
    assert (special.severity, special.cure, special.dataset) == (Severity.NOTE, "leave it", "AE")


def test_every_rule_that_the_code_names_is_in_the_list(project: Path) -> None:
    """An id in a message can be looked up in docs/rules.md."""
    code = [path for name in ("specs", "sdtm", "trialmill") for path in (project / name).rglob("*.py")]
    named = {found for path in code for found in re.findall(r'"((?:RAW|XPT|MAP|SDTM)-[A-Z0-9-]+)"', path.read_text())}
    assert named - set(RULES) == set()
