"""The buffers of threads."""

from __future__ import annotations

from luml_lite.files.buffers import buffer


def test_a_thread_has_two_buffers_and_no_more() -> None:
    assert buffer(0).obj is buffer().obj
    assert buffer(1).obj is buffer(1).obj
    assert buffer(0).obj is not buffer(1).obj
