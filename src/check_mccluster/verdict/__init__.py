"""The words of a verdict: state, kind, subject, finding, fault, report, and what a rule sees.

Values only, no rule and no fact of a cluster: every layer from ``inputs`` on speaks in these.
"""
