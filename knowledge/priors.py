"""What the answerability's weights start from, fitted on development data: docs/decisions/0041-answering-more.md says which.

The log odds are moved so that 0.75 is where a bot should begin to answer: a wrong answer to a first message costs more than
one within a conversation, where the customer has seen the article already.
"""

import numpy as np

from knowledge.answerability import Answerability, Numbers

SPREADS: Numbers = np.array([0.164, 0.073, 0.214, 0.069, 0.206, 0.2, 0.191, 0.443, 0.217, 0.233, 0.076])
"""The features' spreads on the development sets."""
PRIOR = Answerability(weights=(1.57, 11.66, 5.27, 3.07, 1.26, 2.57, -2.59, -0.49, 3.66, 0.0, 0.0), bias=-4.88)
"""For articles without questions: each of five sets weighs the same."""
PRIOR_ASKED = Answerability(weights=(2.56, 4.32, 1.27, 3.03, 0.22, 2.97, -2.31, 1.05, 3.76, 5.42, 4.23), bias=-6.1)
"""For articles with questions."""
