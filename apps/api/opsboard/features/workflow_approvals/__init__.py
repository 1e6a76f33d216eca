"""Approvals: answers to leads that somebody must agree to, who decided what, and what went out."""
