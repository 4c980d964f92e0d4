"""Shapes of tiers."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field


@dataclass(frozen=True)
class Level:
    """A tier as the rules see it. `names` holds its name by locale where the merchant gave one."""

    id: UUID
    name: str
    names: dict[str, str]
    threshold_points: int
    multiplier_bp: int
    color: str

    def localized(self, locale: str) -> str:
        """The name in a locale."""
        return self.names.get(locale) or self.name


@dataclass(frozen=True)
class Standing:
    """Where a member is on the ladder. `needed` points lead to `next_tier`; None at the top."""

    tier: Level | None
    next_tier: Level | None
    qualifying: int
    needed: int | None

    @property
    def progress_percent(self) -> int:
        """How far between this tier and the next, 0 to 100."""
        if self.next_tier is None:
            return 100
        start = self.tier.threshold_points if self.tier else 0
        span = self.next_tier.threshold_points - start
        return max(0, min(100, (self.qualifying - start) * 100 // span)) if span > 0 else 0


Multiplier = Annotated[Decimal, Field(ge=0, le=100, max_digits=6, decimal_places=2)]


class TierNames(BaseModel):
    """A tier's name in the shopper's languages; empty ones fall back to the tier's own."""

    es: str | None = Field(None, max_length=60)
    fr: str | None = Field(None, max_length=60)
    ar: str | None = Field(None, max_length=60)
    he: str | None = Field(None, max_length=60)


class TierForm(BaseModel):
    """A tier in the editor."""

    version: int = Field(0, ge=0)
    name: str = Field(min_length=1, max_length=60)
    names: TierNames = Field(default_factory=TierNames)
    threshold_points: int = Field(ge=0, le=1_000_000_000)
    multiplier: Multiplier = Decimal(1)
    color: str = Field("#8a8a8a", pattern="^#[0-9a-fA-F]{6}$")
