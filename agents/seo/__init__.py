"""How well a text serves search and its readers: named checks with points, after Yoast's published assessments.

Each check gives at most 9 points. What nobody should publish (repetition, nonsense, another language, another topic)
caps the score whatever the other checks say. Facts only were taken from Yoast's documentation (developer.yoast.com,
"SEO and readability assessments"). Pure.
"""
