"""The first things that a person types: help, completion, where recordings are, the report, and what `make` says."""

import os
import shutil
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from subtalar.cli import cli, main
from subtalar.cli.whole_help import command_line

ROOT = Path(__file__).parents[3]
NEEDS_MAKE = pytest.mark.skipif(shutil.which("make") is None, reason="make is not there")


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


def members(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, group
    for name, command in members(group).items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=lambda path: " ".join(path) or "subtalar")
def test_help_fits_a_terminal_and_cuts_no_summary(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80, prog_name="subtalar")
    assert result.exit_code == 0
    assert max(len(line) for line in result.output.splitlines()) <= 80
    listing = result.output.partition("\nCommands:\n")[2]
    assert "..." not in listing
    assert "…" not in listing
    command = dict(commands())[path]
    if isinstance(command, click.Group):
        words = " ".join(listing.split())
        for name, member in members(command).items():
            assert f"{name} {member.get_short_help_str(10_000)}" in words
            assert member.get_short_help_str(10_000).endswith(".")


# Completion -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_what_the_shell_takes(shell: str) -> None:
    status, script, _ = run("completion", shell)
    assert status == 0
    assert "_SUBTALAR_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=30)


def test_completion_of_what_is_no_shell() -> None:
    status, _, err = run("completion", "tcsh")
    assert status == 2
    assert "bash" in err


@pytest.mark.parametrize(("words", "wanted"), [("re", {"report", "recordings"}), ("session tr", {"trim"})])
def test_bash_completes_with_it(tmp_path: Path, words: str, wanted: set[str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not there")
    program = tmp_path / "subtalar"
    program.write_text(f"#!{sys.executable}\nfrom subtalar.cli import main\nmain()\n")
    program.chmod(0o755)
    typed = ["subtalar", *words.split()]
    asked = (
        'eval "$(subtalar completion bash)"; '
        f"COMP_WORDS=({' '.join(typed)}); COMP_CWORD={len(typed) - 1}; _subtalar_completion subtalar; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([bash, "-c", asked], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert set(done.stdout.split()) == wanted, done.stderr


# Where things are -----------------------------------------------------------------------------------------------------


def test_recordings_prints_one_line(recordings_folder: Path) -> None:
    assert run("recordings") == (0, f"{recordings_folder}\n", "")
    assert not recordings_folder.exists()


def test_a_folder_among_the_source_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBTALAR_RECORDINGS", str(ROOT / "recordings"))
    status, out, err = run("recordings")
    assert (status, out) == (0, f"{ROOT / 'recordings'}\n")
    assert err.count("\n") == 1
    assert "among the source" in err


def test_opening_the_folder(recordings_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("the desktop of Linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    status, out, err = run("recordings", "--open")
    assert (status, out) == (0, f"{recordings_folder}\n")
    assert "no recordings yet" in err
    recordings_folder.mkdir()
    assert "no file manager" in run("recordings", "--open")[2]
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\necho noise >&2\n')
    opener.chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert run("recordings", "--open") == (0, f"{recordings_folder}\n", "")
    assert (tmp_path / "opened").read_text() == f"{recordings_folder}\n"
    opener.write_text("#!/bin/sh\nexit 3\n")
    assert "no file manager" in run("recordings", "--open")[2]
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert "no file manager" in run("recordings", "--open")[2]


@pytest.mark.skipif(os.name == "nt", reason="a home as on Linux")
def test_recordings_of_an_earlier_version_are_told_and_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("XDG_") or n == "SUBTALAR_RECORDINGS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "Documents").mkdir()
    (tmp_path / "subtalar" / "host" / "subtalar").mkdir(parents=True)
    (tmp_path / "subtalar" / "host" / "subtalar" / "__init__.py").touch()
    (tmp_path / "subtalar" / "pyproject.toml").touch()
    shutil.copy(ROOT / "tests" / "vectors" / "recording_version_1.mcap", tmp_path / "subtalar" / "walk.mcap")
    new = tmp_path / "Documents" / "subtalar-recordings"
    status, out, err = run("recordings")
    assert (status, out) == (0, f"{new}\n")
    assert err.count("\n") == 1
    assert str(tmp_path / "subtalar") in err
    assert "subtalar recordings --move" in err
    assert str(tmp_path / "subtalar" / "walk.mcap") in run("session", "list")[1]
    status, out, err = run("recordings", "--move")
    assert (status, out) == (0, f"{new}\n")
    assert "Moved 1 recording from" in err
    assert (new / "walk.mcap").exists()
    assert run("recordings") == (0, f"{new}\n", "")
    assert "There are no recordings elsewhere" in run("recordings", "--move")[2]


def test_live_with_no_sensor_says_how_to_get_some() -> None:
    status, _, err = run("live")
    assert status == 2
    assert "subtalar devices scan" in err
    assert "subtalar devices assign" in err
    assert "devices assign" not in run("live", "--simulate", "--replay", "x")[2]


# The report -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was given."""
    pages: list[str] = []
    monkeypatch.setenv("BROWSER", "a-browser")
    monkeypatch.setattr(webbrowser, "open", lambda page: pages.append(page) or True)
    return pages


def test_the_report_is_made_once_and_opened(walk: Path, tmp_path: Path, opened: list[str]) -> None:
    pytest.importorskip("matplotlib")
    session = tmp_path / "a walk é"
    shutil.copytree(walk, session)
    long_ago = time.time() - 3600
    for file in (*session.iterdir(), session):
        os.utime(file, (long_ago, long_ago))
    page = tmp_path / "a walk é.report" / "report.html"
    status, out, _ = run("report", session)
    assert status == 0
    assert "Data quality" in out
    made = page.stat().st_mtime_ns
    assert run("report", session) == (0, f"Report: {page}\n", "")
    assert page.stat().st_mtime_ns == made
    (session / "session.json").touch()
    assert "Data quality" in run("report", session)[1]
    assert page.stat().st_mtime_ns > made
    assert opened == [page.as_uri()] * 3


def test_without_a_browser_the_report_is_named(walk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "walk.report" / "report.html"
    shutil.copytree(walk, tmp_path / "walk")
    page.parent.mkdir()
    page.write_text("made")
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    status, out, err = run("report", tmp_path / "walk")
    assert (status, out) == (0, f"Report: {page}\n")
    assert err == "There is no browser here: open that file with one.\n"

    def fails(page: str) -> bool:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setenv("BROWSER", "none")
    monkeypatch.setattr(webbrowser, "open", fails)
    assert run("report", tmp_path / "walk")[2] == "There is no browser here: open that file with one.\n"


def sentence(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(a) for a in arguments])
    assert end.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith("subtalar: ")
    assert err.count("\n") == 1
    return err


def test_reports_that_cannot_be(walk: Path, tmp_path: Path, opened, capsys, monkeypatch) -> None:
    assert "There is no recording in" in sentence(capsys, "report")
    assert "nowhere" in sentence(capsys, "report", tmp_path / "nowhere")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert f"subtalar analyze {walk} --out DIR" in sentence(capsys, "report", walk)
    assert opened == []


def test_the_newest_recording_is_the_one(recordings_folder: Path, opened: list[str]) -> None:
    recordings_folder.mkdir()
    shutil.copy(ROOT / "tests" / "vectors" / "recording_version_1.mcap", recordings_folder / "walk.mcap")
    page = recordings_folder / "walk.mcap.report" / "report.html"
    page.parent.mkdir()
    page.write_text("made")
    assert run("report") == (0, f"Report: {page}\n", "")
    assert opened == [page.as_uri()]
    run("session", "erase", recordings_folder / "walk.mcap", "--yes")
    assert not page.exists()


# What to type ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="quoting as in a shell")
def test_a_line_to_type_starts_this_very_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "my clone" / ".venv" / "bin" / "subtalar"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert command_line("report", Path("/a b.mcap")) == "subtalar report '/a b.mcap'"
    monkeypatch.setattr(sys, "argv", [str(program)])
    assert command_line("report") == f"'{program}' report"
    monkeypatch.chdir(tmp_path / "my clone")
    assert command_line("report") == ".venv/bin/subtalar report"
    monkeypatch.setenv("PATH", str(program.parent))
    assert command_line("report") == "subtalar report"
    other = tmp_path / "other" / "subtalar"
    other.parent.mkdir()
    other.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert command_line("report") == ".venv/bin/subtalar report"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout in which nothing takes time: its `subtalar` waits for Ctrl-C, or fails."""
    made = tmp_path / "clone"
    (made / "scripts").mkdir(parents=True)
    (made / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", made)
    shutil.copy(ROOT / "scripts" / "install", made / "scripts")
    (made / "scripts" / "set-up").write_text("#!/bin/sh\n")
    (made / "scripts" / "set-up").chmod(0o755)
    return made


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
    path.chmod(0o755)
    return path


def bare_path(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH has what `make` needs and neither pipx nor uv."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("bash", "sh", "dirname", "sleep", "make", "cat"):
        found = shutil.which(name)
        if found and not (tools / name).exists():
            (tools / name).symlink_to(found)
    return {"PATH": str(tools), "HOME": str(tmp_path)}


@NEEDS_MAKE
def test_make_live_ends_with_what_to_type(clone: Path, tmp_path: Path) -> None:
    program(clone / ".venv" / "bin" / "subtalar", "echo Recorded: x; echo Its report: y")
    env = bare_path(tmp_path)
    done = subprocess.run(["make", "live"], cwd=clone, env=env, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.splitlines()[:2] == ["Recorded: x", "Its report: y"]
    assert done.stdout.splitlines()[2].startswith("From now on: .venv/bin/subtalar live --simulate")
    assert len(done.stdout.splitlines()) == 3
    assert "make install" in done.stdout
    program(tmp_path / "tools" / "subtalar", "")
    done = subprocess.run(["make", "live"], cwd=clone, env=env, capture_output=True, text=True, check=True, timeout=30)
    last = "From now on: subtalar live --simulate, or with your sensors subtalar devices scan"
    assert done.stdout.splitlines()[2:] == [last]


@NEEDS_MAKE
def test_make_live_that_fails_promises_nothing(clone: Path, tmp_path: Path) -> None:
    program(clone / ".venv" / "bin" / "subtalar", "exit 1")
    env = bare_path(tmp_path)
    done = subprocess.run(["make", "live"], cwd=clone, env=env, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert done.stdout == ""


@NEEDS_MAKE
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_make_live_that_is_ended_by_ctrl_c_says_it_too(clone: Path, tmp_path: Path) -> None:
    waits = 'trap "echo Recorded: x; exit 0" INT; touch waits; for k in {1..200}; do sleep 0.1; done; exit 1'
    program(clone / ".venv" / "bin" / "subtalar", waits)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "touch").symlink_to(str(shutil.which("touch")))
    started = subprocess.Popen(
        ["make", "live"],
        cwd=clone,
        env=bare_path(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )
    deadline = time.monotonic() + 20
    while not (clone / "waits").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=30)
    assert "Recorded: x\nFrom now on: .venv/bin/subtalar" in out, err


@NEEDS_MAKE
@pytest.mark.parametrize("tool", ["uv", "pipx", None])
def test_make_install_uses_what_is_there(clone: Path, tmp_path: Path, tool: str | None) -> None:
    env = bare_path(tmp_path)
    if tool is not None:
        program(tmp_path / "tools" / tool, f'echo "{tool} $*"')
    done = subprocess.run(
        ["make", "install"], cwd=clone, env=env, capture_output=True, text=True, check=False, timeout=30
    )
    if tool is None:
        assert done.returncode == 2
        assert "apt-get install pipx" in done.stderr.splitlines()[0]
        assert f"{clone}/.venv/bin/subtalar" in done.stderr.splitlines()[0]
        return
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{tool} ")
    assert f"{clone}[all]" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    assert "not on the PATH yet" in done.stderr
    program(tmp_path / "tools" / "subtalar", "")
    again = subprocess.run(["make", "install"], cwd=clone, env=env, capture_output=True, text=True, check=True)
    assert f"{tool} " in again.stderr
    assert "uninstall subtalar" in again.stderr
