"""Measuring: evaluation under four zoom policies, the report, the demo and the learning trap over several seeds."""
