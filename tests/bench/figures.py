"""A judged figure: a median, from what to what it ranged, and what it has to be."""

from dataclasses import dataclass
from statistics import median

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One judged figure: a median, from what to what it ranged, and what it has to be."""

    title: str
    subject: str  # a database, or ""
    values: tuple[float, ...]
    unit: str = "×"
    least: float | None = None
    most: float | None = None

    @property
    def value(self) -> float:
        """Return the median."""
        return median(self.values)

    @property
    def good(self) -> bool:
        """Tell whether it is what it has to be; one without a bar always is."""
        low = self.least is not None and self.value < self.least
        high = self.most is not None and self.value > self.most
        return not (low or high)

    @property
    def bar(self) -> str:
        """Say what it has to be."""
        parts = [f"≥ {self.least:g}"] if self.least is not None else []
        parts += [f"≤ {self.most:g}"] if self.most is not None else []
        return " and ".join(parts)
