"""The pure half of the upstream: which faults there are, when they strike, and what is recorded of a call."""
