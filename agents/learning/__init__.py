"""Learning from outcomes: what is said of a lead later, and the weights that follow for the leads that come next.

The rule (:mod:`agents.scoring`) says who qualifies; outcomes say in which order. :mod:`~agents.learning.traits` reads a
lead, :mod:`~agents.learning.fitting` fits weights to traits with outcomes, :mod:`~agents.learning.recalibration` says
whether they are better than the rule, and :mod:`~agents.learning.ranking` applies them. Pure. Only fitting and
recalibration need numpy; what applies weights does not load it.
"""
