"""Enums that every resource shares."""

from __future__ import annotations

from enum import StrEnum


class OpenEnum(StrEnum):
    """An enum that accepts unknown values, so that a newer server never breaks decoding."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class SortOrder(StrEnum):
    """The direction of a list; missing values come last in descending and first in ascending order."""

    ASC = "asc"
    DESC = "desc"
