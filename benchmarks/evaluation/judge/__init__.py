"""A language model that judges open answers, beside the grader's rule."""
