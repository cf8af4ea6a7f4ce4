"""The settings of pretix, but for how tables are made: its history of migrations takes SQLite minutes."""

from pretix.settings import *  # noqa: F403 - settings are what is there


class _Newest(dict):
    def __contains__(self, app):
        return True

    def __getitem__(self, app):
        return None


MIGRATION_MODULES = _Newest()
