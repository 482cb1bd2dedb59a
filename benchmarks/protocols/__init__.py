"""Evaluation protocols as values: one file for each project whose evaluation is public, and our own common one."""
