"""Comparators for the checks of exercises: None if the answer is right, else a hint that does not give it away."""

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

Hints = Mapping[Any, str] | Iterable[tuple[Any, str]]
BITS = 1 / math.log(2)  # per nat


class UnreadableError(Exception):
    """An answer of the wrong form; its text is the hint."""


def numbers(answer: Any, shape: Sequence[int] | None = None) -> np.ndarray:
    """An answer as an array of finite floats, whatever it came as: number, list, array, tensor (with or without a gradient).

    Args:
        answer: what the learner gave.
        shape: the shape that is wanted; a single number may also come as an array of one.

    Raises:
        UnreadableError: no number, another shape, NaN or infinity.
    """
    if answer is ...:
        raise UnreadableError("there are still three dots in it: put your answer in their place.")
    if answer is None:
        raise UnreadableError("the answer is None. If a function gave it, does that function end with `return`?")
    if callable(answer) and not isinstance(answer, torch.Tensor):
        raise UnreadableError("a number is asked for, and this is a function: call it.")
    if isinstance(answer, (str, bytes, bool, dict, set)):
        raise UnreadableError(f"a number is asked for (or a tensor or a list of numbers), not {type(answer).__name__}.")
    try:
        if isinstance(answer, torch.Tensor):
            if answer.is_complex() or answer.dtype == torch.bool:
                raise TypeError
            answer = answer.detach().cpu().double().numpy()
        elif isinstance(answer, (list, tuple)):
            answer = [numbers(part) for part in answer]
        array = np.asarray(answer)
        if array.dtype.kind not in "iuf":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise UnreadableError(f"this answer of type {type(answer).__name__} cannot be read as real numbers of one shape.") from None
    if np.isnan(array).any():
        raise UnreadableError("there is a NaN in it. Find the first step that makes one: a logarithm or root of a negative number, 0 / 0?")
    if np.isinf(array).any():
        raise UnreadableError("it is infinite. Is there a logarithm of 0, a division by 0, or an exponential that overflows?")
    if shape is not None:
        if array.size == 1 and math.prod(shape) == 1:
            array = array.reshape(shape)
        if array.shape != tuple(shape):
            turned = " Rows and columns are exchanged." if array.ndim == 2 and array.T.shape == tuple(shape) else ""
            wanted = f"shape {tuple(shape)}" if shape else "a single number"
            raise UnreadableError(f"its shape is {array.shape}, and {wanted} is asked for.{turned}")
    return array


def close(answer: Any, expected: Any, tolerance: float, hints: Hints = ()) -> str | None:
    """Compare numbers: every one within the tolerance.

    Args:
        answer: a number, list, array or tensor.
        expected: the right one, of any of these kinds.
        tolerance: the largest absolute difference that counts as right.
        hints: well-known wrong values and what to say of each, as a mapping or as pairs (tensors, arrays); write each as one sentence
            that names the misconception and not the right value.

    Raises:
        ValueError: a hint for a value that counts as right.
    """
    right = numbers(expected)
    pairs = [(numbers(wrong), hint) for wrong, hint in (hints.items() if isinstance(hints, Mapping) else hints)]
    for wrong, hint in pairs:
        if _same(wrong, right, tolerance):
            raise ValueError(f"the hint {hint!r} stands beside a value that counts as right")
    try:
        given = numbers(answer, right.shape)
    except UnreadableError as error:
        known = _readable(answer)
        if known is None:
            return str(error)
        return _nearest(known, pairs, tolerance) or str(error)  # a well-known wrong value may have a wrong shape
    if _same(given, right, tolerance):
        return None
    return _nearest(given, pairs, tolerance) or _direction(given, right, tolerance)


def _nearest(given: np.ndarray, pairs: list[tuple[np.ndarray, str]], tolerance: float) -> str | None:
    """The hint of the well-known wrong value that is nearest, if one is within the tolerance."""
    met = [(wrong, hint) for wrong, hint in pairs if _same(given, wrong, tolerance)]
    return min(met, key=lambda pair: float(np.abs(given.ravel() - pair[0].ravel()).max(initial=0)))[1] if met else None


def _readable(answer: Any) -> np.ndarray | None:
    try:
        return numbers(answer)
    except UnreadableError:
        return None


def _same(one: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    if one.size == other.size == 1:
        one, other = one.reshape(()), other.reshape(())
    return one.shape == other.shape and bool((np.abs(one - other) <= tolerance).all())


def _direction(given: np.ndarray, right: np.ndarray, tolerance: float) -> str:
    """What is wrong with numbers, in words that do not tell the right ones."""
    slack = max(tolerance, 1e-9)
    if np.abs(right).max(initial=0) > 2 * slack:
        if _same(-given, right, tolerance):
            return "the size is right, the sign is not."
        for factor, hint in ((BITS, "is it in bits? The book counts in nats, with the natural logarithm."), (100, "is it in per cent?")):
            if _same(given / factor, right, slack):
                return hint
    if given.size == 1:
        return f"it is too {'large' if given.item() > right.item() else 'small'}."
    wrong = np.abs(given - right) > tolerance
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = first[0] if len(first) == 1 else first
    amount = "all" if wrong.all() else f"{int(wrong.sum())} of {wrong.size}"
    return f"{amount} of its numbers are off. The one at index {where} is too {'large' if given[first] > right[first] else 'small'}."


def choice(answer: Any, right: str, wrong: Mapping[str, str]) -> str | None:
    """Compare a word with the ones on offer; upper and lower case count the same.

    Args:
        answer: the word chosen.
        right: the right one.
        wrong: every other word on offer, with its hint.
    """
    options = sorted([right, *wrong])
    given = answer.strip().casefold() if isinstance(answer, str) else None
    if given == right.casefold():
        return None
    hint = next((hint for word, hint in wrong.items() if given == word.casefold()), None)
    return hint or f"answer with one of {', '.join(repr(option) for option in options)}."


def ranking(answer: Any, expected: Sequence[str], hints: Mapping[tuple[str, str], str] | None = None) -> str | None:
    """Compare an order, given as a list of names.

    Args:
        answer: the names in the learner's order.
        expected: the names in the right order.
        hints: for a pair of names that stands the wrong way round, (first, second) as the learner has them, what to say.
    """
    if not isinstance(answer, (list, tuple)) or not all(isinstance(name, str) for name in answer) or sorted(answer) != sorted(expected):
        return f"give a list that has each of these once: {', '.join(repr(name) for name in sorted(expected))}."
    for first, second in itertools.pairwise(answer):
        if list(expected).index(first) > list(expected).index(second):
            return (hints or {}).get((first, second)) or f"compare {first!r} with {second!r} once more."
    return None


def agrees(
    answer: Any,
    reference: Callable[..., Any],
    cases: Iterable[tuple[Any, ...]],
    tolerance: float,
    hints: Iterable[tuple[Callable[..., Any], str]] = (),
) -> str | None:
    """Compare a function with a reference on test inputs; both draw the same random numbers.

    Args:
        answer: the learner's function.
        reference: a right one. What it returns (numbers, tensors, or a tuple of them) is compared by `close`.
        cases: tuples of arguments; every call gets copies.
        tolerance: the largest absolute difference that counts as right.
        hints: functions with a well-known mistake, and what to say of each.
    """
    if not callable(answer):
        return f"a function is asked for, not {type(answer).__name__}: give its name without brackets."
    cases = list(cases)
    for number, arguments in enumerate(cases, 1):
        plain = all(isinstance(argument, (int, float)) or getattr(argument, "ndim", None) == 0 for argument in arguments)  # numbers
        place = f"test input {number}" + (f" = ({', '.join(f'{argument:g}' for argument in map(float, arguments))})" if plain else "")
        try:
            given = _call(answer, arguments)
        except Exception as error:
            return f"your function raises {type(error).__name__} for {place}: {error}"
        if given is None or _dotted(given):
            return "your function returns nothing: put its lines in place of the three dots, and end with `return`."
        hint = _compare(given, _call(reference, arguments), tolerance)
        if hint:
            for wrong, known in hints:
                if all(_alike(answer, wrong, case, tolerance) for case in cases):
                    return known
            return f"for {place}, {hint}"
    return None


def _dotted(answer: Any) -> bool:
    """Whether an answer, or any part of it, is still `...`."""
    parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, (list, tuple)) else ()
    return answer is ... or any(_dotted(part) for part in parts)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return function(*copy.deepcopy(arguments))


def _compare(given: Any, right: Any, tolerance: float) -> str | None:
    if not isinstance(right, tuple):
        return close(given, right, tolerance)
    if not isinstance(given, (tuple, list)) or len(given) != len(right):
        return f"it should return {len(right)} things."
    hints = (close(part, wanted, tolerance) for part, wanted in zip(given, right, strict=True))
    return next((f"in what it returns at place {place}, {hint}" for place, hint in enumerate(hints, 1) if hint), None)


def _alike(answer: Callable[..., Any], wrong: Callable[..., Any], arguments: tuple[Any, ...], tolerance: float) -> bool:
    try:
        return _compare(_call(answer, arguments), _call(wrong, arguments), tolerance) is None
    except Exception:
        return False
