"""A model with its preparation as one ONNX graph, from its compiled preparation and its estimator.

Numbers are double precision, missing as NaN; texts are strings, missing as the empty one. Trees stand in the operator
TreeEnsemble of ai.onnx.ml 5, which keeps thresholds in double precision. skl2onnx 1.20 cannot do it: it knows neither
MissingIndicator nor the histogram boosting of scikit-learn 1.9, and writes trees in single precision.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hydroml.adapters.learning import trees
from hydroml.adapters.learning.compiled import (
    Block,
    Compiled,
    Fill,
    Floor,
    Formula,
    Indicator,
    Lookup,
    NotCompiledError,
    Numbers,
    Scale,
)
from hydroml.adapters.learning.frames import TEXT_TYPES, Array, label_text
from hydroml.domain.experiments.runs import Outcome

OPSET, ML_OPSET, IR = 18, 5, 9
_ML = "ai.onnx.ml"
_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "softmax": "Softmax"}


def write(model: Compiled, outcome: Outcome, title: str, out: Path) -> None:
    """Raises NotCompiledError for a part that has no place in a graph, ImportError without the package onnx."""
    graph = _Graph()
    inputs = [graph.input(one.name, texts=one.type in TEXT_TYPES) for one in outcome.seen]
    blocks = [_block(graph, block) for block in model.blocks]
    seen = graph.add("Concat", blocks, axis=1) if len(blocks) > 1 else blocks[0]
    if outcome.classes:
        outputs = _classified(graph, model.estimator, _shares(graph, model.estimator, seen))
    else:
        outputs = [graph.output(_number(graph, model.estimator, seen), "prediction", "number", 1)]
    graph.save(inputs, outputs, title, out)


class _Graph:
    """Nodes and constants as they are made; each node gives one result, by whose name it goes."""

    def __init__(self) -> None:
        import onnx

        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: Any, dtype: Any = np.float64) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def add(self, kind: str, given: Sequence[str], domain: str = "", **attributes: Any) -> str:
        name = f"r{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, given, [name], domain=domain, **attributes))
        return name

    def tensor(self, values: Any, dtype: Any) -> Any:
        return self._onnx.numpy_helper.from_array(np.asarray(values, dtype=dtype))

    def single(self, x: str) -> str:
        """As single precision keeps it."""
        kinds = self._onnx.TensorProto
        return self.add("Cast", [self.add("Cast", [x], to=kinds.FLOAT)], to=kinds.DOUBLE)

    def double(self, x: str) -> str:
        return self.add("Cast", [x], to=self._onnx.TensorProto.DOUBLE)

    def input(self, name: str, *, texts: bool) -> Any:
        return self._value(name, "text" if texts else "number", 1)

    def output(self, result: str, name: str, kind: str, width: int | None) -> Any:
        self._nodes.append(self._onnx.helper.make_node("Identity", [result], [name]))
        return self._value(name, kind, width)

    def _value(self, name: str, kind: str, width: int | None) -> Any:
        kinds = self._onnx.TensorProto
        type_ = {"text": kinds.STRING, "number": kinds.DOUBLE}[kind]
        return self._onnx.helper.make_tensor_value_info(name, type_, ["rows"] if width is None else ["rows", width])

    def save(self, inputs: Sequence[Any], outputs: Sequence[Any], title: str, out: Path) -> None:
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, "hydroml", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_ML, ML_OPSET)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="HydroML", doc_string=title)
        self._onnx.checker.check_model(made)
        out.write_bytes(made.SerializeToString())


def _block(graph: _Graph, block: Block) -> str:
    match block:
        case Numbers():
            x = graph.add("Concat", block.columns, axis=1)
            for formula in block.formulas:
                x = _formula(graph, formula, x)
            return x
        case Indicator(texts=False):
            return graph.double(graph.add("IsNaN", [graph.add("Concat", block.columns, axis=1)]))
        case Indicator():
            given = {"keys_strings": [""], "values_floats": [1.0], "default_float": 0.0}
            marks = [graph.add("LabelEncoder", [name], _ML, **given) for name in block.columns]
            return graph.double(graph.add("Concat", marks, axis=1))
        case Lookup():
            return _lookup(graph, block)


def _lookup(graph: _Graph, block: Lookup) -> str:
    if "" in block.rows:
        raise NotCompiledError(f"“{block.column}”, in which the empty text is a category")
    unknown, missing = len(block.table) - 2, len(block.table) - 1
    rows = {**block.rows, "": missing}
    given = {"keys_strings": list(rows), "values_int64s": list(rows.values()), "default_int64": unknown}
    row = graph.add("LabelEncoder", [block.column], _ML, **given)
    found = graph.add("Gather", [graph.constant(block.table), row], axis=0)
    return graph.add("Reshape", [found, graph.constant([-1, block.table.shape[1]], np.int64)])


def _formula(graph: _Graph, formula: Formula, x: str) -> str:
    match formula:
        case Fill(values):
            return graph.add("Where", [graph.add("IsNaN", [x]), graph.constant(values), x])
        case Floor(values):  # not Max, of which it is not said what becomes of NaN
            floor = graph.constant(values)
            return graph.add("Where", [graph.add("Less", [x, floor]), floor, x])
        case Scale(shift, by, multiply=True):
            return graph.add("Add", [graph.add("Mul", [x, graph.constant(by)]), graph.constant(shift)])
        case Scale(shift, by):
            return graph.add("Div", [graph.add("Sub", [x, graph.constant(shift)]), graph.constant(by)])
        case _:
            return graph.add("Log", [graph.add("Add", [x, graph.constant(1.0)])])


def _affine(graph: _Graph, x: str, coefficients: Array, intercept: Any) -> str:
    return graph.add("Add", [graph.add("MatMul", [x, graph.constant(coefficients)]), graph.constant(intercept)])


def _number(graph: _Graph, model: Any, x: str) -> str:
    kind = type(model).__name__
    if kind == "TransformedTargetRegressor":
        scaler = model.transformer_
        scaled = graph.add("Mul", [_number(graph, model.regressor_, x), graph.constant(scaler.scale_)])
        return graph.add("Add", [scaled, graph.constant(scaler.mean_)])
    if kind in {"LinearRegression", "Ridge", "Lasso", "ElasticNet"}:
        return _affine(graph, x, np.reshape(model.coef_, (-1, 1)), np.reshape(model.intercept_, -1))
    if kind == "MLPRegressor":
        return _network(graph, model, x)
    return _trees(graph, model, x)


def _shares(graph: _Graph, model: Any, x: str) -> str:
    """The probability of each class."""
    kind = type(model).__name__
    if kind == "VotingClassifier" and len(model.estimators_) == 1:
        return _shares(graph, model.estimators_[0], x)
    if kind == "LogisticRegression":
        margin = _affine(graph, x, model.coef_.T, model.intercept_)
        return _linked(graph, margin, "softmax" if len(model.coef_) > 1 else "sigmoid")
    if kind == "MLPClassifier":
        found = _network(graph, model, x)
        return found if model.out_activation_ == "softmax" else _of_two(graph, found)
    return _linked(graph, _trees(graph, model, x), trees.read(model).link)


def _linked(graph: _Graph, x: str, link: str) -> str:
    if link == "sigmoid":
        return _of_two(graph, graph.add("Sigmoid", [x]))
    return graph.add("Softmax", [x], axis=1) if link == "softmax" else x


def _of_two(graph: _Graph, second: str) -> str:
    return graph.add("Concat", [graph.add("Sub", [graph.constant(1.0), second]), second], axis=1)


def _network(graph: _Graph, model: Any, x: str) -> str:
    last = len(model.coefs_) - 1
    for layer, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        x = _affine(graph, x, weights, bias)
        activation = _ACTIVATIONS.get(model.out_activation_ if layer == last else model.activation)
        if activation:
            x = graph.add(activation, [x])  # softmax along the last axis, as it is by default
    return x


def _trees(graph: _Graph, model: Any, x: str) -> str:
    ensemble = trees.read(model)
    nodes: Mapping[str, Any] = ensemble.table()
    margin = graph.add(
        "TreeEnsemble",
        [graph.single(x) if ensemble.single else x],
        _ML,
        n_targets=ensemble.targets,
        aggregate_function=1,
        post_transform=0,
        nodes_splits=graph.tensor(nodes["splits"], np.float64),
        nodes_modes=graph.tensor(nodes["modes"], np.uint8),
        leaf_weights=graph.tensor(nodes["weights"], np.float64),
        **{name: [int(one) for one in nodes[name]] for name in trees.INTEGERS},
    )
    return graph.add("Add", [margin, graph.constant(ensemble.base)])


def _classified(graph: _Graph, model: Any, shares: str) -> list[Any]:
    classes = [label_text(label) for label in model.classes_.tolist()]
    best = graph.add("ArgMax", [shares], axis=1, keepdims=0)
    given = {"keys_int64s": list(range(len(classes))), "values_strings": classes, "default_string": ""}
    label = graph.add("LabelEncoder", [best], _ML, **given)
    return [
        graph.output(label, "label", "text", None),
        graph.output(shares, "probabilities", "number", len(classes)),
    ]
