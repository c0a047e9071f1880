"""The same verbs for asyncio: awaited, or read with `async for`. The event loop is never blocked."""

from __future__ import annotations

from .clients.async_groups import bucket_secrets as bucket_secrets
from .clients.async_groups import collections as collections
from .clients.async_groups import create as create
from .clients.async_groups import delete as delete
from .clients.async_groups import delete_many as delete_many
from .clients.async_groups import delete_url as delete_url
from .clients.async_groups import download as download
from .clients.async_groups import download_url as download_url
from .clients.async_groups import get as get
from .clients.async_groups import list as list
from .clients.async_groups import list_all as list_all
from .clients.async_groups import members as members
from .clients.async_groups import open_download as open_download
from .clients.async_groups import open_member as open_member
from .clients.async_groups import orbits as orbits
from .clients.async_groups import organizations as organizations
from .clients.async_groups import read_member as read_member
from .clients.async_groups import read_members as read_members
from .clients.async_groups import resolve as resolve
from .clients.async_groups import tracks as tracks
from .clients.async_groups import update as update
from .clients.async_groups import upload as upload
from .drivers.aio import iterate as iterate
from .drivers.aio import run as run
