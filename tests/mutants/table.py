"""All mutants, in the order in which they are tried."""

from tests.mutants import environment, evaluation, flags, synthesis, training

MUTANTS = (*environment.MUTANTS, *training.MUTANTS, *synthesis.MUTANTS, *evaluation.MUTANTS, *flags.MUTANTS)
