"""distance between two points on the earth."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.functions.registry import function
from trellis.formula.sql.scope import SqlLocation, SqlScope, SqlValue
from trellis.formula.types import Location

FAMILY = "places"
RADIUS = 6_371_008.8


def metres(a: Location, b: Location) -> Decimal:
    """The great-circle distance in whole metres (haversine)."""
    lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
    half_lat = math.sin((lat2 - lat1) / 2)
    half_lon = math.sin(math.radians(b.longitude - a.longitude) / 2)
    h = half_lat * half_lat + math.cos(lat1) * math.cos(lat2) * half_lon * half_lon
    return Decimal(math.floor(2 * RADIUS * math.asin(math.sqrt(min(1.0, h))) + 0.5))


def _double(f: Any, *args: Any) -> ColumnElement[Any]:
    return f(*args, type_=sa.Double())  # type: ignore[no-any-return]


def _metres(scope: SqlScope, a: SqlLocation, b: SqlLocation) -> SqlValue:
    def radians(c: Any) -> ColumnElement[Any]:
        return _double(sa.func.radians, c)

    def half(c: ColumnElement[Any]) -> ColumnElement[Any]:
        return _double(sa.func.sin, c / sa.literal_column("2::float8", sa.Double()))

    lat1, lat2 = radians(a.latitude), radians(b.latitude)
    half_lat, half_lon = half(lat2 - lat1), half(radians(b.longitude - a.longitude))
    h = half_lat * half_lat + _double(sa.func.cos, lat1) * _double(sa.func.cos, lat2) * half_lon * half_lon
    one: ColumnElement[Any] = sa.literal_column("1::float8", sa.Double())
    bounded = sa.case((h > one, one), else_=h)
    diameter: ColumnElement[Any] = sa.literal_column(f"{2 * RADIUS!r}::float8", sa.Double())
    length = diameter * _double(sa.func.asin, _double(sa.func.sqrt, bounded))
    return sa.cast(_double(sa.func.floor, length + sa.literal_column("0.5::float8", sa.Double())), sa.Numeric())


distance = function(
    "distance", "distance(location, location)", "The distance in metres, as the crow flies.", family=FAMILY
)
distance("location, location -> number", metres, _metres, times=3)
