"""The API's tokens: made, shown once, kept as hashes, checked, revoked; and `python -m data.tokens`."""

from data.tokens.keeping import State, add, check, list_all, public_id, revoke, state_of, wait_for_notes

__all__ = ["State", "add", "check", "list_all", "public_id", "revoke", "state_of", "wait_for_notes"]
