import pytest

from payproof.domain.scenario import Requirement
from payproof.errors import ConfigurationError
from payproof.language import read_own_scenarios, read_scenario_folders
from payproof.session import all_scenarios, check_scenarios
from tests.unit.test_language import SCENARIO

OWN = SCENARIO.replace("defects: {no_verification: rejected}\n", "")
SHARED = {"S 1": Requirement("S 1", "It shall.", "A book")}


@pytest.fixture
def rules(tmp_path):
    """Writes files of a folder of rules, and returns the folder."""

    def written(**files):
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            file = folder / name.replace("__", "/")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return folder

    return written


def mistakes(folder, *known):
    """Read a folder in which something is wrong; return the lines, without the folder."""
    read = read_own_scenarios(folder, known, SHARED)
    assert read.mistakes
    return [str(mistake).removeprefix(f"{folder}/") for mistake in read.mistakes]


def test_topics_are_folders(rules):
    """A scenario in the folder has the folder's name as its topic, one in a folder below that one's name."""
    folder = rules(**{"a.yaml": OWN, "refunds__b.yaml": OWN, "README.md": "no rule", ".hidden.yaml": "no rule"})
    read = read_own_scenarios(folder, (), {})
    assert not read.mistakes
    assert [one.id for one in read.scenarios] == ["refunds/b", "rules/a"]
    assert read.scenarios[0].place == str(folder / "refunds" / "b.yaml")


def test_requirements_of_both(rules):
    """A scenario refers to a requirement of Payproof, to one of its folder, and has one of its own."""
    asked = OWN.replace("[{id: R1, says: It must.}]", "[S 1, O 1, {id: R1, says: It must.}]")
    folder = rules(**{"a.yaml": asked, "requirements.yaml": "O 1: {says: It should., source: Us}"})
    (one,) = read_own_scenarios(folder, (), SHARED).scenarios
    assert [requirement.says for requirement in one.requirements] == ["It shall.", "It should.", "It must."]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "rules: no scenario is in it; "),
        ({"a.yml": OWN}, "a.yml: a scenario's file ends in .yaml; rename it a.yaml"),
        ({"a.yaml": OWN, "x__y.yml": OWN}, "x/y.yml: a scenario's file ends in .yaml"),
        ({"a b.yaml": OWN}, "a b.yaml: rules/a b cannot be a scenario's id; letters, "),
        ({"a[x].yaml": OWN}, "a[x].yaml: rules/a[x] cannot be a scenario's id"),
        ({"a.yaml": OWN, "requirements.yaml": "S 1: {says: a, source: b}"}, "requirements.yaml:1: the requirement "),
        ({"a.yaml": OWN, "requirements.yaml": "O 1: {says: a, source: b}"}, "requirements.yaml:1: no scenario refers"),
        ({"a.yaml": OWN, "requirements.yaml": "O 1: {says: a}"}, "requirements.yaml:1: 'O 1.source' is missing"),
        ({"a.yaml": OWN.replace("  two:", "  one:")}, "a.yaml:12: the key 'one' stands twice in one mapping; "),
        ({"a.yaml": OWN + "do: [deliver]\n"}, "a.yaml:14: the key 'do' stands twice"),
        ({"a.yaml": OWN.replace("do: [deliver]\nwith", "do: [deliver: ]\nwith")}, "a.yaml:7: 'do.0' is not right; "),
        ({"a.yaml": OWN.replace("do: [deliver]\nwith", "do: [3]\nwith")}, "a.yaml:7: 'do.0' is not right; "),
        ({"a.yaml": OWN.replace("[accepted, applied]", "[applied]")}, "a.yaml:6: the control does not show"),
        (
            {"a.yaml": OWN.replace("[accepted, applied]", "[accepted]").replace("[rejected]", "[nothing_changed]")},
            "a.yaml:6: the control does not show that the right store is watched, which 'nothing_changed' relies on; ",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_folder(rules, files, said):
    """What cannot be meant is told in one line; nothing that looks like a scenario is left out in silence."""
    folder = rules(**files)
    (line,) = mistakes(folder)
    assert line.replace(f"{folder}:", "rules:").startswith(said)


def test_folders_are_no_deeper_than_topics(rules):
    """A scenario below a topic's folders would belong to no topic."""
    folder = rules(**{"refunds__a.yaml": OWN})
    (folder / "refunds" / "later").mkdir()
    (folder / "refunds" / "later" / "b.yaml").write_text(OWN)
    (line,) = mistakes(folder)
    assert line.startswith("refunds/later: scenarios stand no deeper than TOPIC/NAME.yaml")


def test_ids_differ_from_those_of_payproof(rules):
    """A scenario that would hide one of Payproof's is refused, and so is the same one of two folders."""
    folder = rules(**{"webhook_signature__missing.yaml": OWN})
    checked = check_scenarios([folder])
    assert not checked.scenarios
    (mistake,) = checked.mistakes
    assert "there is a scenario 'webhook_signature/missing' already, in " in str(mistake)
    with pytest.raises(ConfigurationError, match="already, in "):
        all_scenarios([folder])
    (folder / "webhook_signature" / "missing.yaml").rename(folder / "mine.yaml")
    assert len(all_scenarios([folder])) == len(all_scenarios()) + 1
    (again,) = check_scenarios([folder, folder]).mistakes
    assert "there is a scenario 'rules/mine' already" in str(again)


def test_all_mistakes_are_told_at_once(rules):
    """Every mistake of every file is told, each once, though one of them is in the form of the file."""
    wrong = OWN.replace("severity: high", "severity: high\nsevrity: low").replace("[rejected]", "[rejectd, acepted]")
    wrong = wrong.replace("{id: R1, says: It must.}", "R 7")
    folder = rules(**{"a.yaml": wrong, "b.yaml": "title: [", "c.yaml": OWN})
    said = ["unknown key 'sevrity'", "unknown check 'rejectd'", "unknown check 'acepted'", "unknown requirement 'R 7'"]
    told = mistakes(folder)
    assert [line for line in told if line.startswith("b.yaml")] == told[-1:]
    assert all(part in line for part, line in zip(said, told, strict=False))
    assert len(told) == len(said) + 1


def test_a_folder_that_is_not_there(tmp_path):
    """A folder that cannot be listed is a mistake, and no empty one."""
    (mistake,) = read_own_scenarios(tmp_path / "none", (), {}).mistakes
    assert str(mistake) == f"{tmp_path}/none: the folder of scenarios cannot be read: no such file or directory"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("do: [deliver]\nwith", "do: [{deliver: {event: invoice.payd}}]\nwith", "no event type 'invoice.payd' in"),
        (
            "do: [deliver]\nwith",
            "do: [{deliver: {event: invoice.paid, set: {statsu: x}}}]\nwith",
            "there is no 'statsu'",
        ),
    ],
)
def test_events_that_cannot_be_made(rules, old, new, said):
    """An event that there is not is found without a target, with the line of the case."""
    assert old in OWN
    checked = check_scenarios([rules(**{"a.yaml": OWN.replace(old, new)})])
    assert not checked.scenarios
    assert [str(mistake).partition("/a.yaml")[2].partition(": ")[0] for mistake in checked.mistakes] == [":11", ":12"]
    assert all(said in str(mistake) for mistake in checked.mistakes)


def test_a_target_file_names_folders(tmp_path):
    """Folders are relative to the target file, and are read without its secrets."""
    file = tmp_path / "t.toml"
    file.write_text('name = "x"\nscenarios = ["rules/", "more"]\n')
    assert read_scenario_folders(file) == (tmp_path / "rules", tmp_path / "more")
    for wrong in ("3", '"rules"', "[3]"):
        file.write_text(f'name = "x"\nscenarios = {wrong}\n')
        with pytest.raises(ConfigurationError, match=r"t\.toml:2: 'scenarios' is not right; such as "):
            read_scenario_folders(file)
