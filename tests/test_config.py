"""Settings: frozen, checked when made, read from the environment when asked, and silent about the key."""

from __future__ import annotations

import inspect
import math
import pickle
import pydoc
from typing import Any, get_args, get_type_hints

import pytest

from luml_lite.config import MAX_OBJECT_SIZE, Config, GiB
from luml_lite.core.protocols import Transport
from luml_lite.core.retry import Retry
from luml_lite.core.timeouts import Timeouts
from luml_lite.errors import InvalidArgumentError


def test_the_defaults_are_the_hosted_registry() -> None:
    """What a newcomer gets with a key alone."""
    cfg = Config(api_key="k")
    assert (cfg.base_url, cfg.dialect, cfg.max_file_size) == ("https://api.luml.ai", "artifacts", 5 * GiB)
    assert (cfg.organization, cfg.orbit, cfg.collection, cfg.transport) == (None, None, None, None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dialect": "models"}, "dialect"),
        ({"max_file_size": 0}, "max_file_size"),
        ({"max_file_size": MAX_OBJECT_SIZE + 1}, "5 TiB"),
        ({"concurrency": 0}, "concurrency"),
        ({"base_url": "api.luml.ai"}, "base_url"),
        ({"base_url": "ftp://api.luml.ai"}, "base_url"),
    ],
)
def test_a_setting_that_cannot_work_is_told_at_once(fields: dict[str, Any], words: str) -> None:
    """When the Config is made or changed, not at the first request."""
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        Config(**fields)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(InvalidArgumentError, match=words):
        Config().replace(**fields)


def test_the_file_size_can_be_raised_to_what_the_platform_takes() -> None:
    """5 TiB and not a byte more."""
    assert Config(max_file_size=MAX_OBJECT_SIZE).max_file_size == 5 * 1024 * GiB


def test_the_environment_is_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments win, empty variables count as none."""
    for name in ("API_KEY", "BASE_URL", "ORGANIZATION", "ORBIT", "COLLECTION"):
        monkeypatch.delenv(f"LUML_{name}", raising=False)
    assert Config.from_env() == Config()
    monkeypatch.setenv("LUML_API_KEY", "key")
    monkeypatch.setenv("LUML_BASE_URL", "http://localhost:1")
    monkeypatch.setenv("LUML_ORGANIZATION", "org")
    monkeypatch.setenv("LUML_ORBIT", "")
    monkeypatch.setenv("LUML_COLLECTION", "col")
    expected = Config(api_key="key", base_url="http://localhost:1", organization="org", collection="col")
    assert Config.from_env() == expected
    assert Config.from_env(collection="mine", concurrency=2) == expected.replace(collection="mine", concurrency=2)
    assert Config.from_env(collection=None) == expected


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names what the user set: the variable, or the argument."""
    monkeypatch.setenv("LUML_BASE_URL", "api.luml.ai")
    with pytest.raises(InvalidArgumentError, match=r"^LUML_BASE_URL must start with http"):
        Config.from_env()
    with pytest.raises(InvalidArgumentError, match=r"^base_url must start with http"):
        Config.from_env(base_url="ftp://x")
    with pytest.raises(InvalidArgumentError, match=r"^concurrency"):
        Config.from_env(base_url="https://x", concurrency=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Retry(attempts=0), r"Retry\.attempts"),
        (lambda: Retry(total=-1.0), r"Retry\.total"),
        (lambda: Retry(base=math.nan), r"Retry\.base"),
        (lambda: Timeouts(read=-0.1), r"Timeouts\.read"),
        (lambda: Timeouts(connect=math.nan), r"Timeouts\.connect"),
        (lambda: Timeouts(stall_bytes=-1), r"Timeouts\.stall_bytes"),
    ],
)
def test_limits_that_make_no_sense_are_refused(make: Any, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        make()


def test_a_config_can_be_inspected_at_run_time() -> None:
    """Frameworks read signatures and type hints; `help` is what people read."""
    assert [*inspect.signature(Config).parameters] == [*Config.__struct_fields__]
    assert Transport in get_args(get_type_hints(Config)["transport"])
    assert "concurrency: int = 4" in pydoc.plain(pydoc.render_doc(Config))


def test_a_config_is_a_value() -> None:
    """Frozen, equal by its fields, hashable, the same after pickling."""
    cfg = Config(api_key="k", retry=Retry(attempts=2), timeouts=Timeouts(connect=1.0))
    assert pickle.loads(pickle.dumps(cfg)) == cfg  # noqa: S301
    assert hash(cfg) == hash(cfg.replace())
    assert cfg.replace(orbit="x") != cfg
    with pytest.raises(AttributeError):
        cfg.orbit = "x"  # type: ignore[misc]
