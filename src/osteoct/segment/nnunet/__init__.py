"""nnU-Net v2: what every segmenter needs that runs its models, and a segmenter for any of them.

``predictor`` and ``patches`` work in a process of their own; ``segmenter`` is the caller's side.
"""
