"""Signed bodies that are no events, on a small service that nobody wrote for them: as right, and as it often is."""

from payproof.canary import Ledger
from payproof.domain.observation import Channel
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Environment, SourceSpec, Target, Waiver, Webhook
from payproof.domain.verdict import Failed, Passed
from payproof.reporters.phrasing import summary
from payproof.session import Session, all_scenarios, choose, event_factory
from tests.targets.small import SECRET, serving

CHOICES = choose(all_scenarios(), ids=["webhook_unexpected/signed_malformed"])


def verdicts(folder, *, trusting):
    """Run every case, in which nothing is seen in passing; return the verdicts by the names of the cases."""
    with serving(f"sqlite:///{folder}/small.db", trusting=trusting) as url:
        target = Target(
            name="small service",
            url=url,
            environment=Environment.LOCAL,
            webhook=Webhook("/", Secret("webhook secret", SECRET), event_factory(0).versions()[-1]),
            contract=Contract(waivers=(Waiver(Channel.LOG, "the small service logs nothing"),)),
            stores=(SourceSpec("database", f"sqlite:{folder}/small.db"),),
        )
        session = Session(target, seed=1, ledger=Ledger())
        try:
            judged = {case.name: session.judge_case(scenario, case) for scenario, case in CHOICES}
        finally:
            session.close()
    assert not [finding for one in judged.values() for finding in one.passing]
    return {name: one.verdict for name, one in judged.items()}


def test_a_service_that_looks_first_passes(tmp_path):
    """Who looks whether a body is an event before using it refuses or takes each of them."""
    told = [
        f"{name}: {summary(one)}"
        for name, one in verdicts(tmp_path, trusting=False).items()
        if not isinstance(one, Passed)
    ]
    assert not told, "\n".join(told)


def test_a_service_that_does_not_look_fails(tmp_path):
    """Who takes each signed body for an event fails by the status, and by nothing else."""
    failed = {name: one for name, one in verdicts(tmp_path, trusting=True).items() if not isinstance(one, Passed)}
    assert {"no_json", "no_object", "no_event", "nulls", "nesting", "characters"} <= failed.keys()
    for name, one in failed.items():
        assert isinstance(one, Failed), f"{name}: {summary(one)}"
        assert {finding.check for finding in one.findings} == {"refused_or_accepted"}
