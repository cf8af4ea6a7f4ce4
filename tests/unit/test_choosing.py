import pytest

from payproof.errors import ConfigurationError
from payproof.session.choosing import TARGET_VARIABLE, find_target, target_or_reference


@pytest.fixture
def repository(tmp_path):
    """A repository with a folder in a folder, below a folder that has a target file of its own."""
    (tmp_path / "payproof.toml").touch()
    (tmp_path / "work" / ".git").mkdir(parents=True)
    (tmp_path / "work" / "service" / "tests").mkdir(parents=True)
    return tmp_path / "work"


def pyproject(folder, text):
    """Write a pyproject.toml."""
    (folder / "pyproject.toml").write_text(text)


def test_a_target_file_in_the_folder_or_above_is_found(repository):
    """The nearest payproof.toml is the target, from the folder up to the repository's root."""
    (repository / "payproof.toml").touch()
    assert find_target(repository / "service" / "tests", {}) == repository / "payproof.toml"
    (repository / "service" / "payproof.toml").touch()
    assert find_target(repository / "service" / "tests", {}) == repository / "service" / "payproof.toml"


def test_a_target_file_beside_is_named_as_briefly_as_the_folder(repository, monkeypatch):
    """A file of the current folder is told by its name alone."""
    (repository / "payproof.toml").touch()
    monkeypatch.chdir(repository)
    assert str(target_or_reference(target=None, reference=False, environment={})) == "payproof.toml"


def test_nothing_above_the_repository_is_found(repository):
    """A target file names commands to run, so one above the repository's root is somebody else's."""
    assert find_target(repository / "service", {}) is None


def test_without_a_repository_only_the_folder_is_looked_into(tmp_path):
    """Where no repository bounds the search, nothing above the folder is taken."""
    (tmp_path / "below").mkdir()
    (tmp_path / "payproof.toml").touch()
    assert find_target(tmp_path / "below", {}) is None
    assert find_target(tmp_path, {}) == tmp_path / "payproof.toml"


def test_pyproject_names_the_target(repository):
    """[tool.payproof] target is relative to its file, and nearer than a payproof.toml further above."""
    (repository / "payproof.toml").touch()
    (repository / "service" / "staging.toml").touch()
    pyproject(repository / "service", '[tool.payproof]\ntarget = "staging.toml"')
    assert find_target(repository / "service" / "tests", {}) == repository / "service" / "staging.toml"
    pyproject(repository / "service", '[tool.other]\ntarget = "staging.toml"')
    assert find_target(repository / "service" / "tests", {}) == repository / "payproof.toml"


def test_the_variable_is_before_all_that_is_found(repository):
    """PAYPROOF_TARGET is the target wherever the folder is; an empty one names nothing."""
    (repository / "payproof.toml").touch()
    named = repository / "service" / "other.toml"
    named.touch()
    assert find_target(repository, {TARGET_VARIABLE: str(named)}) == named
    assert find_target(repository, {TARGET_VARIABLE: " "}) == repository / "payproof.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.payproof]\ntarget = "none.toml"', "none.toml, which is not there"),
        ('[tool.payproof]\ntargt = "payproof.toml"', "takes target = "),
        ("[tool.payproof]\ntarget = 3", "takes target = "),
        ('[tool]\npayproof = "payproof.toml"', "takes target = "),
        ("[tool", "[tool.payproof] cannot be looked for"),
        ('[tool.payproof]\ntarget = "service/staging.toml"', "payproof.toml is there too; remove one"),
    ],
)
def test_what_names_no_target_is_refused(repository, text, said):
    """A pyproject.toml that is wrong, names no file, or another one than stands beside it is refused."""
    (repository / "payproof.toml").touch()
    (repository / "service" / "staging.toml").touch()
    pyproject(repository, text)
    with pytest.raises(ConfigurationError) as caught:
        find_target(repository, {})
    assert said in str(caught.value)


def test_a_variable_that_names_nothing_is_refused(repository):
    """A file that PAYPROOF_TARGET names must be there: no other one is taken for it."""
    (repository / "payproof.toml").touch()
    with pytest.raises(ConfigurationError, match="PAYPROOF_TARGET names the target file none"):
        find_target(repository, {TARGET_VARIABLE: "none"})


def test_the_reference_is_asked_for_by_name(repository):
    """Without a target the reference does not run in its place; asked for by name it runs beside a target file, too."""
    asked = {"target": None, "folder": repository, "environment": {}}
    with pytest.raises(ConfigurationError, match=r"no target: .* with --reference"):
        target_or_reference(reference=False, **asked)
    (repository / "payproof.toml").touch()
    assert target_or_reference(reference=True, **asked) is None
    assert target_or_reference(reference=False, **asked) == repository / "payproof.toml"
    with pytest.raises(ConfigurationError, match="exclude each other"):
        target_or_reference(reference=True, **{**asked, "target": repository / "payproof.toml"})
