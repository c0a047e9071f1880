"""Cancel tokens: what is added to one is aborted when it is set, and polling work stops."""

from __future__ import annotations

import threading
import time

import pytest

from luml_lite.core.cancellation import CancelToken, Stopped, checkpoint, use_token


class Counter:
    """Counts how often it is aborted."""

    def __init__(self) -> None:
        self.aborted = 0

    def abort(self) -> None:
        self.aborted += 1


def test_setting_a_token_aborts_what_was_added_and_not_discarded() -> None:
    token, kept, discarded = CancelToken(), Counter(), Counter()
    token.add(kept)
    token.add(discarded)
    token.discard(discarded)
    assert not token.flag
    token.set()
    assert token.flag
    assert (kept.aborted, discarded.aborted) == (1, 0)


def test_what_is_added_to_a_set_token_is_aborted_immediately() -> None:
    token, late = CancelToken(), Counter()
    token.set()
    token.add(late)
    assert late.aborted == 1


def test_a_token_sets_the_tokens_that_were_added_to_it() -> None:
    outer, inner, abortable = CancelToken(), CancelToken(), Counter()
    inner.add(abortable)
    outer.add(inner)
    outer.set()
    assert inner.flag
    assert abortable.aborted == 1


def test_setting_the_inner_token_leaves_the_outer_one() -> None:
    outer, inner = CancelToken(), CancelToken()
    outer.add(inner)
    inner.set()
    assert not outer.flag


def test_a_sleep_ends_when_the_token_is_set() -> None:
    token = CancelToken()
    threading.Timer(0.1, token.set).start()
    start = time.monotonic()
    token.sleep(1000)
    assert time.monotonic() - start < 60


def test_a_sleep_lasts_its_time() -> None:
    start = time.monotonic()
    CancelToken().sleep(0.12)
    assert time.monotonic() - start >= 0.12


def test_a_checkpoint_raises_only_under_a_set_token_of_this_thread() -> None:
    token = CancelToken()
    checkpoint()
    with use_token(token):
        checkpoint()
        token.set()
        with pytest.raises(Stopped):
            checkpoint()
        with use_token(CancelToken()):
            checkpoint()
        thread = threading.Thread(target=checkpoint)  # an exception in it would be a warning, which is an error here
        thread.start()
        thread.join()
        with pytest.raises(Stopped):
            checkpoint()
    checkpoint()
