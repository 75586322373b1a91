"""Benchmarks: speed, memory and crash safety, measured as ratios in one run. `python -m benchmarks` runs them."""
