from django.apps import AppConfig


class SegmentMarksConfig(AppConfig):
    name = "foretell.monitoring.segment_marks"
    label = "segment_marks"
