"""What a report says of clusters: how many tasks there are, in how many clusters, and that the intervals know it.

Depends on estimates; independent of records, tables and files.
"""

from agents.metrics.statistics import Estimate


def clustered_note(estimate: Estimate) -> list[str]:
    """The line below a table whose intervals are clustered; none where all questions are independent."""
    if estimate.clusters is None:
        return []
    clusters = "1 cluster" if estimate.clusters == 1 else f"{estimate.clusters} clusters"
    return [f"{estimate.n} questions in {clusters}, which share a question or an image: intervals are clustered."]
