"""Holds the state of billing: the rows, which of two reports of one object counts, and what a tenant may see of it.

`rows` and `ordering` write what events report, `tenant_queries` reads it for one tenant, and `entitlement` decides
whether a subscription grants its plan.
"""
