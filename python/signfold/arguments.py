"""What callers may give for an argument, and the words for what they may not.

The module in C++ checks types too, but does not know the names of arguments.

>>> from signfold.arguments import checked
>>> checked("rate", 2)
2.0
>>> checked("max_rows", 1e5)
Traceback (most recent call last):
    ...
TypeError: max_rows is 100000.0; it must be a whole number, 0 or more
"""

import operator
import os
from typing import Any, Callable, Mapping

import numpy as np


def number(name: str, value: Any) -> float:
    """A real number. TypeError for other types."""
    if not hasattr(value, "__float__") and not hasattr(value, "__index__"):
        raise wrong(name, value, "a number")
    try:
        return float(value)
    except TypeError:  # an array
        raise wrong(name, value, "a number") from None
    except OverflowError:
        raise wrong(name, value, "below 1e308") from None


def integer(name: str, value: Any, wanted: str = "a whole number") -> int:
    """An integer of any size. TypeError for other types."""
    try:
        return operator.index(value)
    except TypeError:
        raise wrong(name, value, wanted) from None


def small(name: str, value: Any) -> int:
    """An integer that C has an int for. TypeError for others."""
    if not -(2**31) <= integer(name, value) < 2**31:
        raise wrong(name, value, "below 2^31")
    return integer(name, value)


def count(name: str, value: Any) -> int:
    """An integer from 0 to 2^64 - 1. TypeError for others."""
    wanted = "a whole number, 0 or more"
    many = integer(name, value, wanted)
    if not 0 <= many < 2**64:
        raise wrong(name, value, wanted if many < 0 else "below 2^64")
    return many


def counts(name: str, value: Any) -> list[int]:
    """A list of those. TypeError for anything else."""
    try:
        return [count(name, one) for one in value]
    except TypeError:
        raise wrong(name, value, "a sequence of whole numbers, 0 or more") from None


def words(name: str, value: Any) -> str:
    """A string. TypeError for others, and for one with half characters."""
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise wrong(name, value, "a string")
    return value


def file_words(name: str, value: Any) -> bytes:
    """A string that may name a file, as "dense:FILE" does, in the bytes of the system.

    TypeError for what is no string, ValueError for one with a NUL, where the system would cut it.
    """
    if not isinstance(value, str):
        raise wrong(name, value, "a string")
    if "\0" in value:
        raise ValueError(f"{name} is {value!r}: there is a NUL in it")
    return os.fsencode(value)


def flag(name: str, value: Any) -> bool:
    """True or False, also NumPy's, or 1 or 0. TypeError for others: "no" would be true."""
    if not isinstance(value, (int, np.integer, np.bool_)) or value not in (0, 1):
        raise wrong(name, value, "True or False")
    return bool(value)


def callback(name: str, value: Any) -> Any:
    """A function, or None. TypeError for others."""
    if value is not None and not callable(value):
        raise wrong(name, value, "a function, or None")
    return value


#: What each option is.
KINDS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("rate", "epsilon", "noise", "tau", "tau_end", "weight_decay"), number),
    **dict.fromkeys(("step_size", "network_step_size"), number),
    **dict.fromkeys(("epochs", "joint_epochs", "search_epochs"), number),
    **dict.fromkeys(("seed", "max_rows", "steps", "batch", "masks", "axes", "search"), count),
    **dict.fromkeys(("dim", "samples"), count),
    **dict.fromkeys(("stages", "hidden", "item_shape"), counts),
    **dict.fromkeys(("encoder", "prior", "start"), file_words),
    **dict.fromkeys(("decoder", "basis", "scale", "center"), words),
    **dict.fromkeys(("method", "rows", "optimizer", "decay", "augment"), words),
    **dict.fromkeys(("whiten", "splines", "own_matrix", "freeze_encoder", "resume"), flag),
    "threads": small,
    "progress": callback,
}


def checked(name: str, value: Any) -> Any:
    """An option as the module in C++ takes it. TypeError, or ValueError, that names it."""
    return KINDS[name](name, value)


def set_options(options: Any, values: Mapping[str, Any]) -> None:
    """Sets options of the module in C++, some of which have a function for that."""
    for name, value in values.items():
        setter = getattr(options, f"set_{name}", None)
        if setter is None:
            setattr(options, name, checked(name, value))
        else:
            setter(checked(name, value))


def wrong(name: str, value: Any, wanted: str) -> TypeError:
    """The error of an argument that is something else."""
    return TypeError(f"{name} is {shown(value)}; it must be {wanted}")


def shown(value: Any) -> str:
    """A value in a message of one line: itself where it is short, else its type.

    >>> from signfold.arguments import shown
    >>> shown("one"), shown([0] * 100)
    ("'one'", 'a list')
    """
    it = repr(value)
    return it if len(it) <= 40 and "\n" not in it else f"a {type(value).__name__}"
