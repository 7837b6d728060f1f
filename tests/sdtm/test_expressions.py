"""The expressions of mappings: their meaning as truth tables, and what holds for every expression and every text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdtm.expressions import (
    ExpressionError,
    columns_of,
    evaluate,
    evaluate_condition,
    functions,
    parse_expression,
    to_text,
    tree,
)
from sdtm.expressions.functions import FUNCTIONS
from specs.yamlfile import read_yaml

TRUTH = read_yaml(Path(__file__).parent.parent / "semantics" / "expressions.yaml").content
CASES = [
    pytest.param(case, id=f"{table['rule']}: {list(case.values())}") for table in TRUTH for case in table["cases"]
]
FAULTS = [param for param in CASES if "fails" in param.values[0]]
ANSWERS = [param for param in CASES if "fails" not in param.values[0]]

text_column = st.text(max_size=12) | st.sampled_from(
    ["", " ", "14", "-1.5", "0", "ND", "1e999", " 7 ", "a", "1e-320"]
)
steady = settings(max_examples=50, deadline=None, derandomize=True)


def make_column(value: Any) -> pd.Series[Any]:
    return pd.Series([value], dtype="str" if isinstance(value, str) else "float64")


@pytest.mark.parametrize("case", ANSWERS)
def test_truth_table(case: dict[str, Any]) -> None:
    """Every row of the truth tables gives the answer written there, and is refused only where written."""
    columns = {name: make_column(case[name]) for name in case.keys() - {"expression", "gives", "refused"}}
    expression = parse_expression(case["expression"])
    assert expression.columns == columns.keys()
    result = evaluate(expression, columns, index=pd.RangeIndex(1))
    value = result.values.iloc[0]
    if case["gives"] is None:
        assert np.isnan(value)
    else:
        assert (value, type(value) is str) == (case["gives"], isinstance(case["gives"], str))
    assert result.refused.tolist() == [case.get("refused", False)]


@pytest.mark.parametrize("case", FAULTS)
def test_faults_of_the_author(case: dict[str, Any]) -> None:
    """What cannot be meant is refused while parsing, in one line with its place."""
    with pytest.raises(ExpressionError) as caught:
        parse_expression(case["expression"])
    assert case["fails"] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_function_is_in_the_truth_tables() -> None:
    """No function is without a row that says what it means."""
    called = {
        node.name
        for param in ANSWERS
        for node, _ in tree.walk_tree(parse_expression(param.values[0]["expression"]).tree)
        if isinstance(node, tree.Call)
    }
    assert called == set(FUNCTIONS)


def test_columns_are_known_before_a_row_is_read() -> None:
    """The names are those that are looked up: qualified, without backticks."""
    text = "if(enr.ICDAT_RAW is missing, lab.`Hb (g/L)`, concat(性别, `a``b`)) = coalesce(A, A)"
    assert parse_expression(text).columns == {"enr.ICDAT_RAW", "lab.Hb (g/L)", "性别", "a`b", "A"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A", None),
        ("missing", None),
        ("coalesce(A, B)", None),
        ("coalesce(A, 'x')", None),
        ("coalesce(upper(A), 'x')", "text"),
        ("if(A = B, 1, C)", "number"),
        ("A + 1", "number"),
        ("length(A)", "number"),
        ("text(A)", "text"),
        ("'x'", "text"),
        ("not A = 1", "condition"),
    ],
)
def test_kind(text: str, kind: str | None) -> None:
    """The kind is known where the columns cannot change it."""
    assert parse_expression(text).kind == kind


def test_a_condition_is_asked_for() -> None:
    """Where a condition is wanted a value is a fault, and the error says how to make one of it."""
    assert parse_expression("A is missing", condition=True).kind == "condition"
    with pytest.raises(ExpressionError, match="expected a condition, such as AESER = 'Y', found the value AESER"):
        parse_expression("AESER", condition=True)


def test_error_says_where() -> None:
    """The error carries the text, the place and the reason for whoever reports it with a file and a line."""
    with pytest.raises(ExpressionError) as caught:
        parse_expression("AETERM is not mising")
    assert (caught.value.text, caught.value.column) == ("AETERM is not mising", 15)
    assert str(caught.value).startswith("'AETERM is not mising': column 15: " + caught.value.reason)


@pytest.mark.parametrize("text", ["(" * 5000 + "A" + ")" * 5000, "-" * 5000 + "A", "1 + " * 2000 + "1"])
def test_deep_nesting_is_refused_not_a_crash(text: str) -> None:
    """No text brings the parser or the evaluation to the end of the stack."""
    try:
        assert parse_expression(text).columns == {"A"}
    except ExpressionError as error:
        assert "nested more than 100 deep" in str(error) or "longer than 10000 characters" in str(error)


@pytest.mark.parametrize(
    "text", ["upper(" * 99 + "A" + ")" * 99, "not (" * 90 + "A = 'x'" + ")" * 90, "-" * 99 + "A"]
)
def test_as_deep_as_allowed_is_evaluated(text: str) -> None:
    """What the parser lets through the evaluation can carry."""
    assert len(evaluate(parse_expression(text), {"A": make_column("1")}, index=pd.RangeIndex(1)).values) == 1


def test_refusals_say_which_part_and_why() -> None:
    """Each reason comes with the part of the expression and its rows."""
    data = pd.DataFrame({"DOSE": ["14", "ND", "7", ""], "DAYS": ["2", "1", "0", "0"]})
    result = evaluate(parse_expression("DOSE / DAYS"), data, index=data.index)
    assert result.values.tolist() == pytest.approx([7, np.nan, np.nan, np.nan], nan_ok=True)
    assert result.refused.tolist() == [False, True, True, False]
    assert [(refusal.part, refusal.reason, refusal.rows.tolist()) for refusal in result.refusals] == [
        ("DOSE", "is not a number", [False, True, False, False]),
        ("DOSE / DAYS", "divides by zero", [False, False, True, False]),
    ]


def test_condition_over_a_frame() -> None:
    """The rows in which a condition holds keep the index asked for; refused rows are not among them."""
    data = pd.DataFrame({"EXLDOSE": ["14", "0", "ND", ""]}, index=[3, 5, 7, 9])
    holds = evaluate_condition(parse_expression("EXLDOSE > 0", condition=True), data, index=data.index)
    pd.testing.assert_series_equal(holds, pd.Series([True, False, False, False], index=data.index))


def test_columns_are_asked_for_once_each() -> None:
    """A column comes from a function as well as from a mapping, and no more often than needed."""
    asked = []

    def read(name: str) -> pd.Series[str]:
        asked.append(name)
        return pd.Series(["x", "y"], dtype="str")

    result = evaluate(parse_expression("concat(A, B, A)"), read, index=pd.RangeIndex(2))
    assert (result.values.tolist(), asked) == (["xxx", "yyy"], ["A", "B"])


def test_columns_of_another_index_are_not_aligned_silently() -> None:
    """A column over other rows is a fault of the caller."""
    with pytest.raises(ValueError, match="column A: its index is not the one asked for"):
        evaluate(parse_expression("A"), {"A": pd.Series(["x"], index=[1])}, index=pd.RangeIndex(1))


def test_other_columns_are_read_too() -> None:
    """Categories, integers, absent texts and infinite numbers: text, numbers, missing, refused."""
    data = pd.DataFrame(
        {
            "C": pd.Categorical(["a", None]),
            "I": pd.array([1, None], dtype="Int64"),
            "O": pd.Series(["a", None], dtype="object"),
            "F": [1.5, np.inf],
        }
    )
    joined = evaluate(parse_expression("join('|', C, I, O)"), data, index=data.index)
    assert joined.values.tolist() == ["a|1|a", ""]
    assert evaluate(parse_expression("F"), data, index=data.index).refused.tolist() == [False, True]


def test_no_rows() -> None:
    """An empty table gives an empty answer of the right type."""
    data = pd.DataFrame({"A": pd.Series([], dtype="str")})
    for text, dtype in [("extract(A, '(.)')", "str"), ("A + 1", "float64"), ("A in (1) or A < 'x'", "bool")]:
        result = evaluate(parse_expression(text), data, index=data.index)
        assert (len(result.values), result.values.dtype) == (0, dtype)


def test_unique_texts_and_whole_columns_answer_the_same() -> None:
    """Costly functions work on unique texts where there are few; what they answer does not depend on it."""
    few = pd.Series(["a1", "b22", ""] * 3000, dtype="str")
    many = pd.Series([f"{letter}{number}" for number in range(3000) for letter in "ab"], dtype="str")
    expression = parse_expression("extract(A, '([0-9]+)')")
    assert evaluate(expression, {"A": few}, index=few.index).values.tolist() == ["1", "22", ""] * 3000
    digits = [str(number) for number in range(3000) for _ in "ab"]
    assert evaluate(expression, {"A": many}, index=many.index).values.tolist() == digits


def test_function_reference() -> None:
    """The table documents itself: name, signature, one line."""
    entries = {entry.name: entry for entry in functions()}
    assert list(entries) == sorted(FUNCTIONS)
    assert entries["substr"].signature == "substr(text: text, start: whole number, length?: whole number) -> text"
    assert entries["concat"].signature == "concat(text: text, ...more: text) -> text"
    assert entries["upper"].description == "The text in capitals."
    assert all(entry.description.endswith(".") for entry in functions())


def test_importing_does_not_build_the_parser() -> None:
    """A command that parses nothing does not pay for the parser."""
    check = "import sys, sdtm.expressions; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


# Random trees of each kind; only such as the parser can make (minus a number is a number).

numbers_written = st.floats(-1e9, 1e9).map(lambda value: tree.NumberLiteral(value + 0.0)) | st.integers(0, 20).map(
    lambda value: tree.NumberLiteral(float(value))
)
texts_written = st.text(max_size=5).map(tree.TextLiteral)
column_names = st.sampled_from(["A", "B", "N"])
odd_names = st.text(min_size=1, max_size=6) | st.sampled_from(
    ["in", "Not", "a.b", "missing", "x y", "`", "length", "in.a"]
)
patterns = st.sampled_from(["[0-9]+", "a|b", "(x)?", r"\s*", "."])


def make_values(names: st.SearchStrategy[str], depth: int) -> st.SearchStrategy[tree.Node]:
    """Texts and numbers; a text literal only where any text will do."""
    return st.one_of(make_numbers(names, depth), make_texts(names, depth))


def make_numbers(names: st.SearchStrategy[str], depth: int) -> st.SearchStrategy[tree.Node]:
    leaf = numbers_written | names.map(tree.Column)
    if depth == 0:
        return leaf
    inner, texts = make_numbers(names, depth - 1), make_texts(names, depth - 1)
    return st.one_of(
        leaf,
        st.builds(tree.Arithmetic, st.sampled_from("+-*/"), inner, inner),
        inner.filter(lambda node: not isinstance(node, tree.NumberLiteral)).map(tree.Negative),
        st.tuples(inner, st.integers(0, 15).map(lambda digits: tree.NumberLiteral(float(digits)))).map(
            lambda arguments: tree.Call("round", arguments)
        ),
        st.tuples(texts).map(lambda arguments: tree.Call("length", arguments)),
        st.lists(inner, min_size=1, max_size=3).map(lambda arguments: tree.Call("max", tuple(arguments))),
        st.tuples(make_conditions(names, depth - 1), inner, inner).map(lambda arguments: tree.Call("if", arguments)),
    )


def make_texts(names: st.SearchStrategy[str], depth: int) -> st.SearchStrategy[tree.Node]:
    leaf = texts_written | names.map(tree.Column) | st.just(tree.MissingLiteral())
    if depth == 0:
        return leaf
    inner, numbers = make_texts(names, depth - 1), make_numbers(names, depth - 1)
    separator = tree.TextLiteral(", ")
    return st.one_of(
        leaf,
        st.sampled_from(["upper", "trim"]).flatmap(lambda name: inner.map(lambda node: tree.Call(name, (node,)))),
        numbers.map(lambda node: tree.Call("text", (node,))),
        inner.map(lambda node: tree.Call("extract", (node, tree.TextLiteral("([0-9]+)")))),
        inner.map(lambda node: tree.Call("pad", (node, tree.NumberLiteral(5.0), tree.TextLiteral("0")))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: tree.Call("join", (separator, *parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: tree.Call("coalesce", tuple(parts))),
    )


def make_conditions(names: st.SearchStrategy[str], depth: int) -> st.SearchStrategy[tree.Node]:
    values = make_values(names, max(depth - 1, 0))
    texts = make_texts(names, max(depth - 1, 0))
    operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    items = st.lists(texts_written | st.just(tree.MissingLiteral()), min_size=1, max_size=3).map(tuple)
    tests = st.builds(tree.TextTest, st.sampled_from(["matches", "contains"]), values, patterns.map(tree.TextLiteral))
    leaf = st.one_of(
        st.builds(tree.Comparison, operators, texts, texts),
        st.builds(tree.Comparison, operators, *[make_numbers(names, max(depth - 1, 0))] * 2),
        st.builds(tree.IsIn, names.map(tree.Column), items),
        values.map(tree.IsMissing),
        tests,
    )
    if depth == 0:
        return leaf
    inner = make_conditions(names, depth - 1)
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(leaf, inner.map(tree.Not), parts.map(tree.And), parts.map(tree.Or))


any_tree = make_conditions(odd_names, 2) | make_values(odd_names, 2)
rows = st.lists(st.tuples(text_column, text_column, st.floats()), min_size=1, max_size=4)


def make_frame(data: list[tuple[str, str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame(data, columns=["A", "B", "N"], index=range(1, len(data) + 1))
    return frame.astype({"A": "str", "B": "str", "N": "float64"})


@steady
@given(any_tree)
def test_what_is_written_is_what_is_parsed(node: tree.Node) -> None:
    """Every tree, written as text and parsed again, is the same tree, and its text does not change any more."""
    parsed = parse_expression(to_text(node))
    assert parsed.tree == node
    assert to_text(parsed.tree) == to_text(node)
    assert parsed.columns == columns_of(node)


@steady
@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from([*"()+-*/=<!,'`.", " A ", "not ", " in ", "is ", "1"])).map("".join)
)
def test_any_text_is_an_expression_or_an_expression_error(text: str) -> None:
    """Whatever is written, the answer is a tree or one line of explanation."""
    try:
        assert parse_expression(text).columns is not None
    except ExpressionError as error:
        assert "column" in str(error) and len(str(error).splitlines()) == 1


@steady
@given(make_conditions(column_names, 2) | make_values(column_names, 2), rows)
def test_every_row_has_an_answer(node: tree.Node, data: list[tuple[str, str, float]]) -> None:
    """No content of the columns raises; a refused row is missing or False; numbers are finite."""
    frame = make_frame(data)
    expression = parse_expression(to_text(node))
    result = evaluate(expression, frame, index=frame.index)
    assert result.values.index.equals(frame.index) and result.refused.index.equals(frame.index)
    assert result.refused.dtype == "bool" and result.values.dtype in ("str", "float64", "bool")
    assert expression.kind is None or {"str": "text", "float64": "number", "bool": "condition"}[
        str(result.values.dtype)
    ] == (expression.kind)
    refused = result.values[result.refused]
    assert (refused.isna() | (refused == (False if result.values.dtype == "bool" else ""))).all()
    if result.values.dtype == "float64":
        assert not np.isinf(result.values).any()


@steady
@given(make_conditions(column_names, 1), rows)
def test_a_condition_and_its_negation(node: tree.Node, data: list[tuple[str, str, float]]) -> None:
    """In every row that is not refused exactly one of a condition and its negation holds."""
    frame = make_frame(data)
    plain = evaluate(parse_expression(to_text(node)), frame, index=frame.index)
    negated = evaluate(parse_expression(to_text(tree.Not(node))), frame, index=frame.index)
    assert (plain.values ^ negated.values).tolist() == (~plain.refused).tolist()
    assert plain.refused.equals(negated.refused)


@steady
@given(make_conditions(column_names, 2) | make_values(column_names, 2), rows)
def test_a_row_is_answered_by_itself(node: tree.Node, data: list[tuple[str, str, float]]) -> None:
    """The answer of a row does not depend on the rows around it."""
    frame = make_frame(data)
    expression = parse_expression(to_text(node))
    together = evaluate(expression, frame, index=frame.index)
    alone = [evaluate(expression, frame.loc[[row]], index=frame.index[[at]]) for at, row in enumerate(frame.index)]
    pd.testing.assert_series_equal(pd.concat([each.values for each in alone]), together.values)
    pd.testing.assert_series_equal(pd.concat([each.refused for each in alone]), together.refused)
