"""The effects and the small generators that flows are made of."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from luml_lite.core.flow import Batch, Local, Progress, gather, gather_outcomes, local, require_callback, send, transfer
from luml_lite.core.request import Json, Request, Response
from luml_lite.errors import ConnectionFailed, DecodeError, InvalidArgumentError, LumlError
from luml_lite.models.organizations import Organization
from luml_lite.operations.download import download
from luml_lite.operations.upload import upload

from ..operations.flow_player import CFG, play, uid

REQUEST: Request[Organization] = Request(method="GET", url="/x", reply=Json(Organization))
GOOD = Response(200, {}, b'{"id": "1", "name": "Lab"}')
BAD = Response(200, {}, b"{}")
LAB = Organization(id="1", name="Lab")


def finish(flow: Any, reply: Any) -> Any:
    """Send the last reply into a flow and return its value."""
    with pytest.raises(StopIteration) as end:
        flow.send(reply)
    return end.value.value


def test_send_yields_its_request_and_returns_the_decoded_value() -> None:
    """The reply of the driver is a response; the value is what it decodes to."""
    flow = send(REQUEST)
    assert next(flow) is REQUEST
    assert finish(flow, GOOD) == LAB


def test_a_malformed_response_is_an_error_that_names_the_request() -> None:
    """The chain of exceptions hides the error of msgspec, which would show the body."""
    flow = send(REQUEST)
    next(flow)
    with pytest.raises(DecodeError, match=r"GET /x") as caught:
        flow.send(BAD)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_gather_outcomes_returns_the_value_or_error_of_each() -> None:
    """In the order of the requests; None for one that was never started, a DecodeError for a malformed response."""
    failure = ConnectionFailed("x")
    progress = Progress(None, 10)
    flow = gather_outcomes([REQUEST] * 4, progress)
    assert next(flow) == Batch((REQUEST,) * 4, progress)
    good, failed, none, bad = finish(flow, [GOOD, failure, None, BAD])
    assert (good, failed, none) == (LAB, failure, None)
    assert isinstance(bad, DecodeError)


def test_gather_returns_values_in_order_or_raises_the_first_failure() -> None:
    """There is no partial result."""
    flow = gather([REQUEST, REQUEST])
    next(flow)
    assert finish(flow, [GOOD, GOOD]) == [LAB, LAB]
    first, second = LumlError("first"), LumlError("second")
    flow = gather([REQUEST] * 3)
    next(flow)
    with pytest.raises(LumlError, match="first"):
        flow.send([None, first, second])


def test_a_transfer_is_a_batch_of_one() -> None:
    """So its bytes are reported, and it can be interrupted while it blocks."""
    progress = Progress(print, 5)
    flow = transfer(REQUEST, progress)
    assert next(flow) == Batch((REQUEST,), progress)
    assert finish(flow, [GOOD]) == LAB


def test_local_yields_an_effect() -> None:
    """It calls nothing: the driver does."""
    flow = local(divmod, 7, 2)
    assert next(flow) == Local(divmod, (7, 2))
    assert finish(flow, (3, 1)) == (3, 1)


async def counted_later(done: int, total: int) -> None:
    """A callback that somebody would have to await."""


class CountedLater:
    """The same as an object."""

    async def __call__(self, done: int, total: int) -> None:
        """Count later."""


@pytest.mark.parametrize("callback", [counted_later, functools.partial(counted_later, 1), CountedLater()])
@pytest.mark.parametrize("verb", [upload, download])
def test_an_async_on_progress_is_refused_before_any_request(verb: Any, callback: Any) -> None:
    """Its coroutines would be made and thrown away, with a warning a chunk."""
    with pytest.raises(InvalidArgumentError, match="async def"):
        play(verb(CFG, uid(1), on_progress=callback))
    for each in (None, print, functools.partial(print, 1)):
        require_callback(each)
