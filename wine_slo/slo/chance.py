"""How likely chance alone shows what was seen.

Counts are of events and may be estimated, so not whole numbers; ratios and probabilities are 0 to 1.
"""

from math import exp, log


def chance_of_share(bad: float, total: float, ratio: float) -> float:
    """Return at most how likely a share as far from `ratio` is, when `ratio` of all events are bad.

    The Chernoff bound of the binomial tail, exp(-n KL(bad/n || ratio)): never too small, exact where all or none are
    bad. Source: Hoeffding, 1963, https://doi.org/10.1080/01621459.1963.10500830, theorem 1.
    """
    share = bad / total
    divergence = 0.0
    for seen, expected in ((share, ratio), (1 - share, 1 - ratio)):
        if seen > 0:
            if expected <= 0:
                return 0.0
            divergence += seen * log(seen / expected)
    return exp(-total * divergence)
