"""Speed as ratios: each figure is the product against a reference measured in the same run on the same machine.

`./dev.sh bench [P1 P2 …]` starts throw-away services and runs this package. Rounds of product and reference alternate,
the order turns every other round, medians are compared. A gauge measures the machine before each round: rounds under
0.6 of the best are dropped, and a case that loses more than 40 % of its rounds has no result.
"""
