"""Says who acts and what they may do: `roles`, the `credentials` that carry them, and `sign_in` with its lockout."""
