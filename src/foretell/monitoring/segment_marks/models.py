from django.db import models


class SegmentMark(models.Model):
    """The offset behind the last record that is in the database; it moves in the transaction that stores the records."""

    segment = models.CharField(max_length=32, primary_key=True)
    offset = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.segment}: {self.offset}"


class WaitingPiece(models.Model):
    """A piece of a segment in which a tenant's records are not stored yet, although the mark is behind them: its schema did not take them."""

    segment = models.CharField(max_length=32)
    tenant = models.CharField(max_length=36)
    begins = models.PositiveBigIntegerField()
    ends = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["segment", "tenant"], name="one_piece_waits_of_each")]

    def __str__(self) -> str:
        return f"{self.tenant} in {self.segment}: {self.begins} to {self.ends}"
