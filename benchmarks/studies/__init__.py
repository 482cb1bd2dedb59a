"""Studies over seeds: each has `study.py`, `results.py` and `report.py`."""
