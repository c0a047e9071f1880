"""The reference's signatures as protocols that the methods of both clients must satisfy; mypy checks it.

The signatures are the reference's own, but a bare `dict` and the coroutine of an `async def` are spelled out, since
type checkers differ about the latter. A test compares them with the reference's text.
"""

import builtins
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Protocol

from luml_lite import (
    AsyncLumlClient,
    CreatedModel,
    LumlClient,
    ModelArtifact,
    ModelArtifactsList,
    ModelArtifactSortBy,
    ModelArtifactStatus,
    SortOrder,
)

luml = LumlClient(api_key="k")
waiting = AsyncLumlClient(api_key="k")


class SyncGet(Protocol):
    def __call__(self, model_value: str, *, collection_id: str | None = None) -> ModelArtifact | None: ...


sync_get: SyncGet = luml.model_artifacts.get


class SyncListAll(Protocol):
    def __call__(
        self,
        *,
        collection_id: str | None = None,
        limit: int | None = 100,
        sort_by: ModelArtifactSortBy | None = None,
        order: SortOrder = SortOrder.DESC,
        metric_key: str | None = None,
    ) -> Iterator[ModelArtifact]: ...


sync_list_all: SyncListAll = luml.model_artifacts.list_all


class SyncList(Protocol):
    def __call__(
        self,
        *,
        collection_id: str | None = None,
        start_after: str | None = None,
        limit: int | None = 100,
        sort_by: ModelArtifactSortBy | None = None,
        order: SortOrder = SortOrder.DESC,
        metric_key: str | None = None,
    ) -> ModelArtifactsList: ...


sync_list: SyncList = luml.model_artifacts.list


class SyncDownloadUrl(Protocol):
    def __call__(self, model_id: str, *, collection_id: str | None = None) -> dict[str, Any]: ...


sync_download_url: SyncDownloadUrl = luml.model_artifacts.download_url


class SyncDeleteUrl(Protocol):
    def __call__(self, model_id: str, *, collection_id: str | None = None) -> dict[str, Any]: ...


sync_delete_url: SyncDeleteUrl = luml.model_artifacts.delete_url


class SyncUpload(Protocol):
    def __call__(
        self,
        file_path: str,
        model_name: str,
        description: str | None = None,
        tags: builtins.list[str] | None = None,
        *,
        collection_id: str | None = None,
    ) -> ModelArtifact: ...


sync_upload: SyncUpload = luml.model_artifacts.upload


class SyncDownload(Protocol):
    def __call__(self, model_id: str, file_path: str | None = None, *, collection_id: str | None = None) -> None: ...


sync_download: SyncDownload = luml.model_artifacts.download


class SyncCreate(Protocol):
    def __call__(
        self,
        collection_id: str | None,
        file_name: str,
        metrics: dict[str, Any],
        manifest: dict[str, Any],
        file_hash: str,
        file_index: dict[str, tuple[int, int]],
        size: int,
        model_name: str | None = None,
        description: str | None = None,
        tags: builtins.list[str] | None = None,
    ) -> CreatedModel: ...


sync_create: SyncCreate = luml.model_artifacts.create


class SyncUpdate(Protocol):
    def __call__(
        self,
        model_id: str,
        file_name: str | None = None,
        model_name: str | None = None,
        description: str | None = None,
        tags: builtins.list[str] | None = None,
        status: ModelArtifactStatus | None = None,
        *,
        collection_id: str | None = None,
    ) -> ModelArtifact: ...


sync_update: SyncUpdate = luml.model_artifacts.update


class SyncDelete(Protocol):
    def __call__(self, model_id: str, *, collection_id: str | None = None) -> None: ...


sync_delete: SyncDelete = luml.model_artifacts.delete


class AsyncGet(Protocol):
    def __call__(
        self, model_value: str, *, collection_id: str | None = None
    ) -> Coroutine[Any, Any, ModelArtifact | None]: ...


async_get: AsyncGet = waiting.model_artifacts.get


class AsyncListAll(Protocol):
    def __call__(
        self,
        *,
        collection_id: str | None = None,
        limit: int | None = 100,
        sort_by: ModelArtifactSortBy | None = None,
        order: SortOrder = SortOrder.DESC,
        metric_key: str | None = None,
    ) -> AsyncIterator[ModelArtifact]: ...


async_list_all: AsyncListAll = waiting.model_artifacts.list_all


class AsyncList(Protocol):
    def __call__(
        self,
        *,
        collection_id: str | None = None,
        start_after: str | None = None,
        limit: int | None = 100,
        sort_by: ModelArtifactSortBy | None = None,
        order: SortOrder = SortOrder.DESC,
        metric_key: str | None = None,
    ) -> Coroutine[Any, Any, ModelArtifactsList]: ...


async_list: AsyncList = waiting.model_artifacts.list


class AsyncDownloadUrl(Protocol):
    def __call__(self, model_id: str, *, collection_id: str | None = None) -> Coroutine[Any, Any, dict[str, Any]]: ...


async_download_url: AsyncDownloadUrl = waiting.model_artifacts.download_url


class AsyncDeleteUrl(Protocol):
    def __call__(self, model_id: str, *, collection_id: str | None = None) -> Coroutine[Any, Any, dict[str, Any]]: ...


async_delete_url: AsyncDeleteUrl = waiting.model_artifacts.delete_url


class AsyncCreate(Protocol):
    def __call__(
        self,
        collection_id: str | None,
        file_name: str,
        metrics: dict[str, Any],
        manifest: dict[str, Any],
        file_hash: str,
        file_index: dict[str, tuple[int, int]],
        size: int,
        model_name: str | None = None,
        description: str | None = None,
        tags: builtins.list[str] | None = None,
    ) -> Coroutine[Any, Any, CreatedModel]: ...


async_create: AsyncCreate = waiting.model_artifacts.create


class AsyncUpload(Protocol):
    def __call__(
        self,
        file_path: str,
        model_name: str,
        description: str | None = None,
        tags: builtins.list[str] | None = None,
        *,
        collection_id: str | None = None,
    ) -> Coroutine[Any, Any, ModelArtifact]: ...


async_upload: AsyncUpload = waiting.model_artifacts.upload


class AsyncDownload(Protocol):
    def __call__(
        self, model_id: str, file_path: str | None = None, *, collection_id: str | None = None
    ) -> Coroutine[Any, Any, None]: ...


async_download: AsyncDownload = waiting.model_artifacts.download


class AsyncUpdate(Protocol):
    def __call__(
        self,
        model_id: str,
        file_name: str | None = None,
        model_name: str | None = None,
        description: str | None = None,
        tags: builtins.list[str] | None = None,
        status: ModelArtifactStatus | None = None,
        *,
        collection_id: str | None = None,
    ) -> Coroutine[Any, Any, ModelArtifact]: ...


async_update: AsyncUpdate = waiting.model_artifacts.update


class AsyncDelete(Protocol):
    def __call__(self, model_id: str, *, collection_id: str | None = None) -> Coroutine[Any, Any, None]: ...


async_delete: AsyncDelete = waiting.model_artifacts.delete
