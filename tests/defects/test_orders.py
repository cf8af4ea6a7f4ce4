"""The order that `webhook_delivery/any_order` tells shows the fault again, by the commands that it is told in."""

import os
import shlex
import sqlite3
from contextlib import closing
from unittest.mock import patch

import pytest

from payproof.session import all_scenarios, choose
from tests.defects._proof import on_defect
from tests.end_to_end.command import payproof_here


@pytest.mark.thorough
def test_told_commands_show_the_fault():
    """`payproof deliver`, as it is told, leaves the older state in the database."""
    ((scenario, case),) = choose(all_scenarios(), ids=["webhook_delivery/any_order[subscriptions_updated_twice]"])
    with on_defect("order_ignored") as session:
        (finding,) = session.judge_case(scenario, case).verdict.findings
        stale, _, commands = finding.seen.partition(" after: ")
        target = session.target
        with patch.dict(os.environ, {"SECRET": target.webhook.secret.reveal()}):
            for command in commands.split(" && "):
                _, *arguments = shlex.split(command.replace("URL", target.url + target.webhook.path))
                ended = payproof_here(*arguments, "--ca-file", target.ca_file)
                assert ended.code == 0, ended.out + ended.err
        (subscription,) = {one.removeprefix("id=") for one in shlex.split(commands) if one.startswith("id=")}
        with closing(sqlite3.connect(target.stores[0].url.removeprefix("sqlite:"))) as database:
            query = "SELECT status FROM subscriptions WHERE stripe_subscription_id = ?"
            ((status,),) = database.execute(query, (subscription,)).fetchall()
    assert stale.startswith(f"subscriptions.status is {status}, not ")
