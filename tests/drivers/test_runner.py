"""Starting a call, and the trouble of this machine while a request is sent."""

from __future__ import annotations

import errno
import os
import threading
from typing import Any

import pytest

from luml_lite import Config, ConfigurationError, FileError, SystemLimitError
from luml_lite.core.request import Request, Response, raw_response

from ..sync_async import SYNC_ASYNC

GET = Request(method="GET", url="/x", reply=raw_response)


class Failing:
    """A transport whose first request fails with an error of the system."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.attempts = 0

    def send(self, request: Any, /, **options: Any) -> Response:
        self.attempts += 1
        raise OSError(self.number, os.strerror(self.number), "/m")


@pytest.mark.parametrize("mode", SYNC_ASYNC)
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EMFILE, SystemLimitError),
        (errno.ENFILE, SystemLimitError),
        (errno.ENOMEM, SystemLimitError),
        (errno.ENOSPC, FileError),
        (errno.EACCES, FileError),
    ],
)
def test_trouble_of_this_machine_is_told_and_not_tried_again(number: int, kind: type[Exception], mode: str) -> None:
    transport = Failing(number)
    with pytest.raises(kind, match=os.strerror(number)):
        SYNC_ASYNC[mode].run(GET, Config(api_key="k", transport=transport))
    assert transport.attempts == 1


@pytest.mark.parametrize("mode", SYNC_ASYNC)
def test_gevent_that_patches_late_is_refused(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks from before the patch would hang; gevent replaces threading.local among others."""

    class Patched(threading.local):
        pass

    monkeypatch.setattr(threading, "local", Patched)
    with pytest.raises(ConfigurationError, match="patch_all"):
        SYNC_ASYNC[mode].run(GET, Config(api_key="k", transport=Failing(errno.EIO)))
