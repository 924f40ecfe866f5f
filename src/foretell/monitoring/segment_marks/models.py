from django.db import models


class SegmentMark(models.Model):
    """The offset behind the last record that is in the database; it moves in the transaction that stores the records."""

    segment = models.CharField(max_length=32, primary_key=True)
    offset = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.segment}: {self.offset}"
