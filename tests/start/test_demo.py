"""`make demo ONCE=1` is the main job under one command, and its exit code tells."""

from instances.management.demo.world import world
from tests.start.installations import processes


def accounts(printed: str) -> list[str]:
    """Return the printed lines with an account and its password."""
    return [line for line in printed.splitlines() if "@example.com" in line]


def test_the_demo_shows_its_table_and_finds_its_world_again(installation):
    first = installation.manage("up", "--demo", "--once")
    second = installation.manage("up", "--demo", "--once")

    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 0, second.stdout + second.stderr
    assert "8 Alive again" in first.stdout and "8 Alive again" in second.stdout
    assert len(accounts(first.stdout)) >= 4
    assert accounts(first.stdout) == accounts(second.stdout)
    folder = str(installation.folder)
    assert [command for _, command in processes().values() if folder in command] == []


def test_a_spoiled_step_is_noticed_and_stops_everything(installation):
    fault = next(iter(world().faults))

    ended = installation.manage("up", "--demo", DEMO_FAULT=fault)

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Everything is stopped." in ended.stdout
